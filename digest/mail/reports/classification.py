"""Classify a received message: what it is, and whom it concerns."""

import re
from collections.abc import Collection

from digest.mail.reports import arf, autoreply, dsn, failure_text
from digest.mail.reports.fallback import find_by_library
from digest.mail.reports.parts import HeaderFields, Mail, Part, read_fields, read_mail, split_head
from digest.mail.reports.reasons import find_reason
from digest.mail.reports.reply_page import to_lines
from digest.mail.reports.reply_text import ReplyText, read_reply
from digest.mail.reports.report import Failure, MailKind, Reason, Report

_REPORT_SUBJECT = re.compile(
    r"undeliver|returned (mail|message|to sender)|^\W{0,9}return(ed|ing)\b|failure (notice|notification)|mail (delivery|system)"
    r"|deliver\w*( \S+){0,4} (status|fail\w*|notif\w*|report|problem|error|delay\w*|incomplete|unsuccess\w*)|non-?delivery"
    r"|(could|can) ?n[o']t (be )?(send|sent|deliver\w*)|not (be(en)? )?deliver|(un|non)-?deliver|delayed (mail|message)"
    r"|^\W{0,9}delivery\b|(fail|error|problem)\w* .{0,30}(deliver|mail|send)|warning: (could|message (un|not|delay|still|has|could)|e?-?mail)|bounced?\b|unzustellbar"
    r"|nicht zugestellt|non (remis|recapit|distribu|d[ée]livr)|[ée]chec (de|d')|no (se )?(entreg|pudo)|n[ãa]o entreg"
    r"|mancata (consegna|recapit)|onbestelbaar|niet (afgeleverd|bezorgd)|kan ikke leveres|gick inte att|недоставлен"
    r"|не доставлен|возвращ|退信|投递失败|配信|메일.{0,12}(실패|못)|반송|zwrot (wiadomo|poczty)|niedostarczon"
    r"|teslim edilemedi|nedoru|k[ée]zb[ée]s[íi]thetetlen|toimitus ep[äa]onn|αποτυχία παράδοσης|לא נמסר|تعذر|nelivrat|не доставлено|送信(エラー|できません)|message (rejected|undeliver|status|delay)|user unknown"
    r"|unknown (user|recipient|address)|(mailbox|quota) .{0,20}(full|exceeded)|rejected|permanent|error in mail|mail error"
    r"|does not exist|delivery$|erreur|fehler|отказ|message .{0,30} (failed|bounced)|unable to|nondeliver|undelivr",
    re.I,
)
_DAEMON = re.compile(
    r"mail(er)?[-_ ]?(delivery|daemon|system|service|administrat)|post_?master|delivery (sub)?(system|service)"
    r"|system administrator|mail server",
    re.I,
)
_FAILED_SUBJECT = re.compile(
    r"^\W{0,9}(failed|processing error|mail could not|non remis)"
    r"|[:(\[-] ?(non remis|deliver(y|ing) (has )?fail(ed|ure)|undeliver(ed|able))\W{0,9}$",
    re.I,
)
_ANSWER = re.compile(r"^\s*(re|fwd?|aw|wg|sv|vs|tr|rv|antw|r|i)\s*:", re.I)
_SURE, _MAYBE, _NOT = 2, 1, 0
_UNSURE = (MailKind.OTHER, MailKind.PERSONAL, MailKind.AUTO_REPLY)
_RETURNED = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
)
_FIRST_FIELD = re.compile(r"^(?:return-path|received|delivered-to|from|date|message-id): ", re.I | re.M)
_AGGREGATE = re.compile(r"report[- ]domain:|dmarc aggregate|tls-?rpt|smtp tls report", re.I)


def read(raw: bytes, *, return_path: str | None = None, own: Collection[str] = ()) -> Report:
    """Parse and classify a message.

    `return_path` is the envelope's sender, "" for the null one; if it is None, the Return-Path field is used.
    `own` are our own addresses, which no report names as failed. A mail system's report that names nobody has
    one failure without an address.
    """
    return read_parsed(raw, read_mail(raw), return_path=return_path, own=own)


def read_parsed(
    raw: bytes, mail: Mail, *, return_path: str | None = None, own: Collection[str] = ()
) -> Report:
    """Classify a message that has been parsed into parts; see `read`."""
    report = read_report(mail, return_path=return_path, own=own)
    if (
        not report.failures
        and report.kind in _UNSURE
        and _likeness(mail, return_path_of(mail, return_path)) == _SURE
    ):
        known = {address.lower() for address in own} | {find_sender(mail).lower()}
        failures = [one for one in find_by_library(raw, main_text(mail)) if one.address.lower() not in known]
        if failures:
            return Report(MailKind.BOUNCE, tuple(failures), original=report.original)
        if _is_of_a_system(mail):
            text = failure_text.cut_original(main_text(mail))[0]
            nobody = failure_text.judge("", text, text, text, failure_text.is_warning(text))
            return Report(MailKind.BOUNCE, (nobody,), original=report.original)
    return report


def read_report(mail: Mail, *, return_path: str | None = None, own: Collection[str] = ()) -> Report:
    """Classify a message that has been parsed already."""
    original = find_original(mail)
    complaint = arf.read_complaint(mail)
    if complaint is not None:
        return Report(
            MailKind.COMPLAINT, complaint=complaint, original=original or _find_quoted_headers(mail)
        )
    if arf.is_report(mail) or _AGGREGATE.search(mail.headers.text("subject")):
        return Report(MailKind.OTHER, original=original, why="a report that is not a complaint")
    if mail.parameters.get("report-type", "").lower() == "disposition-notification":
        return _read_disposition(mail, original)
    path = return_path_of(mail, return_path)
    bounce = _read_bounce(mail, path, own, original)
    if bounce is not None:
        return bounce
    sender = find_sender(mail)
    text = main_text(mail)
    if autoreply.is_auto_reply(mail, text):
        return Report(MailKind.AUTO_REPLY, original=original, why="an automatic answer")
    why = autoreply.why_machine(mail, sender, path)
    return Report(MailKind.OTHER if why else MailKind.PERSONAL, original=original, why=why)


def _read_disposition(mail: Mail, original: HeaderFields) -> Report:
    """Parse a disposition notification (RFC 8098): "rejected" counts as a failure (Dovecot)."""
    part = mail.find("message/disposition-notification")
    text = main_text(mail)
    if part is not None and re.search(
        r"reject|quota|refused", mail.headers.text("subject") + text[:2000], re.I
    ):
        named = dsn.find_addresses(read_fields(part.content(65_536)).get("final-recipient"))
        if named and re.search(r"disposition:.*(deleted|denied|failed|error)", part.text, re.I):
            return Report(
                MailKind.BOUNCE, (failure_text.judge(named[0], text, text, text, False),), original=original
            )
    return Report(MailKind.RECEIPT, original=original, why="a disposition notification")


def find_sender(mail: Mail) -> str:
    """Find the address in From; "" if there is none, or several."""
    found = dsn.find_addresses(mail.headers.text("from"))
    bracketed = re.findall(rf"<({dsn.ADDRESS})>", mail.headers.get("from"))
    if bracketed:
        return str(bracketed[-1])
    return found[0] if len(found) == 1 else ""


def main_text(mail: Mail) -> str:
    """Return the first text of a message; of HTML alone, its text."""
    plain = next((p for p in mail.parts if p.kind == "text/plain" and not p.is_attachment), None)
    if plain is not None and plain.text.strip():
        return plain.text
    page = next((p for p in mail.parts if p.kind == "text/html" and not p.is_attachment), None)
    if page is not None:
        return failure_text.strip_tags("<html>" + page.text)
    return plain.text if plain else ""


def read_letter(mail: Mail) -> ReplyText:
    """Separate the writer's own words of a message from what it quotes; of HTML alone, by its elements."""
    plain = next((p for p in mail.parts if p.kind == "text/plain" and not p.is_attachment), None)
    page = next((p for p in mail.parts if p.kind == "text/html" and not p.is_attachment), None)
    if page is not None and not (plain and plain.text.strip()):
        return read_reply(to_lines(page.text))
    return read_reply(main_text(mail))


def find_original(mail: Mail) -> HeaderFields:
    """Find the headers of the message that a report returns."""
    for part in mail.parts:
        if part.kind in _RETURNED:
            decoded = part.content(65_536)
            headers, _ = split_head(decoded)
            if "message-id" in headers or "from" in headers:
                return headers
    return HeaderFields()


def _find_quoted_headers(mail: Mail) -> HeaderFields:
    """Find the headers of the message that a complaint has as text: X-ARF may, and SpamCop does."""
    for part in mail.parts:
        begin = _FIRST_FIELD.search(part.text) if part.kind == "text/plain" else None
        if begin:
            headers, _ = split_head(part.text[begin.start() :].encode("utf-8", "replace"))
            if "message-id" in headers:
                return headers
    return HeaderFields()


def return_path_of(mail: Mail, stated: str | None = None) -> str | None:
    """Return the envelope's sender, as stated or as final delivery recorded it; None if it is unknown."""
    if stated is not None:
        return stated.strip().strip("<>")
    if "return-path" in mail.headers:
        return mail.headers.get("return-path").strip().strip("<>").strip()
    return None


def _read_bounce(mail: Mail, path: str | None, own: Collection[str], original: HeaderFields) -> Report | None:
    """Parse a failure report: its status part first, then its header, then its prose."""
    told = False
    for part in mail.parts:
        if part.kind in dsn.KINDS or (
            mail.kind == "multipart/report" and "final-recipient:" in part.text[:3000].lower()
        ):
            failures, told = dsn.read_delivery_status(part)
            if failures:
                return Report(
                    MailKind.BOUNCE, tuple(_enriched(mail, failures)), original=_original(mail, original)
                )
            if told:
                return Report(MailKind.RECEIPT, original=original, why="a delivery receipt")
    likeness = _likeness(mail, path)
    if not likeness:
        return None
    inner = _read_inner(mail, own) if likeness == _SURE else None
    if inner is not None:
        return inner
    failures, returned = _prose(mail, own, original, 9 if likeness == _SURE else 2)
    if not failures:
        return None
    below, _ = (
        split_head(returned.split("\n", 1)[-1].lstrip("\n -").encode("utf-8", "replace"))
        if returned
        else (original, b"")
    )
    return Report(MailKind.BOUNCE, tuple(failures), original=original or below)


def _likeness(mail: Mail, path: str | None) -> int:
    """Judge by its header whether a message is a failure report; `_MAYBE` requires more of its text."""
    headers = mail.headers
    subject, stated = headers.text("subject"), headers.get("auto-submitted").strip().lower()
    if (
        "x-failed-recipients" in headers
        or mail.parameters.get("report-type", "").lower() == "delivery-status"
    ):
        return _SURE
    daemon = _is_from_daemon(mail)
    titled = bool(_REPORT_SUBJECT.search(subject)) and not _ANSWER.match(subject)
    if titled and (daemon or path == "" or stated not in ("", "no")):
        return _SURE
    if not daemon and autoreply.is_auto_reply(mail, main_text(mail)):
        return _NOT
    if daemon or path == "":
        return _SURE if failure_text.FAILED.search(main_text(mail)[:4000]) else _NOT
    if titled or _FAILED_SUBJECT.search(subject):
        return _NOT if _has_person(mail) else _MAYBE
    return _NOT


def _is_from_daemon(mail: Mail) -> bool:
    return failure_text.is_daemon(find_sender(mail)) or bool(_DAEMON.search(mail.headers.text("from")))


def _is_of_a_system(mail: Mail) -> bool:
    """Return whether a likely report is certainly a mail system's: then it counts though it names nobody."""
    is_typed = mail.parameters.get("report-type", "").lower() == "delivery-status"
    titled = _REPORT_SUBJECT.search(mail.headers.text("subject"))
    tells = failure_text.FAILED.search(mail.headers.text("subject") + "\n" + main_text(mail)[:4000])
    return _is_from_daemon(mail) and (is_typed or bool(titled and tells))


def _read_inner(mail: Mail, own: Collection[str]) -> Report | None:
    """Parse a report that another system has embedded, with its headers, in a message of its own."""
    for part in mail.parts:
        if part.kind == "message/rfc822" and b"report" in part.body[:20_000]:
            inside = read_mail(part.content(1_000_000))
            if inside.kind == "multipart/report" and inside.find(*dsn.KINDS) is not None:
                return _read_bounce(inside, "", own, find_original(inside))
    return None


def _has_person(mail: Mail) -> bool:
    return any(name in mail.headers for name in ("in-reply-to", "references", "user-agent"))


def _prose(
    mail: Mail, own: Collection[str], original: HeaderFields, furthest: int
) -> tuple[list[Failure], str]:
    not_theirs = {address.lower() for address in own}
    for name in ("from", "to", "delivered-to", "sender", "reply-to"):
        not_theirs |= {one.lower() for value in mail.headers.all(name) for one in dsn.find_addresses(value)}
    for name in ("from", "return-path", "sender", "reply-to", "message-id"):
        not_theirs |= {one.lower() for value in original.all(name) for one in dsn.find_addresses(value)}
    stated = [a for value in mail.headers.all("x-failed-recipients") for a in dsn.find_addresses(value)]
    not_theirs -= {address.lower() for address in stated}
    returned = ""
    for part in _texts(mail):
        failures, below = failure_text.find_failures(part.text, frozenset(not_theirs), furthest)
        returned = returned or below
        if failures:
            return _stated_first(failures, stated), returned
    text = main_text(mail)
    if stated:
        delayed = failure_text.is_warning(text)
        return [failure_text.judge(one, text, text, text, delayed) for one in stated], returned
    return _from_original(original, text, returned) if furthest > 2 else ([], returned)


def _from_original(original: HeaderFields, text: str, returned: str) -> tuple[list[Failure], str]:
    """Use the returned message's own recipient if the report names none."""
    headers = original
    if not headers and returned:
        headers, _ = split_head(returned.split("\n", 1)[-1].lstrip("\n -").encode("utf-8", "replace"))
    addressed = [a for value in headers.all("to") for a in dsn.find_addresses(value)]
    theirs = [a for a in addressed if not failure_text.is_daemon(a)]
    if len(theirs) == 1 and failure_text.FAILED.search(text):
        return [failure_text.judge(theirs[0], text, text, text, False)], returned
    return [], returned


def _stated_first(failures: list[Failure], stated: list[str]) -> list[Failure]:
    """Keep the recipients that X-Failed-Recipients names, if that header exists (Exim)."""
    named = {address.lower() for address in stated}
    kept = [failure for failure in failures if failure.address.lower() in named]
    return kept or failures


def _texts(mail: Mail) -> list[Part]:
    texts = [p for p in mail.parts if p.kind in ("text/plain", "text/html", "text/report") or not p.kind]
    if not texts and mail.parts and mail.parts[0].kind.startswith("text"):
        texts = [mail.parts[0]]
    return sorted(texts[:4], key=lambda part: part.kind == "text/html")


def _original(mail: Mail, original: HeaderFields) -> HeaderFields:
    if original:
        return original
    for part in _texts(mail):
        returned = failure_text.cut_original(failure_text.strip_tags(part.text))[1]
        if returned:
            return split_head(returned.split("\n", 1)[-1].lstrip("\n -").encode("utf-8", "replace"))[0]
    return HeaderFields()


def _enriched(mail: Mail, failures: list[Failure]) -> list[Failure]:
    """Complete a status part without the server's words from the prose."""
    if all(one.reason is not Reason.UNDETERMINED for one in failures):
        return failures
    text = failure_text.cut_original(main_text(mail))[0]
    return [_with_words(one, text) if one.reason is Reason.UNDETERMINED else one for one in failures]


def _with_words(failure: Failure, text: str) -> Failure:
    status = dsn.find_status(text) if failure.status[2:] in ("", "0.0") else failure.status
    status = status if status[:1] == failure.status[:1] or not failure.status else failure.status
    return Failure(
        failure.address, failure.permanent, find_reason(text, status), status, failure.code or dsn.find_code(text),
        failure.diagnostic or dsn.bounded(text)[:200], failure.delayed, failure.mta,
    )  # fmt: skip
