"""When many refusals are one: a fault of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Outcome, Reply, Stage
from digest.rules.delivery.refused_messages import Refusals, likeness

ACCEPTED = Outcome(Stage.DOT, Reply(250, "2.0.0", "queued as 4F1"), dot_left=True)
UNKNOWN = Outcome(Stage.RCPT, Reply(550, "5.1.1", "no such user"))


def refused(number: int, stage: Stage = Stage.DOT, enhanced: str = "5.7.515") -> Outcome:
    """Refuse with a queue number of its own."""
    return Outcome(stage, Reply(550, enhanced, f"access denied, id={number}x"), dot_left=stage is Stage.DOT)


def feed(outcomes: list[Outcome]) -> list[list[int]]:
    """Return the finding after each of them."""
    refusals = Refusals()
    return [refusals.note(1, number, outcome) for number, outcome in enumerate(outcomes)]


def test_twenty_alike_show_that_the_message_is_refused_and_whose_they_were() -> None:
    found = feed([refused(n) for n in range(25)])
    assert found[19] == list(range(20))
    assert not any(found[:19])
    assert not any(found[20:])


def test_less_than_half_of_the_last_hundred_is_no_fault_of_ours() -> None:
    assert not any(feed([ACCEPTED, ACCEPTED, refused(0)] * 60))


def test_what_is_longer_ago_than_the_last_hundred_is_forgotten() -> None:
    spell = [refused(n) for n in range(19)]
    assert not any(feed([*spell, *[ACCEPTED] * 100, *spell]))


def test_readers_who_are_unknown_are_no_fault_of_ours_however_many() -> None:
    assert not any(feed([UNKNOWN] * 200))


@pytest.mark.parametrize(
    ("outcome", "is_ours"),
    [
        (refused(1), True),
        (refused(1, Stage.RCPT), True),
        (refused(1, Stage.RCPT, "5.1.1"), False),
        (refused(1, Stage.RCPT, ""), False),
        (refused(1, Stage.DOT, ""), True),
        (Outcome(Stage.DOT, Reply(451, "4.3.0", "later"), dot_left=True), False),
        (Outcome(Stage.DOT, None, dot_left=True, fault="lost"), False),
        (ACCEPTED, False),
    ],
)
def test_what_may_be_a_refusal_of_the_message(outcome: Outcome, is_ours: bool) -> None:
    assert bool(likeness(outcome)) == is_ours


def test_each_edition_is_looked_at_by_itself() -> None:
    refusals = Refusals()
    assert not any(refusals.note(n % 2, n, refused(n)) for n in range(38))


@given(st.lists(st.booleans(), max_size=400))
def test_acceptances_that_are_only_counted_weigh_like_any_other_outcome(accepted: list[bool]) -> None:
    counted, noted = Refusals(), Refusals()

    for number, is_accepted in enumerate(accepted):
        if is_accepted:
            counted.note_accepted(1, number)
            noted.note(1, number, ACCEPTED)
        else:
            assert counted.note(1, number, refused(number)) == noted.note(1, number, refused(number))


def test_refusals_pause_once_they_are_half_of_all_outcomes_acceptances_counted() -> None:
    refusals = Refusals()
    for number in range(21):
        refusals.note_accepted(1, 100 + number)

    found = [refusals.note(1, number, refused(number)) for number in range(21)]

    assert not any(found[:20])
    assert found[20] == list(range(21))
