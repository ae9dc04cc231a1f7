"""A departure is undone from the page that follows it, unless something stands against it meanwhile."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from digest.models import ConsentEvent, Subscriber, Subscription, SubscriptionState, SuppressionReason
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import subscribers
from digest.tasks.readers.enrolment import subscribe_confirmed
from digest.tasks.readers.privacy import erase, suppress
from digest.tasks.readers.readers import Readers, leave, sign_undo, undo_leave
from digest.tasks.readers.sign_up import Choices, ask

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=20)
ANNA = "anna@example.org"


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    ids = itertools.count()
    return Readers(
        database, settings, settings.web.signing_keys, b"s" * 32,
        lambda: f"{next(ids):026}".translate(str.maketrans("0123456789", "abcdefghij")), lambda: f"token {next(ids)}",
    )  # fmt: skip


@pytest.fixture
def undo(readers: Readers) -> str:
    """Return what undoes the departure of a reader who has just left."""
    subscribe_confirmed(readers, ANNA, "world", Choices(), "Yes.", {"import": "list.csv"}, NOW)
    with readers.database.read() as session:
        anna = session.exec(select(Subscriber)).one()
    token = tokens.sign(readers.signing_keys, tokens.UNSUBSCRIBE, anna.public_id, "world")
    leave(readers, token, NOW, {"link": "one-click"})
    return sign_undo(readers, token, NOW)


def find_state(readers: Readers) -> str:
    with readers.database.read() as session:
        return session.exec(select(Subscription)).one().state


def count_events(readers: Readers) -> int:
    with readers.database.read() as session:
        return len(session.exec(select(ConsentEvent)).all())


def test_who_undoes_twice_is_back_and_it_is_recorded_once(readers: Readers, undo: str) -> None:
    before = count_events(readers)
    assert undo_leave(readers, undo, SOON, {}) is not None
    assert undo_leave(readers, undo, SOON, {}) is not None

    assert find_state(readers) == SubscriptionState.CONFIRMED
    assert count_events(readers) == before + 1


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.BOUNCE])
def test_an_address_that_was_suppressed_after_it_left_does_not_come_back(
    readers: Readers, undo: str, reason: SuppressionReason
) -> None:
    with readers.database.write() as session:
        anna = subscribers.find_subscriber(session, ANNA)
        assert anna is not None
        suppress(session, readers, anna, reason, NOW)

    assert undo_leave(readers, undo, SOON, {}) is None
    assert find_state(readers) == SubscriptionState.ENDED


def test_who_was_erased_after_they_left_does_not_come_back(readers: Readers, undo: str) -> None:
    erase(readers, ANNA, NOW)

    assert undo_leave(readers, undo, SOON, {}) is None
    assert find_state(readers) == SubscriptionState.ENDED


def test_who_is_asked_again_has_to_answer(readers: Readers, undo: str) -> None:
    ask(readers, ANNA, "world", Choices(), {"form": "http://localhost/"}, NOW + timedelta(minutes=1))

    assert undo_leave(readers, undo, SOON, {}) is None
    assert find_state(readers) == SubscriptionState.PENDING


def test_a_link_that_nobody_signed_undoes_nothing(readers: Readers, undo: str) -> None:
    assert undo_leave(readers, sign_undo(readers, "forged", NOW), SOON, {}) is None
    assert undo_leave(readers, undo + "x", SOON, {}) is None
    assert find_state(readers) == SubscriptionState.ENDED
