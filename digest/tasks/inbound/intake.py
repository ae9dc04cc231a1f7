"""Process the messages in the spool: each is classified and acted on once, whatever crashes in between.

A message leaves the spool only after the commit of everything that follows from it. One that is read again
after a crash has a known key and changes nothing.
"""

import hashlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from digest.errors import DigestError, Unreachable
from digest.mail.reports import autoreply
from digest.mail.reports.classification import find_sender, read_letter, read_parsed, return_path_of
from digest.mail.reports.parts import Mail, read_mail
from digest.mail.reports.report import MailKind, Report
from digest.net.inbound.pace import SHARE
from digest.net.inbound.spool import Spool, collect
from digest.rules.readers.mail_commands import find_command, read_consent
from digest.rules.tokens import mail_tokens
from digest.store import inbound
from digest.tasks.inbound.bounces import act_on_bounce, act_on_complaint, score_finished
from digest.tasks.inbound.commands import Request, act_on_address, carry_out
from digest.tasks.inbound.inbox import Inbox, find_tokens, prove
from digest.tasks.inbound.letters import keep_letter
from digest.tasks.inbound.message_writer import find_addressed, find_extension, find_number, find_writer
from digest.tasks.inbound.printed_letters import record_consent
from digest.tasks.inbound.round_trip import came_back

_BATCH, _BATCH_BYTES = 100, 16_000_000
_BATCH_MEANWHILE, _LOOKS_EVERY, _LOOKS_AFTER_A_FAILURE = 20, 2.0, 60.0
MOST_AT_ONCE = 5_000
"""How many messages one run processes: a flood must not keep editions waiting."""

_KEPT = ("unproved", "not understood")
_NOT_TAKEN = "a message could not be processed; it lies in %s"
_MOST_KEPT = 200_000
_EXPIRY = timedelta(days=90)
log = logging.getLogger(__name__)
_Act = Callable[[Session, "Inbox", "_Incoming", int, datetime], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Incoming:
    """A message that was parsed: its bytes, its parts, what it is known by, and what it reports."""

    raw: bytes
    mail: Mail
    key: str
    report: Report


def take_in(
    inbox: Inbox,
    now: datetime,
    most: int = MOST_AT_ONCE,
    *,
    gives_way: Callable[[], bool] = lambda: False,
) -> Counter[str]:
    """Process the oldest messages in the spool; return how many of each kind. The next run takes the rest.

    It ends early, after a batch, when `gives_way` returns True.
    """
    taken = _drain(inbox, now, most, _BATCH, gives_way)
    score_finished(inbox, now)
    if taken:
        with inbox.database.write() as session:
            inbound.expire(session, now - _EXPIRY)
    return taken


def take_in_meanwhile(inbox: Inbox, clock: Callable[[], datetime], ended: threading.Event) -> Counter[str]:
    """Process received mail until `ended` is set, in small batches and for a small share of the time.

    For a thread beside a delivery, which takes hours where a relay allows few messages: who leaves by mail
    meanwhile gets none of its messages that are still unsent. Where the database or the spool fails for a
    moment, mail waits for a later look.
    """
    taken: Counter[str] = Counter()
    begun = time.monotonic()

    def rest() -> bool:
        nonlocal begun
        is_over = ended.wait((time.monotonic() - begun) * (1 / SHARE - 1))
        begun = time.monotonic()
        return is_over

    while not ended.wait(_LOOKS_EVERY):
        begun = time.monotonic()
        try:
            taken += _drain(inbox, clock(), MOST_AT_ONCE, _BATCH_MEANWHILE, rest)
        except (DigestError, OSError) as error:
            log.error("received mail waits: %s", error)
            ended.wait(_LOOKS_AFTER_A_FAILURE)
    return taken


def _drain(
    inbox: Inbox, now: datetime, most: int, batch: int, ends_after_batch: Callable[[], bool]
) -> Counter[str]:
    taken: Counter[str] = Counter()
    if inbox.settings.inbound.maildir:
        collect(inbox.settings.path(inbox.settings.inbound.maildir), inbox.spool)
    for read in _batches(inbox.spool, most, batch):
        kinds = _take_batch(inbox, _parse(inbox, read), now)
        for name, kind in kinds.items():
            if kind == "trouble":
                inbox.spool.keep(name)
            else:
                inbox.spool.remove(name)
        taken.update(kinds.values())
        if ends_after_batch():
            break
    return taken


def _batches(spool: Spool, most: int, batch: int) -> Iterator[dict[str, bytes]]:
    """Read waiting messages, so many at once that a batch has a bounded size."""
    read: dict[str, bytes] = {}
    size = 0
    for name in spool.names(most):
        raw = spool.read(name)
        if raw is None:
            continue
        read[name] = raw
        size += len(raw)
        if len(read) == batch or size > _BATCH_BYTES:
            yield read
            read, size = {}, 0
    if read:
        yield read


def _parse(inbox: Inbox, read: Mapping[str, bytes]) -> dict[str, _Incoming | None]:
    """Parse messages before the transaction begins; None for one at which our own code fails."""
    own, parsed = inbox.own_addresses, dict[str, _Incoming | None]()
    for name, raw in read.items():
        try:
            mail = read_mail(raw)
            parsed[name] = _Incoming(raw, mail, key_of(inbox, mail, raw), read_parsed(raw, mail, own=own))
        except Exception:
            log.exception(_NOT_TAKEN, inbox.spool.folder / "kept")
            parsed[name] = None
    return parsed


def _take_batch(inbox: Inbox, parsed: Mapping[str, _Incoming | None], now: datetime) -> dict[str, str]:
    """Process a batch in one commit; return what each message was.

    If our own code fails at one, the batch is rolled back and repeated with a savepoint for each message: the
    one that fails is put aside, the others are committed.
    """
    try:
        with inbox.database.write() as session:
            return _act_on_all(session, inbox, parsed, now, _act)
    except (OperationalError, Unreachable):
        raise
    except Exception:
        log.info("a message of this batch could not be processed; each is tried by itself", exc_info=True)
    with inbox.database.write() as session:
        return _act_on_all(session, inbox, parsed, now, _act_apart)


def _act_on_all(
    session: Session, inbox: Inbox, parsed: Mapping[str, _Incoming | None], now: datetime, act: _Act
) -> dict[str, str]:
    messages = {name: one for name, one in parsed.items() if one is not None}
    kinds = dict.fromkeys(parsed, "trouble")
    new = inbound.add_new(session, {one.key for one in messages.values()}, now)
    outcomes: list[dict[str, object]] = []
    for name, one in messages.items():
        number = new.pop(one.key, None)
        kind, why = act(session, inbox, one, number, now) if number is not None else ("known", "")
        kinds[name] = kind
        if number is not None and kind != "trouble":
            raw = one.raw[:_MOST_KEPT] if kind in _KEPT else None
            outcomes.append({"number": number, "kind": kind, "why": why[:200], "raw": raw})
    inbound.record_outcomes(session, outcomes)
    return kinds


def _act(session: Session, inbox: Inbox, one: _Incoming, number: int, now: datetime) -> tuple[str, str]:
    return _follow(session, inbox, one.mail, one.report, number, now)


def _act_apart(session: Session, inbox: Inbox, one: _Incoming, number: int, now: datetime) -> tuple[str, str]:
    """Process one message, whatever happens; one at which our own code fails is put aside."""
    try:
        with session.begin_nested():
            return _act(session, inbox, one, number, now)
    except (OperationalError, Unreachable):
        raise
    except Exception:
        log.exception(_NOT_TAKEN, inbox.spool.folder / "kept")
        inbound.forget(session, number)
        return "trouble", ""


def key_of(inbox: Inbox, mail: Mail, raw: bytes) -> str:
    """Return a message's key: its Message-ID, the token that it was sent to, its body.

    Headers added in transit do not count, so a message that arrives both by LMTP and by IMAP has one key.
    """
    body = raw.partition(b"\n\n")[2] if b"\r\n\r\n" not in raw[:65_536] else raw.partition(b"\r\n\r\n")[2]
    token = next(find_tokens(inbox, mail), "")
    named = "\0".join((mail.headers.get("message-id"), token)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(named + b"\0" + hashlib.sha256(body).digest()).hexdigest()


def _follow(
    session: Session, inbox: Inbox, mail: Mail, report: Report, message: int, now: datetime
) -> tuple[str, str]:
    """Do what a message asks for, by its kind; return its kind and what was done.

    A machine's message does nothing, but for a mail client that unsubscribes by List-Unsubscribe.
    """
    if report.kind is MailKind.BOUNCE or report.complaint is not None:
        return _follow_report(session, inbox, mail, report, message, now)
    if ours := _why_ours(session, inbox, mail):
        return "other", ours
    addressed = find_addressed(session, inbox, mail)
    by_machine = report.kind is not MailKind.PERSONAL
    if by_machine and (addressed is None or addressed.purpose != mail_tokens.LEAVE):
        return report.kind, report.why
    answerable = not by_machine and not autoreply.why_machine(mail, find_sender(mail), return_path_of(mail))
    writer = find_writer(session, inbox, mail)
    request = Request(session, inbox, writer, mail.headers.get("message-id"), answerable, now)
    done = act_on_address(request, addressed) if addressed is not None else None
    if done is not None:
        return "command", done
    return (report.kind, report.why) if by_machine else _follow_person(request, mail, message)


def _follow_report(
    session: Session, inbox: Inbox, mail: Mail, report: Report, message: int, now: datetime
) -> tuple[str, str]:
    """Count a bounce or a complaint, if it proves which delivery it is about."""
    proof = prove(session, inbox, mail, report)
    if proof is None or proof.subscriber.erased_at is not None:
        return "unproved", f"a {report.kind} that names no delivery of ours"
    if report.complaint is not None:
        return "complaint", act_on_complaint(session, inbox, report.complaint, proof, message, now)
    return "bounce", act_on_bounce(session, inbox, report, proof, message, now)


def _why_ours(session: Session, inbox: Inbox, mail: Mail) -> str:
    """Return what a message of our own is; "" for anybody else's."""
    is_from_us = find_sender(mail).lower() in inbox.own_addresses
    if came_back(session, inbox, mail, is_from_us):
        return "a round trip"
    return "our own message" if is_from_us else ""


def _follow_person(request: Request, mail: Mail, message: int) -> tuple[str, str]:
    """Carry out a person's answer about printing, or command; any other message is a letter."""
    own = read_letter(mail).own
    first_line = next((line for line in own.split("\n") if line.strip()), "")
    done = _answer_about_printing(request, mail, first_line)
    article = find_number(request.inbox, mail, mail_tokens.ARTICLE)
    if done is None and article is None:
        done = _carry_out_command(request, mail, own)
    if done is not None:
        return "command", done
    if not find_sender(mail):
        return "not understood", "it names no sender"
    keep_letter(request.session, request.inbox, mail, request.writer, message, request.now, article=article)
    return "letter", "kept for the editors"


def _carry_out_command(request: Request, mail: Mail, own: str) -> str | None:
    """Carry out the command that a message is; return what was done, or None if it is none."""
    digests = request.inbox.settings.digests
    cadences = tuple(dict.fromkeys(name for digest in digests for name in digest.cadences))
    extension = find_extension(request.inbox, mail)
    names = {digest.name.casefold() for digest in digests}
    command = find_command(mail.headers.text("subject"), own, extension, cadences, names)
    return carry_out(request, command) if command is not None and find_sender(mail) else None


def _answer_about_printing(request: Request, mail: Mail, first_line: str) -> str | None:
    """Process a letter writer's answer about printing; None if the message is not one."""
    letter = find_number(request.inbox, mail, mail_tokens.PRINT)
    agreed = read_consent(first_line)
    if letter is None or agreed is None:
        return None
    recorded = record_consent(
        request.session, request.inbox, letter, agreed, request.writer.address, request.now
    )
    if recorded is None:
        return None
    done, phrase = recorded
    request.answer("", [(phrase, {})])
    return done
