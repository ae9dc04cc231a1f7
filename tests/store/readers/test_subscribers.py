from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from digest.models import Cohort, Confirmation, MailState, Subscriber, Subscription, SubscriptionState
from digest.store.database import Database
from digest.store.readers import confirmations, subscribers
from digest.store.readers.reader_mail import record_mail

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_subscriber(name: str) -> Subscriber:
    return Subscriber(
        public_id=name, address=f"{name}@example.org", address_key=f"{name}@example.org", created_at=NOW
    )


def add_reader(database: Database, name: str) -> int:
    with database.write() as session:
        cohort = Cohort(key=name, digest="world", cadence="daily", language="en", history_from=NOW)
        session.add(cohort)
        session.flush()
        subscriber = subscribers.add_subscriber(session, make_subscriber(name))
        row = Subscription(
            subscriber_id=subscriber.id or 0, digest="world", cadence="daily", created_at=NOW,
            cohort_id=cohort.id, topics={"*": NOW.isoformat()},
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id or 0


def test_an_address_that_stands_is_given_back_not_doubled(database: Database) -> None:
    with database.write() as session:
        first = subscribers.add_subscriber(session, make_subscriber("anna"))
        again = subscribers.add_subscriber(session, make_subscriber("anna"))
        assert first.id == again.id
        assert first.created_at == NOW


def test_two_who_add_the_same_address_at_once_get_the_same_row(database: Database) -> None:
    def add(_: int) -> int | None:
        with database.write() as session:
            return subscribers.add_subscriber(session, make_subscriber("anna")).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(add, range(8)))) == 1


def test_every_state_change_unsets_the_cohort(database: Database) -> None:
    for state in SubscriptionState:
        row_id = add_reader(database, state)
        with database.write() as session:
            subscribers.change_state(session, subscribers.get_subscription(session, row_id), state, NOW)
        with database.read() as session:
            assert subscribers.get_subscription(session, row_id).cohort_id is None


def test_a_new_language_or_zone_unsets_the_cohort_and_a_name_does_not(database: Database) -> None:
    row_id = add_reader(database, "anna")
    with database.write() as session:
        found = subscribers.find_subscriber(session, "anna@example.org")
        assert found is not None
        assert subscribers.change_details(session, found, name="Anna", language=None, timezone=None)
        assert subscribers.get_subscription(session, row_id).cohort_id is not None
        assert subscribers.change_details(session, found, name="Anna", language="fr", timezone=None)
        assert subscribers.get_subscription(session, row_id).cohort_id is None


def test_readers_stream_in_order_without_the_erased(database: Database) -> None:
    for name in ("anna", "ben", "cleo"):
        add_reader(database, name)
    with database.write() as session:
        ben = subscribers.find_subscriber(session, "ben@example.org")
        assert ben is not None
        subscribers.erase_subscriber(session, ben, NOW)
    with database.read() as session:
        assert [one.public_id for one, _ in subscribers.list_readers(session)] == ["anna", "cleo"]
        assert [one.public_id for one in subscribers.list_subscribers(session)] == ["anna", "cleo"]


def test_a_suppression_keeps_its_first_reason_and_can_be_lifted(database: Database) -> None:
    with database.write() as session:
        subscribers.add_suppression(session, "hash", "bounce", NOW)
        subscribers.add_suppression(session, "hash", "complaint", NOW)
        found = subscribers.find_suppression(session, "hash")
        assert found is not None
        assert found.reason == "bounce"
        subscribers.lift_suppression(session, "hash")
        assert not subscribers.is_suppressed(session, "hash")


def test_askings_are_claimed_by_one_owner_each_and_only_when_due(database: Database) -> None:
    row_id = add_reader(database, "anna")
    with database.write() as session:
        for hours in (0, 1, -200):
            asked_at = NOW + timedelta(hours=hours)
            asking = Confirmation(
                subscription_id=row_id, asked_at=asked_at, due_at=asked_at,
                expires_at=asked_at + timedelta(days=7),
            )  # fmt: skip
            confirmations.add_confirmation(session, asking)
    with database.write() as session:
        first = confirmations.claim_confirmation(session, 1, NOW)
        assert first is not None
        assert first.due_at == NOW
        assert confirmations.claim_confirmation(session, 2, NOW) is None
        assert first.id is not None
        later = NOW + timedelta(minutes=5)
        assert record_mail(session, Confirmation, first.id, 1, MailState.PLANNED, due_at=later)
        assert confirmations.claim_confirmation(session, 2, later) is not None
