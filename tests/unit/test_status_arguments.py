"""`digest status` reads its few options itself, and leaves all others to the parser."""

from pathlib import Path
from typing import Any

import pytest

from digest.cli import _print_status
from digest.cli.editions import status


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `print_status` was asked for: edition, as JSON, settings, quiet."""
    calls: list[tuple[Any, ...]] = []

    def remember(edition: str | None, *, as_json: bool, config: Path | None, quiet: bool) -> None:
        calls.append((edition, as_json, config, quiet))

    monkeypatch.setattr(status, "print_status", remember)
    return calls


def test_its_own_options_are_read_in_any_order(asked: list[tuple[Any, ...]]) -> None:
    assert _print_status(["status"])
    assert _print_status(["status", "--quiet", "world/daily", "--config", "a.toml", "--json"])

    assert asked == [(None, False, None, False), ("world/daily", True, Path("a.toml"), True)]


def test_any_other_arguments_are_left_to_the_parser(asked: list[tuple[Any, ...]]) -> None:
    for given in (
        ["send"], [], ["status", "--help"], ["status", "--nope"], ["status", "world", "local"],
        ["status", "--config"], ["status", "--config", "--json"], ["status", "--config=a.toml"],
    ):  # fmt: skip
        assert not _print_status(given)

    assert asked == []
