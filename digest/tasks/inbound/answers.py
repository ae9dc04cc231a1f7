"""Automatic replies: planned together with the act that they answer, sent by the next run (RFC 3834).

A reply to a machine, a list or a bounce is never planned; an address gets at most one a day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from sqlmodel import Session

from digest.mail.headers import Headers, ReaderHeaders, message_id
from digest.mail.message import Message, compose_notice
from digest.mail.rendering.names import Names
from digest.mail.rendering.renderer import Renderer
from digest.models import Answer, DeliveryState, MailState, Outcome, Subscriber
from digest.models.row import row_id
from digest.net.smtp import Envelope, open_connection
from digest.rules.delivery.reply_verdicts import describe, judge, without_address
from digest.store.readers import answers, subscribers
from digest.tasks.delivery.run import Run
from digest.tasks.inbound.answer_text import tell_values
from digest.tasks.inbound.inbox import Inbox

DAY = timedelta(hours=24)
_STATES = {
    DeliveryState.ACCEPTED: MailState.ACCEPTED,
    DeliveryState.FAILED: MailState.FAILED,
    DeliveryState.UNCERTAIN: MailState.UNCERTAIN,
}


def plan_answer(
    session: Session,
    address: str,
    subscriber: Subscriber | None,
    digest: str,
    phrases: Sequence[tuple[str, dict[str, str]]],
    in_reply_to: str,
    language: str,
    now: datetime,
    *,
    kind: str = "answer",
    text: str = "",
) -> Answer | None:
    """Plan a reply made of phrases; None if this address got one within a day."""
    if answers.was_answered(session, address, now - DAY):
        return None
    row = Answer(
        created_at=now,
        kind=kind,
        subscriber_id=subscriber.id if subscriber else None,
        address=address,
        language=language,
        digest=digest,
        values={"phrases": [[key, values] for key, values in phrases], "text": text},
        in_reply_to=in_reply_to[:500],
        due_at=now,
    )
    return answers.add_answer(session, row)


def probed_at(session: Session, subscriber: Subscriber) -> datetime | None:
    """Return when the address was last probed."""
    probe = answers.last_of_kind(session, row_id(subscriber), "probe")
    return probe.created_at if probe else None


def plan_probe(session: Session, inbox: Inbox, subscriber: Subscriber, now: datetime) -> None:
    """Plan a probe, a message that asks nothing: whether it bounces decides about an address that often
    fails."""
    digest = next(
        (row.digest for row in subscribers.list_subscriptions(session, row_id(subscriber))),
        inbox.settings.digests[0].name,
    )
    row = Answer(
        created_at=now,
        kind="probe",
        subscriber_id=subscriber.id,
        address=subscriber.address,
        language=subscriber.language or inbox.settings.site.language,
        digest=digest,
        values={"phrases": [["probe", {"address": subscriber.address}]]},
        due_at=now,
    )
    answers.add_answer(session, row)


def send_answers(run: Run, inbox: Inbox, renderer: Renderer) -> int:
    """Send the planned replies; return how many the relay accepted."""
    accepted = 0
    connection = None
    try:
        while not run.ended:
            with run.database.write() as session:
                row = answers.claim_answer(session, run.owner, run.clock())
                subscriber = (
                    subscribers.get_subscriber(session, row.subscriber_id)
                    if row and row.subscriber_id
                    else None
                )
            if row is None:
                break
            if connection is None or not connection.usable:
                opened = open_connection(run.relay)
                if isinstance(opened, Outcome):
                    _record(run, row, MailState.PLANNED, describe(opened), run.clock() + timedelta(minutes=5))
                    break
                connection = opened
            content = run.composer.sign(compose_answer(inbox, renderer, row, run.clock()), run.clock())
            outcome = connection.submit(Envelope(_sender(inbox, row, subscriber), row.address), content)
            verdict = judge(outcome, attempts=row.attempts, now=run.clock())
            state = _STATES.get(verdict.state, MailState.PLANNED)
            _record(run, row, state, without_address(verdict.reason, row.address), verdict.due_at)
            accepted += state is MailState.ACCEPTED
    finally:
        if connection is not None:
            connection.close()
    return accepted


def compose_answer(inbox: Inbox, renderer: Renderer, row: Answer, now: datetime) -> Message:
    """Compose a planned reply."""
    site = inbox.settings.site
    words = renderer.catalogues.choose([row.language, site.language])
    language, names = words.language, Names(site.names)
    digest = inbox.readers.find_digest(row.digest)
    title = names.text(language, digest.title) if digest else site.name
    phrases = row.values.get("phrases")
    told = phrases if isinstance(phrases, list) else []
    subject = row.subject or words.say("mail_subject", title=title)
    notice = renderer.render_notice(
        "answer",
        language,
        {
            "publication": site.name,
            "title": title,
            "subject": subject,
            "paragraphs": [
                words.say(str(key), **{"title": title, **tell_values(words, names, site.timezone, values)})
                for key, values in told
            ],
            "text": str(row.values.get("text", "")),
            "postal_address": site.postal_address,
        },
    )
    from_name, from_address = parseaddr(site.from_)
    headers = Headers(
        from_name=from_name or site.name,
        from_address=from_address,
        reply_to=row.reply_to or inbox.settings.inbound.address or site.reply_to,
        subject=subject,
        auto_submitted="auto-generated" if row.kind == "probe" else _AUTO.get(row.kind),
        in_reply_to=row.in_reply_to or None,
    )
    named = message_id(inbox.identity_key, row.kind, "answer", str(row.id), row.address, site.from_domain)
    own = ReaderHeaders(to_name="", to_address=row.address, date=now, message_id=named)
    return compose_notice(notice, headers, own)


_AUTO = {
    "answer": "auto-replied",
    "ask": "auto-replied",
    "forward": "auto-generated",
    "round trip": "auto-generated",
}
"""A letter that an editor writes is not an automatic reply."""


def _sender(inbox: Inbox, row: Answer, subscriber: Subscriber | None) -> str:
    """Choose the return path: null for a reply (RFC 3834 3.3), one that is read for what may bounce."""
    if row.kind in ("answer", "ask", "forward"):
        return ""
    if subscriber is None:
        return inbox.settings.inbound.address or inbox.settings.site.from_address
    named = (row.digest, "probe" if row.kind == "probe" else "reply")
    return inbox.paths.write(subscriber.public_id, named)


def _record(run: Run, row: Answer, state: MailState, reply: str, due_at: datetime | None) -> None:
    with run.database.write() as session:
        answers.record_answer(session, row_id(row), run.owner, state, reply, due_at)
