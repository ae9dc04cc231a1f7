"""Editions are found by what the caller wants of them, however many single readers have asked for one."""

from datetime import UTC, datetime, timedelta

from digest.models import CadenceStart, Edition, EditionState
from digest.store.database import Database
from digest.store.editions import editions

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


def enter(database: Database, cadence: str, period: str, state: str = EditionState.FINISHED) -> None:
    at = NOW + timedelta(hours=len(period))
    frozen = None if state in (EditionState.COMPILING, EditionState.SKIPPED) else at
    row = Edition(digest="world", cadence=cadence, period=period, state=state, deadline_at=at, freeze_at=at,
                  frozen_at=frozen)  # fmt: skip
    with database.write() as session:
        session.add(row)


def test_the_last_made_of_each_cadence_are_listed_and_none_of_single_readers_or_articles(
    database: Database,
) -> None:
    with database.write() as session:
        for cadence in ("daily", "weekly", "request"):
            session.add(CadenceStart(digest="world", cadence=cadence, started_at=NOW))
    for cadence, period in (("daily", "1"), ("daily", "22"), ("request", "2026-11-24-7"), ("breaking", "5")):
        enter(database, cadence, period)
    enter(database, "daily", "333", EditionState.SKIPPED)
    enter(database, "daily", "4444", EditionState.COMPILING)

    with database.read() as session:
        assert [one.period for one in editions.list_last_made(session)] == ["22"]


def test_open_editions_are_listed_by_digest_and_state(database: Database) -> None:
    for period, state in (("1", "finished"), ("22", "held"), ("333", "compiling"), ("4444", "skipped")):
        enter(database, "daily", period, EditionState(state))

    with database.read() as session:
        for states, found in (
            (("held", "compiling"), ["22", "333"]),
            (("held",), ["22"]),
            (("finished", "held"), ["1", "22"]),
            ((), ["1", "22", "333", "4444"]),
        ):
            listed = editions.list_editions(session, digest="world", states=states)
            assert [one.period for one in listed] == found
        assert editions.list_editions(session, digest="other", states=("held",)) == []


def test_of_very_many_editions_the_open_ones_and_the_last_that_are_over_are_listed(
    database: Database,
) -> None:
    enter(database, "daily", "1", EditionState.HELD)
    for number in range(2, 6):
        enter(database, "daily", str(number) * number)
    for number in range(6, 9):
        enter(database, "request", str(number) * number)
    enter(database, "weekly", "w" * 9, EditionState.SKIPPED)

    with database.read() as session:
        bounded = editions.list_named(session, ["world"], latest=2)
        every = editions.list_named(session, ["world"])
        paused = editions.list_named(session, ["world"], states=["skipped"])
        counted = editions.count_named(session, ["world", "daily"])

    assert [one.period[0] for one in bounded] == ["1", "5", "7", "8", "w"]
    assert [one.period[0] for one in every] == [*"12345678", "w"]
    assert [one.period[0] for one in paused] == ["w"]
    assert counted == 5


def test_an_edition_is_named_by_whole_words_in_their_order(database: Database) -> None:
    enter(database, "daily", "1")
    with database.read() as session:
        for words, number in (
            (["world", "daily", "1"], 1), (["world", "daily"], 1), (["daily"], 0), (["world", "dail"], 0),
            (["world", "daily", "1", "1"], 0), ([], 1),
        ):  # fmt: skip
            assert len(editions.list_named(session, words)) == number
            assert len(editions.list_named(session, words, latest=5)) == number
            assert editions.count_named(session, words) == number
