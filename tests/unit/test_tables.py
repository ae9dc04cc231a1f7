"""A table fits its terminal: columns go by importance, and no state or period is ever cut."""

import io
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.cli.editions.status_lines import SUMS
from digest.cli.terminal.tables import TableLayout, say_moment, show_table

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 21, 41, tzinfo=UTC)
ROW = {
    "digest": "world-briefing", "cadence": "weekdays", "period": "2026-11-23T07:00", "state": "finished",
    "total": 1_204_113, "accepted": 1_204_001, "failed": 12, "withheld": 100, "uncertain": 0, "open": 0,
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def draw(monkeypatch: pytest.MonkeyPatch, width: int, columns: list[str], row: dict[str, object]) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    show_table(columns, [row], TableLayout(zone=PARIS, now=NOW))
    return terminal.getvalue()


@pytest.mark.parametrize("width", [72, 80, 100, 200])
def test_no_state_period_or_number_is_cut_at_any_width(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    drawn = draw(monkeypatch, width, SUMS, ROW)

    assert max(map(len, drawn.splitlines())) <= width
    assert "…" not in drawn
    for word in ("finished", "2026-11-23T07:00", "world-briefing"):
        assert word in drawn
    assert len([line for line in drawn.splitlines() if "finished" in line]) == 1


def test_what_says_nothing_goes_first_and_what_is_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw(monkeypatch, 96, SUMS, ROW)

    assert "not shown: uncertain;" in drawn
    assert "1204001" in drawn
    assert "not shown" not in draw(monkeypatch, 200, SUMS, ROW)


def test_moments_and_answers_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    row: dict[str, object] = {"at": NOW.isoformat(), "created_at": NOW.isoformat(), "has_password": True}

    drawn = draw(monkeypatch, 80, ["at", "created_at", "has_password"], row)

    assert drawn.splitlines()[1].split("  ") == ["today 22:41", "today 22:41", "yes"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_is_kept_of_a_reader_fits_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    row: dict[str, object] = {
        "digest": "world", "state": "confirmed", "cadence": "daily", "topics": {"*": "2026"}, "hour": 7,
        "max_articles": 12, "min_articles": None, "quiet_hours": "22:00-07:00", "breaking_news": False,
        "form": "pictures", "created_at": NOW, "confirmed_at": NOW, "paused_until": None, "ended_at": None,
    }  # fmt: skip
    event: dict[str, object] = {
        "digest": "world", "act": "confirmed", "at": NOW, "wording": "I want World Briefing by mail " * 4,
        "wording_number": 1, "wording_language": "en", "origin": {"form": "https://courier.example/"},
    }  # fmt: skip

    subscriptions = draw(monkeypatch, width, list(row), row)
    consent = draw(monkeypatch, width, list(event), event)

    for drawn, told in ((subscriptions, ("confirmed", "daily")), (consent, ("confirmed", "today 22:41"))):
        header, line, *_ = drawn.splitlines()
        assert max(len(header), len(line)) <= width
        assert all(word in line for word in told)


def test_only_free_text_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    row: dict[str, object] = {"id": 7, "published_at": NOW.isoformat(), "title": "A very long title " * 9}

    drawn = draw(monkeypatch, 60, ["id", "published_at", "title"], row)

    assert "today 22:41" in drawn
    assert "…" in drawn


def test_a_pipe_gets_whole_tab_separated_lines_with_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", piped := io.StringIO())
    show_table(["period", "at"], [{"period": "2026-11-23", "at": NOW.isoformat()}], TableLayout())

    assert piped.getvalue() == f"period\tat\n2026-11-23\t{NOW.isoformat()}\n"


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (timedelta(0), "today 22:41"), (timedelta(days=1), "tomorrow 22:41"), (timedelta(days=-1), "yesterday 22:41"),
        (timedelta(days=3), "Thu 22:41"), (timedelta(days=7), "2026-11-30 22:41"), (timedelta(days=-3), "2026-11-20 22:41"),
    ],
)  # fmt: skip
def test_moments_are_said_in_the_publications_zone(later: timedelta, said: str) -> None:
    assert say_moment(NOW + later, PARIS, NOW) == said
