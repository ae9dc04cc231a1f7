"""The personal data of a reader: shown, erased, suppressed."""

from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import (
    Answer,
    Bounce,
    Complaint,
    ConsentEvent,
    ConsentWording,
    ReaderNotice,
    Subscriber,
    Subscription,
    SuppressionReason,
)
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.address import normalise
from digest.store.articles import withdrawals
from digest.store.articles.articles import get_articles
from digest.store.readers import answers, letters, notices, subscribers, whole_readers, wordings
from digest.tasks.articles.withdrawing import finish_withdrawals
from digest.tasks.readers.readers import Readers, end

JsonDict = dict[str, object]
_MOST_LETTERS = 1_000


def show(readers: Readers, address: str) -> JsonDict:
    """Return all that is stored about a reader, fit for JSON; raise InputError for an unknown address."""
    with readers.database.read() as session:
        subscriber = get_known(session, readers, address)
        banned = subscribers.find_ban(session, readers.hash_address(subscriber.address_key))
        subscriptions = subscribers.list_subscriptions(session, row_id(subscriber))
        events = subscribers.list_consent(session, row_id(subscriber))
        agreed = wordings.get_wordings(session, [event.wording_id for event in events])
        written = letters.list_of(session, row_id(subscriber), _MOST_LETTERS)
        held = _show_mail(session, row_id(subscriber))
    return {
        "address": subscriber.address,
        "name": subscriber.name,
        "language": subscriber.language,
        "timezone": subscriber.timezone,
        "created_at": subscriber.created_at.isoformat(),
        "suppressed": banned.reason if banned else None,
        "subscriptions": [_show_subscription(row) for row in subscriptions],
        "consent": [_show_event(event, agreed.get(event.wording_id)) for event in events],
        "letters": [
            {
                "at": one.at.isoformat(),
                "subject": one.subject,
                "text": one.text,
                "printing": one.consent or None,
            }
            for one in written
        ],
        **held,
    }


def _show_mail(session: Session, subscriber_id: int) -> JsonDict:
    """Return what is kept of the messages to a reader, without the hashes of their tokens."""
    return {
        "editions": [
            {
                "edition": f"{edition.digest}/{edition.cadence}/{edition.period}",
                "state": one.state,
                "reason": one.reason,
                "reply": one.reply_text,
                "at": one.changed_at.isoformat(),
            }
            for edition, one in whole_readers.list_deliveries(session, subscriber_id)
        ],
        "confirmation_requests": [
            {
                "at": one.asked_at.isoformat(),
                "confirmed_at": _show_time(one.used_at),
                "origin": one.origin,
                "choices": one.choices,
                "reply": one.reply,
            }
            for one in whole_readers.list_confirmations(session, subscriber_id)
        ],
        "notices": [
            {
                "at": one.requested_at.isoformat(),
                "kind": one.kind,
                "address": one.address,
                "origin": one.origin,
                "typed": one.typed,
                "reply": one.reply,
            }
            for one in whole_readers.list_rows(session, ReaderNotice, subscriber_id)
        ],
        "bounces": [
            {
                "at": one.at.isoformat(),
                "receiver": one.receiver,
                "reason": one.reason,
                "status": one.status,
                "diagnostic": one.diagnostic,
            }
            for one in whole_readers.list_rows(session, Bounce, subscriber_id)
        ],
        "complaints": [
            {"at": one.at.isoformat(), "receiver": one.receiver, "type": one.feedback_type}
            for one in whole_readers.list_rows(session, Complaint, subscriber_id)
        ],
        "answers": [
            {"at": one.created_at.isoformat(), "kind": one.kind, "subject": one.subject, "digest": one.digest}
            for one in whole_readers.list_rows(session, Answer, subscriber_id)
        ],
    }


def erase(readers: Readers, address: str, now: datetime) -> None:
    """Erase a reader (GDPR 17), keeping a keyed hash so that no import brings them back.

    All their subscriptions end at once. A letter of theirs that was printed is withdrawn from the archive and
    from every message that has not been sent. Raise InputError for an unknown address.
    """
    with readers.database.write() as session:
        subscriber = get_known(session, readers, address)
        suppress(session, readers, subscriber, SuppressionReason.ERASED, now)
        notices.forget_notices(session, subscriber_id=subscriber.id)
        subscribers.erase_subscriber(session, subscriber, now)
        for article in get_articles(session, letters.erase_letters(session, row_id(subscriber))).values():
            withdrawals.enter(session, article, now, "its writer was erased")
            withdrawals.erase_content(session, article)
        answers.erase_answers(session, row_id(subscriber))
    finish_withdrawals(readers.database, lambda: now)


def suppress(
    session: Session, readers: Readers, subscriber: Subscriber, reason: SuppressionReason, now: datetime
) -> None:
    """Suppress a reader's address and end all their subscriptions at once."""
    subscribers.add_suppression(session, readers.hash_address(subscriber.address_key), reason, now)
    for row in subscribers.list_subscriptions(session, row_id(subscriber)):
        end(session, row, now, {"suppressed": reason})


def check_known(readers: Readers, address: str) -> None:
    """Raise InputError for an address that no reader has, as `get_known` does."""
    with readers.database.read() as session:
        get_known(session, readers, address)


def get_known(session: Session, readers: Readers, address: str) -> Subscriber:
    """Return the reader of an address; raise InputError if there is none.

    Of one that was erased or suppressed a keyed hash is kept, which says since when, and what would end that.
    """
    wanted = normalise(address)
    found = subscribers.find_subscriber(session, wanted.key)
    if found is not None:
        return found
    banned = subscribers.find_ban(session, readers.hash_address(wanted.key))
    why = "`digest subscribers list` shows all"
    if banned is not None:
        why = consent.explain_suppression(banned.reason, banned.created_at)
    raise InputError(f'"{wanted.address}" is not a subscriber: {why}')


def _show_subscription(row: Subscription) -> JsonDict:
    return {
        "digest": row.digest,
        "state": row.state,
        "cadence": row.cadence,
        "hour": row.hour,
        "max_articles": row.max_articles,
        "min_articles": row.min_articles,
        "quiet_hours": row.quiet,
        "breaking_news": row.breaking,
        "form": row.mail_form,
        "topics": sorted(row.topics),
        "created_at": row.created_at.isoformat(),
        "confirmed_at": _show_time(row.confirmed_at),
        "paused_until": _show_time(row.paused_until),
        "ended_at": _show_time(row.ended_at),
    }


def _show_event(event: ConsentEvent, agreed: ConsentWording | None) -> JsonDict:
    return {
        "digest": event.digest,
        "act": event.act,
        "at": event.at.isoformat(),
        "wording": agreed.text if agreed else "",
        "wording_number": agreed.id if agreed else None,
        "wording_language": (agreed.language or None) if agreed else None,
        "origin": event.origin,
    }


def _show_time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
