"""Debian's cron over both changes of daylight saving time, as `python -m tests.faults.nights` prints them."""

from pathlib import Path

import pytest

from tests.conftest import skip_unless_ci
from tests.faults.nights import NIGHTS, READERS, Night, live_through, missing


@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.name)
def test_cron_sends_one_edition_in_the_night_in_which_clocks_change(night: Night, tmp_path: Path) -> None:
    if why := missing():
        skip_unless_ci(why)

    jobs, recipients, trouble = live_through(night, tmp_path, speed=720)

    assert trouble == ""
    assert sorted(recipients) == [f"r{number}@readers.example" for number in range(READERS)]
    assert len(jobs) >= 4, jobs
