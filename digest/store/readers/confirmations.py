"""Requests for confirmation: which are to be sent, which were sent, and which were answered."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Text, cast, delete, func, or_, update
from sqlmodel import Session, col, select

from digest.models import (
    Act,
    Confirmation,
    ConsentEvent,
    MailState,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.rules.readers.sign_up_limits import hour_of
from digest.store.readers import sign_up_counts
from digest.store.readers.reader_mail import claim_first


def add_confirmation(session: Session, row: Confirmation) -> Confirmation:
    """Plan a request."""
    session.add(row)
    session.flush()
    return row


def find_confirmation(session: Session, token_hash: str) -> Confirmation | None:
    """Find the request whose message has this token."""
    return session.exec(select(Confirmation).where(Confirmation.token_hash == token_hash)).first()


def list_of(session: Session, subscription_id: int) -> list[Confirmation]:
    """List the requests for a subscription, the latest first."""
    query = select(Confirmation).where(Confirmation.subscription_id == subscription_id)
    return list(session.exec(query.order_by(col(Confirmation.id).desc()).limit(20)))


def list_asked(session: Session, subscriber_id: int, since: datetime, mailbox: str = "") -> list[datetime]:
    """List when confirmation was requested from an address, or another address of its mailbox, for any
    digest."""
    query = (
        select(Confirmation.asked_at)
        .join(Subscription, col(Subscription.id) == col(Confirmation.subscription_id))
        .where(Confirmation.asked_at > since)
    )
    theirs = col(Subscription.subscriber_id) == subscriber_id
    same = or_(theirs, col(Confirmation.mailbox) == mailbox) if mailbox else theirs
    asked = list(session.exec(query.where(same)))
    hours = sign_up_counts.list_asked_hours(session, mailbox) if mailbox else []
    return asked + [at for hour in hours if (at := datetime.fromtimestamp(hour * 3600, UTC)) > since]


def find_asked(session: Session, subscriber_ids: Sequence[int], since: datetime) -> dict[int, list[datetime]]:
    """Find when each of a batch of subscribers was asked to confirm."""
    query = (
        select(Subscription.subscriber_id, Confirmation.asked_at)
        .join(Subscription, col(Subscription.id) == col(Confirmation.subscription_id))
        .where(col(Subscription.subscriber_id).in_(subscriber_ids), Confirmation.asked_at > since)
    )
    found: dict[int, list[datetime]] = {}
    for subscriber_id, asked_at in session.exec(query):
        found.setdefault(subscriber_id, []).append(asked_at)
    return found


def change_choices(session: Session, subscription_id: int, cadence: str, topics: list[str]) -> None:
    """Change the topics of every unanswered request for a subscription; confirming takes them over."""
    rows = session.exec(
        select(Confirmation).where(
            Confirmation.subscription_id == subscription_id, col(Confirmation.used_at).is_(None)
        )
    )
    for row in rows:
        row.choices = {**row.choices, "cadence": cadence, "topics": topics}
        session.add(row)
    session.flush()


def forget_addresses(session: Session, before: datetime) -> None:
    """Delete the client's address from sign-ups answered before a time; unanswered ones are deleted as a
    whole."""
    query = select(Confirmation).where(col(Confirmation.used_at) < before)
    for row in session.exec(query.where(cast(col(Confirmation.origin), Text).contains('"ip"')).limit(500)):
        row.origin = {name: value for name, value in row.origin.items() if name != "ip"}
        session.add(row)
    session.flush()


def void_confirmations(session: Session, subscription_id: int, now: datetime) -> None:
    """Invalidate every unanswered request for a subscription, even one that has not been sent yet."""
    session.execute(
        update(Confirmation)
        .where(col(Confirmation.subscription_id) == subscription_id, col(Confirmation.used_at).is_(None))
        .values(used_at=now)
    )


def claim_confirmation(session: Session, owner: int, now: datetime) -> Confirmation | None:
    """Claim the request that has been due longest and is still wanted; None if nothing is due."""
    due = (
        select(Confirmation)
        .join(Subscription, col(Subscription.id) == col(Confirmation.subscription_id))
        .where(
            Confirmation.mail_state == MailState.PLANNED,
            Confirmation.due_at <= now,
            Confirmation.expires_at > now,
            col(Confirmation.used_at).is_(None),
            Subscription.state == SubscriptionState.PENDING,
        )
    )
    return claim_first(session, Confirmation, due, owner)


def get_asked_reader(session: Session, row: Confirmation) -> tuple[Subscriber, Subscription]:
    """Return the recipient of a request, and the digest that it is about."""
    query = (
        select(Subscriber, Subscription)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .where(Subscription.id == row.subscription_id)
    )
    return session.exec(query).one()


def set_token(session: Session, confirmation_id: int, token_hash: str) -> None:
    """Store the hash of the token in the message."""
    session.execute(
        update(Confirmation).where(col(Confirmation.id) == confirmation_id).values(token_hash=token_hash)
    )


def release_confirmations(session: Session, owner: int, *, resend: bool) -> None:
    """Release what a dead worker held: claimed requests are planned again, those in flight uncertain or
    repeated once."""
    held = update(Confirmation).where(col(Confirmation.owner) == owner)
    in_flight = held.where(col(Confirmation.mail_state) == MailState.IN_FLIGHT)
    if resend:
        once = in_flight.where(col(Confirmation.attempts) < 2)
        session.execute(once.values(mail_state=MailState.PLANNED, owner=None))
    session.execute(in_flight.values(mail_state=MailState.UNCERTAIN, owner=None))
    claimed = held.where(col(Confirmation.mail_state) == MailState.CLAIMED)
    session.execute(claimed.values(mail_state=MailState.PLANNED, owner=None))


def list_unanswered(session: Session, before: datetime, limit: int) -> list[int]:
    """List pending subscriptions for which no confirmation was requested since a time."""
    asked_since = select(Confirmation.subscription_id).where(Confirmation.asked_at > before)
    query = (
        select(Subscription.id)
        .where(Subscription.state == SubscriptionState.PENDING, Subscription.created_at <= before)
        .where(col(Subscription.id).not_in(asked_since))
        .order_by(col(Subscription.id))
        .limit(limit)
    )
    return [i for i in session.exec(query) if i is not None]


def forget_unanswered(session: Session, ids: Sequence[int]) -> None:
    """Delete pending subscriptions, and subscribers without any other; those that the reader confirmed or
    left before become ended again, so that no list revives who left.

    That their mailboxes were asked stays known by a keyed hash, so that the limit of requests holds.
    """
    theirs = col(Subscription.id).in_(ids)
    asked = select(Confirmation.mailbox, Confirmation.asked_at).where(
        col(Confirmation.subscription_id).in_(ids), Confirmation.mailbox != ""
    )
    for mailbox, asked_at in session.exec(asked).all():
        sign_up_counts.note_asked(session, mailbox, hour_of(asked_at))
    people = set(session.exec(select(Subscription.subscriber_id).where(theirs)))
    session.execute(delete(Confirmation).where(col(Confirmation.subscription_id).in_(ids)))
    left_at = (
        select(func.max(ConsentEvent.at))
        .where(
            ConsentEvent.subscriber_id == Subscription.subscriber_id,
            ConsentEvent.digest == Subscription.digest,
            ConsentEvent.act == Act.LEFT,
        )
        .scalar_subquery()
    )
    known = or_(col(Subscription.confirmed_at).is_not(None), left_at.is_not(None))
    ended = {"state": SubscriptionState.ENDED, "ended_at": left_at}
    pending = theirs & (col(Subscription.state) == SubscriptionState.PENDING)
    session.execute(update(Subscription).where(pending, known).values(ended))
    session.execute(delete(Subscription).where(pending))
    kept = set(
        session.exec(select(Subscription.subscriber_id).where(col(Subscription.subscriber_id).in_(people)))
    )
    gone = sorted(people - kept)
    session.execute(delete(ConsentEvent).where(col(ConsentEvent.subscriber_id).in_(gone)))
    session.execute(delete(Subscriber).where(col(Subscriber.id).in_(gone)))
