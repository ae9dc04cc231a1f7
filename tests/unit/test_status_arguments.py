"""`digest status` reads its few options itself, and leaves all others to the parser."""

from pathlib import Path

import pytest

from digest.cli import _print_status
from digest.cli.editions import status
from digest.cli.editions.status_lines import StatusOptions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, StatusOptions]]:
    """What `print_status` was asked for."""
    calls: list[tuple[str | None, StatusOptions]] = []
    monkeypatch.setattr(status, "print_status", lambda edition, options: calls.append((edition, options)))
    return calls


def test_its_own_options_are_read_in_any_order(asked: list[tuple[str | None, StatusOptions]]) -> None:
    assert _print_status(["status"])
    assert _print_status(["status", "--quiet", "world/daily", "--config", "a.toml", "--json"])

    given = StatusOptions(as_json=True, quiet=True, config=Path("a.toml"))
    assert asked == [(None, StatusOptions()), ("world/daily", given)]


def test_any_other_arguments_are_left_to_the_parser(asked: list[tuple[str | None, StatusOptions]]) -> None:
    for given in (
        ["send"], [], ["status", "--help"], ["status", "--nope"], ["status", "world", "local"],
        ["status", "--config"], ["status", "--config", "--json"], ["status", "--config=a.toml"],
    ):  # fmt: skip
        assert not _print_status(given)

    assert asked == []
