"""Subscribers, their subscriptions, consent events and suppressions."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, or_, update
from sqlalchemy import text as sql_text
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, SQLModel, col, delete, select

from digest.models import (
    Act,
    Confirmation,
    ConsentEvent,
    Delivery,
    MailForm,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from digest.models.row import row_id
from digest.models.subscriber import HAS_IP
from digest.rules.readers.consent import Deed, next_state

Row = dict[str, Any]
_PAGE = 1000

_SUBSCRIBERS, _SUBSCRIPTIONS, _CONFIRMATIONS, _EVENTS = (
    SQLModel.metadata.tables[str(model.__tablename__)]
    for model in (Subscriber, Subscription, Confirmation, ConsentEvent)
)
_LEFT_ALREADY = [state for state in SubscriptionState if next_state(state, Deed.LEAVE) is None]
_WHOSE = select(_SUBSCRIBERS.c.id).where(_SUBSCRIBERS.c.public_id == bindparam("public_id"))
_END = (
    update(_SUBSCRIPTIONS)
    .where(
        _SUBSCRIPTIONS.c.subscriber_id == _WHOSE.scalar_subquery(),
        _SUBSCRIPTIONS.c.digest == bindparam("of_digest"),
        *(_SUBSCRIPTIONS.c.state != state.value for state in _LEFT_ALREADY),
    )
    .values(
        state=SubscriptionState.ENDED.value, ended_at=bindparam("at_time"), cohort_id=None, welcome_at=None,
        paused_until=None,
    )
    .returning(_SUBSCRIPTIONS.c.id, _SUBSCRIPTIONS.c.subscriber_id)
)  # fmt: skip
_VOID = (
    update(_CONFIRMATIONS)
    .where(_CONFIRMATIONS.c.subscription_id == bindparam("of"), _CONFIRMATIONS.c.used_at.is_(None))
    .values(used_at=bindparam("at_time"))
)
_EVENT = insert(_EVENTS)


def find_subscriber(session: Session, key: str, *, lock: bool = False) -> Subscriber | None:
    """Find the subscriber with this address key; `lock` keeps others from changing the row meanwhile."""
    query = select(Subscriber).where(Subscriber.address_key == key)
    return session.exec(query.with_for_update() if lock else query).first()


def find_by_public_id(session: Session, public_id: str) -> Subscriber | None:
    """Find a subscriber by the random id that tokens carry."""
    return session.exec(select(Subscriber).where(Subscriber.public_id == public_id)).first()


def get_subscriber(session: Session, subscriber_id: int) -> Subscriber:
    """Get a subscriber that a foreign key names."""
    return session.exec(select(Subscriber).where(Subscriber.id == subscriber_id)).one()


def add_subscriber(session: Session, row: Subscriber) -> Subscriber:
    """Insert a subscriber, or return the one who has the address already; either is locked until the
    commit."""
    insert_new(session, Subscriber, [row.model_dump(exclude={"id"})])
    found = find_subscriber(session, row.address_key, lock=True)
    assert found is not None  # noqa: S101 - it was inserted or stood there, in this transaction
    return found


def insert_new(session: Session, model: type[SQLModel], rows: Sequence[Row]) -> None:
    """Insert the rows that no unique constraint forbids, in one statement; concurrent writers do not
    collide."""
    if not rows:
        return
    table: Table = SQLModel.metadata.tables[str(model.__tablename__)]
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)
    else:
        from sqlalchemy.dialects import postgresql  # imported here: it is large, and SQLite does not need it

        session.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)


def find_subscription(session: Session, subscriber_id: int, digest: str) -> Subscription | None:
    """Find a subscriber's subscription to a digest."""
    wanted = (Subscription.subscriber_id == subscriber_id, Subscription.digest == digest)
    return session.exec(select(Subscription).where(*wanted)).first()


def get_subscription(session: Session, subscription_id: int) -> Subscription:
    """Get a subscription that a foreign key names."""
    return session.exec(select(Subscription).where(Subscription.id == subscription_id)).one()


def list_subscriptions(session: Session, subscriber_id: int) -> list[Subscription]:
    """List all subscriptions of a subscriber, ended ones too, by digest."""
    query = select(Subscription).where(Subscription.subscriber_id == subscriber_id)
    return list(session.exec(query.order_by(Subscription.digest)))


def list_readers(
    session: Session, digest: str | None = None, text: str = ""
) -> Iterator[tuple[Subscriber, Subscription]]:
    """Stream every reader with each subscription, a page at a time by key, so that memory stays constant.

    With a text, only those whose address or name contains it, ignoring case.
    """
    wanted = [Subscription.digest == digest] if digest else []
    if text:
        parts = (col(one).icontains(text, autoescape=True) for one in (Subscriber.address, Subscriber.name))
        wanted.append(or_(*parts))  # type: ignore[arg-type]
    last = 0
    while True:
        query = (
            select(Subscriber, Subscription)
            .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
            .where(col(Subscription.id) > last, col(Subscriber.erased_at).is_(None), *wanted)
            .order_by(col(Subscription.id))
            .limit(_PAGE)
        )
        page = session.exec(query).all()
        if not page:
            return
        yield from page
        last = row_id(page[-1][1])
        session.expunge_all()


def list_subscribers(session: Session) -> Iterator[Subscriber]:
    """Stream every subscriber who is not erased, a page at a time by key."""
    last = 0
    while True:
        query = select(Subscriber).where(col(Subscriber.id) > last, col(Subscriber.erased_at).is_(None))
        page = session.exec(query.order_by(col(Subscriber.id)).limit(_PAGE)).all()
        if not page:
            return
        yield from page
        last = row_id(page[-1])
        session.expunge_all()


def change_state(session: Session, row: Subscription, state: SubscriptionState, now: datetime) -> None:
    """Set a subscription's state; compiling then places it in a cohort anew, and no welcome is due."""
    row.state, row.cohort_id, row.welcome_at = state, None, None
    row.ended_at = now if state == SubscriptionState.ENDED else None
    if state != SubscriptionState.PAUSED:
        row.paused_until = None
    session.add(row)
    session.flush()


def end_by_public_id(
    session: Session, public_id: str, digest: str, now: datetime, origin: dict[str, str]
) -> bool:
    """End a subscription, invalidate its open requests for confirmation, and record that its reader left;
    return False, changing nothing, if there is none or it has ended before.

    This is the one act that mailbox providers make in thousands, for their users (RFC 8058), so it is three
    plain statements where ORM objects would take four times as long.
    """
    connection = session.connection()
    named = {"public_id": public_id, "of_digest": digest, "at_time": now}
    ended = connection.execute(_END, named).first()
    if ended is None:
        return False
    connection.execute(_VOID, {"of": ended.id, "at_time": now})
    event = {"subscriber_id": ended.subscriber_id, "digest": digest, "act": Act.LEFT.value, "at": now}
    connection.execute(_EVENT, event | {"origin": origin})
    return True


def change_choices(
    session: Session, row: Subscription, *, cadence: str, topics: dict[str, str], hour: int | None
) -> bool:
    """Store what a reader chose and return whether it changed; if so, the subscription leaves its cohort."""
    if (row.cadence, row.topics, row.hour) == (cadence, topics, hour):
        return False
    row.cadence, row.topics, row.hour, row.cohort_id = cadence, topics, hour, None
    session.add(row)
    session.flush()
    return True


def change_most(session: Session, row: Subscription, most: int | None) -> bool:
    """Store how many articles a reader wants and return whether it changed."""
    if row.max_articles == most:
        return False
    row.max_articles, row.cohort_id = most, None
    session.add(row)
    session.flush()
    return True


def change_form(session: Session, row: Subscription, mail_form: MailForm) -> bool:
    """Keep in which form a reader wants a digest and return whether that is a change."""
    if row.mail_form == mail_form:
        return False
    row.mail_form, row.cohort_id = mail_form, None
    session.add(row)
    session.flush()
    return True


def change_details(
    session: Session, row: Subscriber, *, name: str, language: str | None, timezone: str | None
) -> bool:
    """Store a reader's details and return whether they changed; a new language or zone removes them from
    cohorts."""
    if (row.name, row.language, row.timezone) == (name, language, timezone):
        return False
    if (row.language, row.timezone) != (language, timezone):
        _unset_cohorts(session, row)
    row.name, row.language, row.timezone = name, language, timezone
    session.add(row)
    session.flush()
    return True


def _unset_cohorts(session: Session, subscriber: Subscriber) -> None:
    for row in list_subscriptions(session, row_id(subscriber)):
        row.cohort_id = None
        session.add(row)


def resume_due(session: Session, now: datetime) -> int:
    """Confirm every subscription whose pause has ended, and return how many."""
    done = session.execute(
        update(Subscription)
        .where(col(Subscription.state) == SubscriptionState.PAUSED, col(Subscription.paused_until) <= now)
        .values(state=SubscriptionState.CONFIRMED, paused_until=None, cohort_id=None)
    )
    return int(getattr(done, "rowcount", 0))


def add_consent_event(session: Session, row: ConsentEvent) -> None:
    """Record a consent event; events are never overwritten (GDPR 7(1))."""
    session.add(row)
    session.flush()


def list_consent(session: Session, subscriber_id: int) -> list[ConsentEvent]:
    """List a subscriber's consent events, oldest first."""
    query = select(ConsentEvent).where(ConsentEvent.subscriber_id == subscriber_id)
    return list(session.exec(query.order_by(col(ConsentEvent.at), col(ConsentEvent.id))))


def forget_addresses(session: Session, before: datetime, limit: int) -> int:
    """Delete clients' addresses from events before a time, up to a number; return how many were deleted."""
    query = select(ConsentEvent).where(col(ConsentEvent.at) < before, sql_text(HAS_IP)).limit(limit)
    rows = session.exec(query).all()
    for row in rows:
        row.origin = {name: value for name, value in row.origin.items() if name != "ip"}
        session.add(row)
    session.flush()
    return len(rows)


def list_origins(session: Session, limit: int) -> list[tuple[int, str]]:
    """List the subscriber and the client's address of the latest sign-ups by form."""
    query = (
        select(ConsentEvent.subscriber_id, ConsentEvent.origin)
        .where(ConsentEvent.act == Act.ASKED)
        .order_by(col(ConsentEvent.id).desc())
        .limit(limit)
    )
    return [(subscriber, origin["ip"]) for subscriber, origin in session.exec(query) if "ip" in origin]


def find_own_changes(session: Session, subscriber_ids: Sequence[int], digest: str) -> set[int]:
    """Find which of a batch changed their choices themselves: an import must not undo that."""
    wanted = (
        col(ConsentEvent.subscriber_id).in_(subscriber_ids),
        ConsentEvent.digest == digest,
        ConsentEvent.act == Act.CHANGED,
    )
    rows = session.exec(select(ConsentEvent).where(*wanted))
    return {row.subscriber_id for row in rows if "import" not in row.origin}


def find_departed(session: Session, subscriber_ids: Sequence[int], digest: str) -> dict[int, datetime]:
    """Find who of a batch ever left a digest, and when last: a sign-up that waits does not undo that."""
    if not subscriber_ids:
        return {}
    wanted = (
        col(ConsentEvent.subscriber_id).in_(subscriber_ids),
        ConsentEvent.digest == digest,
        ConsentEvent.act == Act.LEFT,
    )
    rows = session.exec(select(ConsentEvent).where(*wanted).order_by(col(ConsentEvent.at)))
    return {row.subscriber_id: row.at for row in rows}


def find_own_confirmations(session: Session, subscriber_ids: Sequence[int]) -> dict[int, datetime]:
    """Find when each of a batch of subscribers last confirmed anything themselves, not by an import."""
    if not subscriber_ids:
        return {}
    wanted = (col(ConsentEvent.subscriber_id).in_(subscriber_ids), ConsentEvent.act == Act.CONFIRMED)
    found: dict[int, datetime] = {}
    for row in session.exec(select(ConsentEvent).where(*wanted)):
        if not {"import", "command"} & row.origin.keys():
            found[row.subscriber_id] = max(row.at, found.get(row.subscriber_id, row.at))
    return found


def find_suppression(session: Session, address_hash: str) -> Suppression | None:
    """Find the suppression of an address."""
    return session.exec(select(Suppression).where(Suppression.address_hash == address_hash)).first()


def find_ban(session: Session, address_hash: str) -> Suppression | None:
    """Find the suppression of an address, unless an operator has lifted it."""
    found = find_suppression(session, address_hash)
    return None if found is not None and found.reason == SuppressionReason.LIFTED else found


def is_suppressed(session: Session, address_hash: str) -> bool:
    """Return whether an address is suppressed, and no operator has lifted that."""
    return find_ban(session, address_hash) is not None


def add_suppression(session: Session, address_hash: str, reason: str, now: datetime) -> None:
    """Suppress an address; the first reason stays, unless an operator has lifted it."""
    lifted = col(Suppression.reason) == SuppressionReason.LIFTED
    session.exec(delete(Suppression).where(col(Suppression.address_hash) == address_hash, lifted))
    insert_new(session, Suppression, [{"address_hash": address_hash, "reason": reason, "created_at": now}])


def lift_suppression(session: Session, address_hash: str) -> None:
    """Lift the suppression of an address."""
    session.exec(delete(Suppression).where(col(Suppression.address_hash) == address_hash))


def erase_subscriber(session: Session, row: Subscriber, now: datetime) -> None:
    """Erase a subscriber: address, name, origins of consent events, servers' replies about them.

    The row and its public id stay, because deliveries refer to them and old links must still answer.
    """
    ids = select(Subscription.id).where(Subscription.subscriber_id == row.id)
    theirs = update(Delivery).where(col(Delivery.subscription_id).in_(ids))
    session.execute(theirs.values(reply_text=""))
    session.execute(theirs.where(col(Delivery.reply_code).is_not(None)).values(reason=""))
    session.execute(
        update(Confirmation)
        .where(col(Confirmation.subscription_id).in_(ids))
        .values(origin={}, choices={}, reply="")
    )
    session.execute(update(ConsentEvent).where(col(ConsentEvent.subscriber_id) == row.id).values(origin={}))
    row.address, row.address_key, row.name = "", f"erased:{row.public_id}", ""
    row.language, row.timezone, row.erased_at = None, None, now
    session.add(row)
    session.flush()
