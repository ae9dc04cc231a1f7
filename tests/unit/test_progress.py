"""What is shown of a run that is under way."""

import pytest

from digest.cli.terminal.progress import ProgressTicker, describe
from digest.tasks.delivery.run import Tally


@pytest.mark.parametrize(
    ("tally", "total", "seconds", "line"),
    [
        (Tally(), 5_000, 0.0, "0 of 5,000: accepted 0, deferred 0, failed 0; 0 a second"),
        (
            Tally(accepted=1_180, deferred=12, failed=8), 5_000, 4.0,
            "1,200 of 5,000: accepted 1,180, deferred 12, failed 8; 300 a second, 12 s left",
        ),
        (
            Tally(accepted=100), 1_000_000, 10.0,
            "100 of 1,000,000: accepted 100, deferred 0, failed 0; 10 a second, 27 h 46 min left",
        ),
        (Tally(accepted=3), 2, 1.0, "3 of 3: accepted 3, deferred 0, failed 0; 3 a second"),
    ],
)  # fmt: skip
def test_a_line_says_what_has_gone_how_fast_and_what_is_left(
    tally: Tally, total: int, seconds: float, line: str
) -> None:
    assert describe(tally, total, seconds) == line


def test_it_is_not_said_more_often_than_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("digest.cli.terminal.progress.time.monotonic", lambda: now[0])
    said: list[str] = []
    pulse = ProgressTicker(lambda _done, _total, line: said.append(line), 60)
    for _ in range(300):
        pulse(Tally(accepted=1), 10)
        now[0] += 1
    assert len(said) == 4
