"""Which edition is next: preview, the desk and the schedule give one answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from digest.models import Edition, EditionState
from digest.settings import Settings
from digest.store.database import Database
from digest.store.editions import editions
from digest.tasks.desk.agenda import list_agenda
from digest.tasks.editions.coming import next_occurrence, next_open

MONDAY = datetime(2026, 11, 23, 5, tzinfo=UTC)  # 06:00 in the publication's zone; the deadline is 07:00
HOUR = timedelta(hours=1)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.write() as session:
        yield session


def run(session: Session, cadence: str, at: datetime) -> None:
    editions.started_at(session, "world", cadence, at)


def make(session: Session, period: str, at: datetime, state: EditionState = EditionState.FINISHED) -> None:
    row = Edition(
        digest="world",
        cadence="daily",
        period=period,
        state=state,
        deadline_at=at,
        freeze_at=at,
        frozen_at=at,
    )
    session.add(row)
    session.flush()


def ask(session: Session, settings: Settings, cadence: str, now: datetime) -> tuple[str, str, str]:
    """Return the period that preview, the desk and compiling each take to be next."""
    digest = settings.digest("world")
    desk = next(one for one in list_agenda(session, settings, now) if one.cadence == cadence)
    return (
        next_open(session, settings, digest, cadence, now).period,
        desk.coming.name.period,
        next_occurrence(session, settings, digest, cadence, now).period,
    )


def test_before_its_deadline_it_is_todays(session: Session, settings: Settings) -> None:
    run(session, "daily", MONDAY - 24 * HOUR)
    make(session, "2026-11-22", MONDAY - 23 * HOUR)

    assert ask(session, settings, "daily", MONDAY) == ("2026-11-23",) * 3


def test_an_edition_that_is_late_is_next_until_it_is_made(session: Session, settings: Settings) -> None:
    run(session, "daily", MONDAY - 24 * HOUR)
    make(session, "2026-11-22", MONDAY - 23 * HOUR)

    assert ask(session, settings, "daily", MONDAY + 2 * HOUR) == ("2026-11-23",) * 3

    make(session, "2026-11-23", MONDAY + HOUR)

    assert ask(session, settings, "daily", MONDAY + 2 * HOUR) == ("2026-11-24",) * 3


def test_of_several_that_are_late_the_last_one_is_made(session: Session, settings: Settings) -> None:
    run(session, "daily", MONDAY - 96 * HOUR)

    assert ask(session, settings, "daily", MONDAY + 2 * HOUR) == ("2026-11-23",) * 3


def test_one_made_before_its_deadline_is_not_next_any_more(session: Session, settings: Settings) -> None:
    run(session, "daily", MONDAY)
    make(session, "2026-11-23", MONDAY + HOUR)

    assert ask(session, settings, "daily", MONDAY) == ("2026-11-24",) * 3


def test_a_held_one_is_what_readers_get_next_and_the_desk_shows_it_beside_the_coming_one(
    session: Session, settings: Settings
) -> None:
    run(session, "daily", MONDAY)
    make(session, "2026-11-23", MONDAY + HOUR, EditionState.HELD)

    assert ask(session, settings, "daily", MONDAY + 2 * HOUR) == ("2026-11-23", "2026-11-24", "2026-11-24")


def test_a_cadence_that_began_today_owes_nothing_and_preview_shows_what_send_now_makes(
    session: Session, settings: Settings
) -> None:
    assert ask(session, settings, "daily", MONDAY + 2 * HOUR) == ("2026-11-23", "2026-11-24", "2026-11-24")
