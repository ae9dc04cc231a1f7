"""Parse complaints: feedback reports (RFC 5965), X-ARF, and what some feedback loops send instead.

Feedback types that are not known count as complaints: feedback loops send "unsubscribe" and "complaint" too.
"""

import json
import re

from digest.mail.reports.dsn import find_addresses
from digest.mail.reports.parts import HeaderFields, Mail, read_fields
from digest.mail.reports.report import FeedbackReport

_KIND = "message/feedback-report"
_NO_COMPLAINT = frozenset({
    "not-spam", "notspam", "auth-failure", "dkim", "dmarc", "opt-out-confirmation", "virus",
})  # fmt: skip
"""What a reader wants the contrary of, or did not ask for: a virus and a signature are judged by a program."""

_X_ARF_FIELD = re.compile(
    r"""^[ \t]*(category|report-type|reported-from)[ \t]*:[ \t]*["']?([\w.@-]+)""", re.I | re.M
)
_UNWANTED = re.compile(r"spam|phish|unsolicited", re.I)
_LOOP_SENDER = re.compile(r"^(staff|scomp|fbl|feedbackloop|feedback|arf|abuse-?reports?|complaints?)\b", re.I)
_LOOP_SUBJECT = re.compile(
    r"complaint about (message|mail) from|e-?mail feedback report|abuse (report|complaint)|"
    r"spam (report|complaint|notification)|client tos notification|\bFBL\b|feedback loop report",
    re.I,
)


def read_complaint(mail: Mail) -> FeedbackReport | None:
    """Return the complaint that a message is, or None.

    A report of another type, such as a failed authentication or "not spam", is no complaint.
    """
    part = mail.find(_KIND)
    if part is None and (fields := _find_x_arf(mail)):
        return _read_x_arf(mail, fields)
    if part is None and mail.parameters.get("report-type", "").lower() == "feedback-report":
        part = next((p for p in mail.parts if "feedback-type:" in p.text[:2000].lower()), None)
    if part is not None:
        return _read_report(mail, read_fields(part.text.lstrip().encode("utf-8", "replace")))
    return _read_loose(mail)


def is_report(mail: Mail) -> bool:
    """Return whether a message is a feedback report of any type, or one by X-ARF."""
    if mail.find(_KIND) is not None or mail.parameters.get("report-type", "").lower() == "feedback-report":
        return True
    return bool(_find_x_arf(mail))


def _read_report(mail: Mail, fields: HeaderFields) -> FeedbackReport | None:
    typed = re.match(r"[\w-]+", fields.get("feedback-type").strip().lower())
    kind = typed[0].replace("_", "-") if typed else "abuse"
    if kind in _NO_COMPLAINT:
        return None
    reporter = fields.get("source") or fields.get("reporting-mta").partition(";")[2]
    named = [*fields.all("original-rcpt-to"), *fields.all("removal-recipient")]
    found = [address for value in named for address in find_addresses(value)]
    return FeedbackReport(kind, _host(reporter or mail.headers.get("from")), found[0] if found else "")


def _read_loose(mail: Mail) -> FeedbackReport | None:
    """Parse reports without a report part: Microsoft's JMRP, SpamCop, older ones that attach the message."""
    subject, sender = mail.headers.text("subject"), mail.headers.get("from")
    local = next(iter(find_addresses(sender)), "").partition("@")[0]
    returned = mail.find("message/rfc822", "text/rfc822-headers") is not None
    if "x-spamcop-sourceip" in mail.headers:
        return FeedbackReport("abuse", _host(sender))
    inside = next((p for p in mail.parts if p.kind == "message/rfc822"), None)
    if inside is not None and b"X-HmXmrOriginalRecipient" in inside.body[:65_536]:
        found = find_addresses(read_fields(inside.body[:65_536]).get("x-hmxmroriginalrecipient"))
        return FeedbackReport("abuse", _host(sender), found[0] if found else "")
    if returned and _LOOP_SUBJECT.search(subject) and _LOOP_SENDER.match(local):
        return FeedbackReport("abuse", _host(sender))
    return None


def _find_x_arf(mail: Mail) -> dict[str, str]:
    """Return category and type of a report by X-ARF, in YAML (0.1, 0.2) or JSON (later); {} of any other message."""
    is_marked = "x-arf" in mail.headers or "x-xarf" in mail.headers
    for part in mail.parts:
        if part.kind == "application/json" and is_marked:
            return _lowered(_json_fields(part.content(65_536)))
        if part.kind not in ("text/plain", "text/yaml", "application/yaml"):
            continue
        text = part.content(4_000).decode("utf-8", "replace")
        found = {name.lower(): value for name, value in _X_ARF_FIELD.findall(text)}
        if "category" in found and (is_marked or len(found) == 3):
            return _lowered(found)
    return {}


def _json_fields(content: bytes) -> dict[str, str]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        return {"category": "unreadable"}
    if not isinstance(read, dict):
        return {"category": "unreadable"}
    report = read["Report"] if isinstance(read.get("Report"), dict) else read
    kind = str(report.get("ReportType") or report.get("type") or "")
    return {"category": str(report.get("ReportClass") or report.get("category") or ""), "report-type": kind}


def _lowered(fields: dict[str, str]) -> dict[str, str]:
    return {name: value.lower() for name, value in fields.items()}


def _read_x_arf(mail: Mail, fields: dict[str, str]) -> FeedbackReport | None:
    """Return the complaint of a report by X-ARF; one about an attack, a virus or an open relay is none."""
    category, kind = fields.get("category", ""), fields.get("report-type", "")
    if category not in ("abuse", "fraud", "activity", "messaging") or (kind and not _UNWANTED.search(kind)):
        return None
    is_fraud = category == "fraud" or "phish" in kind
    return FeedbackReport("fraud" if is_fraud else "abuse", _host(mail.headers.get("from")))


def _host(text: str) -> str:
    """Return the domain of the reporter, by which complaints are counted."""
    addresses = find_addresses(text)
    host = addresses[0].rpartition("@")[2] if addresses else text.strip()
    return host.lower()[:120]
