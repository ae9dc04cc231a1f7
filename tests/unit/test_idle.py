"""When a note that nothing is due still holds."""

import os
from pathlib import Path

import pytest

from digest import __version__
from digest.cli.editions.idle import IdleNote, is_still_idle, look_at
from digest.clock import utc_now

NOTE = IdleNote(__version__, "e", 1_000.0, 1_300.0, ["accepted 0"], {"a": [1, 2, 3], "b": None})


@pytest.mark.parametrize(
    ("now", "environment", "files", "idle"),
    [
        (1_000.0, "e", {"a": [1, 2, 3], "b": None}, True),
        (1_299.9, "e", {"a": [1, 2, 3], "b": None}, True),
        (1_300.0, "e", {"a": [1, 2, 3], "b": None}, False),
        (999.9, "e", {"a": [1, 2, 3], "b": None}, False),
        (1_100.0, "f", {"a": [1, 2, 3], "b": None}, False),
        (1_100.0, "e", {"a": [1, 2, 4], "b": None}, False),
        (1_100.0, "e", {"a": [1, 2, 3], "b": [1, 1, 1]}, False),
        (1_100.0, "e", {"a": None, "b": None}, False),
    ],
)
def test_nothing_is_due_while_all_looks_the_same_and_until_the_time_comes(
    now: float, environment: str, files: dict[str, list[int] | None], idle: bool
) -> None:
    assert is_still_idle(NOTE, now, environment, files) is idle


def test_a_file_from_the_future_is_not_relied_on(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[site]\n")
    (tmp_path / "digest.db").write_bytes(b"SQLite")
    assert look_at(config, tmp_path / "digest.db", []) is not None
    later = utc_now().timestamp() + 3_600
    os.utime(config, (later, later))

    assert look_at(config, tmp_path / "digest.db", []) is None


def test_a_database_that_is_not_found_is_not_relied_on(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[site]\n")

    assert look_at(tmp_path / "config.toml", tmp_path / "digest.db?mode=rw", []) is None


def test_the_log_of_a_linked_database_is_looked_for_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("config.toml", "data/digest.db", "data/digest.db-wal"):
        (tmp_path / name).write_bytes(b"something")
    (tmp_path / "digest.db").symlink_to(tmp_path / "data" / "digest.db")

    files = look_at(tmp_path / "config.toml", tmp_path / "digest.db", [])

    assert files is not None
    assert files[str((tmp_path / "data" / "digest.db-wal").resolve())]
