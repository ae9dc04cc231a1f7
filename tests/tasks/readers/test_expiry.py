"""What time alone brings about."""

from datetime import UTC, datetime, timedelta

from sqlmodel import select

from digest.models import (
    Act,
    Confirmation,
    ConsentEvent,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.store.database import Database
from digest.tasks.readers.expiry import KEEP_UNCONFIRMED, keep_house

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LONG_AGO = NOW - KEEP_UNCONFIRMED - timedelta(hours=1)


def ask(database: Database, name: str, at: datetime, *, confirmed_before: bool = False) -> int:
    """Enter somebody who was asked at a time and has not answered."""
    with database.write() as session:
        person = Subscriber(
            public_id=name, address=f"{name}@x.example", address_key=f"{name}@x.example", created_at=at
        )
        session.add(person)
        session.flush()
        row = Subscription(
            subscriber_id=person.id or 0, digest="world", cadence="daily", created_at=at,
            state=SubscriptionState.PENDING, confirmed_at=at if confirmed_before else None,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(
            Confirmation(
                subscription_id=row.id or 0, asked_at=at, expires_at=at + timedelta(days=7), due_at=at
            )
        )
        session.add(ConsentEvent(subscriber_id=person.id or 0, digest="world", act=Act.ASKED, at=at))
        return row.id or 0


def states(database: Database) -> dict[str, str]:
    with database.read() as session:
        rows = session.exec(
            select(Subscriber.public_id, Subscription.state).join(
                Subscription,
                Subscription.subscriber_id == Subscriber.id,  # type: ignore[arg-type]
            )
        )
        return dict(rows.all())


def test_who_was_asked_long_ago_and_never_confirmed_is_forgotten_whole(database: Database) -> None:
    ask(database, "silent", LONG_AGO)
    ask(database, "recent", NOW - timedelta(days=80))

    keep_house(database, NOW)

    assert states(database) == {"recent": "pending"}
    with database.read() as session:
        assert len(session.exec(select(Subscriber)).all()) == 1
        assert len(session.exec(select(ConsentEvent)).all()) == 1
        assert len(session.exec(select(Confirmation)).all()) == 1


def test_who_had_been_a_reader_before_is_not_forgotten_but_has_ended(database: Database) -> None:
    ask(database, "former", LONG_AGO, confirmed_before=True)

    keep_house(database, NOW)

    assert states(database) == {"former": "ended"}


def test_who_left_unconfirmed_and_was_asked_again_is_not_forgotten_but_has_ended(database: Database) -> None:
    row = ask(database, "left", LONG_AGO)
    with database.write() as session:
        subscription = session.get_one(Subscription, row)
        event = ConsentEvent(
            subscriber_id=subscription.subscriber_id, digest="world", act=Act.LEFT, at=LONG_AGO
        )
        session.add(event)

    keep_house(database, NOW)

    assert states(database) == {"left": "ended"}
    with database.read() as session:
        assert session.get_one(Subscription, row).ended_at == LONG_AGO
        assert {one.act for one in session.exec(select(ConsentEvent))} == {"asked", "left"}


def test_who_was_asked_again_lately_is_kept(database: Database) -> None:
    row = ask(database, "patient", LONG_AGO)
    with database.write() as session:
        session.add(
            Confirmation(subscription_id=row, asked_at=NOW, expires_at=NOW + timedelta(days=7), due_at=NOW)
        )

    keep_house(database, NOW)

    assert states(database) == {"patient": "pending"}


def test_a_pause_that_has_run_out_ends(database: Database) -> None:
    for name, until in (("back", NOW), ("away", NOW + timedelta(seconds=1)), ("for ever", None)):
        row = ask(database, name, NOW)
        with database.write() as session:
            subscription = session.get_one(Subscription, row)
            subscription.state, subscription.paused_until = SubscriptionState.PAUSED, until
            session.add(subscription)

    keep_house(database, NOW)

    assert states(database) == {"back": "confirmed", "away": "paused", "for ever": "paused"}


def test_clients_addresses_are_forgotten_and_the_rest_of_the_record_stays(database: Database) -> None:
    origin = {"form": "https://courier.example/", "ip": "192.0.2.7"}
    with database.write() as session:
        person = Subscriber(public_id="a", address="a@x.example", address_key="a@x.example", created_at=NOW)
        session.add(person)
        session.flush()
        for days in (400, 366, 364):
            at = NOW - timedelta(days=days)
            event = ConsentEvent(
                subscriber_id=person.id or 0, digest="world", act=Act.CHANGED, at=at, origin=origin
            )
            session.add(event)

    keep_house(database, NOW, timedelta(days=365))

    with database.read() as session:
        kept = [row.origin for row in session.exec(select(ConsentEvent).order_by(ConsentEvent.at))]  # type: ignore[arg-type]
    assert kept == [{"form": "https://courier.example/"}] * 2 + [origin]
