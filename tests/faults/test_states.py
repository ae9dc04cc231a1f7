"""Lives in which anything happens in any order: a sample of what `python -m tests.faults.states` plays."""

from tests.faults.living import place
from tests.faults.states import play


def test_whatever_happens_no_story_comes_twice_and_none_is_lost() -> None:
    with place() as where:
        played = play(where, lives=8, steps=14, seed=2)

    assert played["lives"] >= 8
    assert played["messages"]
