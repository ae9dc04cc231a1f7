"""What a restored database is given for the editions that it has forgotten."""

from datetime import UTC, datetime, timedelta

from digest.rules.editions.cadence import Due, Occurrence
from digest.rules.editions.lost_editions import LostEdition, MadeEdition, split_lost

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAYS = [Occurrence(f"2026-11-{23 + number}", MORNING + number * DAY) for number in range(4)]
UNTIL = MORNING + 3 * DAY + 5 * HOUR


def made(number: int, freeze_at: datetime, *, at_once: bool = False) -> MadeEdition:
    return MadeEdition(DAYS[number].period, DAYS[number].deadline_at, freeze_at, at_once)


def test_where_nothing_is_lost_nothing_is_entered() -> None:
    assert split_lost(None, [], None, UNTIL) == []
    assert split_lost(None, [made(0, MORNING)], MORNING, UNTIL) == []


def test_one_that_is_lost_is_entered_up_to_the_moment_of_loss() -> None:
    assert split_lost(Due(DAYS[3]), [], None, UNTIL) == [LostEdition(Due(DAYS[3]), UNTIL)]


def test_all_before_the_last_are_one_edition_frozen_as_late_as_the_last() -> None:
    due = Due(DAYS[3], tuple(DAYS[:3]))
    before, last = Due(DAYS[2], tuple(DAYS[:2])), LostEdition(Due(DAYS[3]), UNTIL)

    assert split_lost(due, [], None, UNTIL) == [LostEdition(before, DAYS[2].deadline_at), last]
    late = [made(3, DAYS[3].deadline_at + HOUR)]
    found = split_lost(due, late, None, UNTIL)
    assert found == [LostEdition(before, DAYS[2].deadline_at + HOUR), last]
    assert [one.room.periods for one in found] == [3, 1]


def test_the_one_before_the_last_is_frozen_when_it_was_if_the_state_file_names_it() -> None:
    known = [made(3, DAYS[3].deadline_at), made(2, DAYS[2].deadline_at + 2 * HOUR)]

    found = split_lost(Due(DAYS[3], (DAYS[2],)), known, None, UNTIL)

    assert [one.freeze_at for one in found] == [DAYS[2].deadline_at + 2 * HOUR, UNTIL]


def test_one_that_was_sent_without_waiting_for_the_hour_is_entered_so() -> None:
    """Its readers have it, whatever their hours: of a period whose deadline was before the first start, too."""
    known = [made(1, DAYS[1].deadline_at), made(0, MORNING + 6 * HOUR, at_once=True)]

    found = split_lost(Due(DAYS[1]), known, None, UNTIL)

    assert found == [
        LostEdition(Due(DAYS[0]), MORNING + 6 * HOUR, at_once=True),
        LostEdition(Due(DAYS[1]), UNTIL),
    ]
    assert split_lost(Due(DAYS[0]), known[1:], None, UNTIL) == [
        LostEdition(Due(DAYS[0]), UNTIL, at_once=True)
    ]


def test_what_the_database_has_is_not_entered_again() -> None:
    known = [made(3, DAYS[3].deadline_at), made(0, MORNING)]

    found = split_lost(Due(DAYS[3], (DAYS[2],)), known, MORNING + DAY, UNTIL)

    assert [one.due.occurrence for one in found] == [DAYS[2], DAYS[3]]
    assert found[0].due.missed == ()
