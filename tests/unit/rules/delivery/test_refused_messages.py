"""When many refusals are one: a fault of ours."""

import pytest

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
