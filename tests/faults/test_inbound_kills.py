"""A sample of tests.faults.inbound_kills: each step of taking mail in, killed once before and once after it."""

from pathlib import Path

import pytest

from tests.faults.inbound_kills import STEPS, begin, check, kill_at


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", sorted(STEPS))
def test_mail_that_a_killed_process_was_taking_in_is_acted_on_once(
    tmp_path: Path, step: str, after: bool
) -> None:
    inboxed = begin(tmp_path / "publication")

    assert kill_at(inboxed, step, 1, after=after)

    check(inboxed)
