"""When a note that nothing is due still holds."""

import os
from pathlib import Path

import pytest

from digest import __version__
from digest.cli.editions.idle import IdleNote, Look, find_url, is_still_idle, look_at
from digest.clock import utc_now

NOTE = IdleNote(__version__, "e", 1_000.0, 1_300.0, ["accepted 0"], {"a": [1, 2, 3], "b": None}, None)


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
    assert is_still_idle(NOTE, now, environment, Look(files, None)) is idle


def test_a_file_from_the_future_is_not_relied_on(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[site]\n")
    (tmp_path / "digest.db").write_bytes(b"SQLite")
    assert look_at(config, f"sqlite:///{tmp_path}/digest.db") is not None
    later = utc_now().timestamp() + 3_600
    os.utime(config, (later, later))

    assert look_at(config, f"sqlite:///{tmp_path}/digest.db") is None


def test_a_database_that_is_not_found_is_not_relied_on(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[site]\n")

    assert look_at(tmp_path / "config.toml", f"sqlite:///{tmp_path}/digest.db?mode=rw") is None


def test_the_log_of_a_linked_database_is_looked_for_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("config.toml", "data/digest.db", "data/digest.db-wal"):
        (tmp_path / name).write_bytes(b"something")
    (tmp_path / "digest.db").symlink_to(tmp_path / "data" / "digest.db")

    look = look_at(tmp_path / "config.toml", f"sqlite:///{tmp_path}/digest.db")

    assert look is not None
    assert look.files[str((tmp_path / "data" / "digest.db-wal").resolve())]


def test_what_a_server_says_must_be_the_same(tmp_path: Path) -> None:
    note = IdleNote(__version__, "e", 1_000.0, 1_300.0, [], {}, [731, 7, 1])

    assert is_still_idle(note, 1_100.0, "e", Look({}, [731, 7, 1]))
    for other in ([732, 7, 1], [731, 8, 1], [731, 7, 2], None):
        assert not is_still_idle(note, 1_100.0, "e", Look({}, other))


@pytest.mark.parametrize(
    ("variables", "written", "url"),
    [
        ({}, "postgresql://news@db.example/news", "postgresql://news@db.example/news"),
        (
            {"DIGEST_DATABASE__URL": "postgresql://other/news"},
            "postgresql://db/news",
            "postgresql://other/news",
        ),
        ({"DIGEST_DATABASE": '{"url": "postgresql://other/news"}'}, "postgresql://db/news", ""),
    ],
)
def test_the_server_is_the_one_that_the_settings_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], written: str, url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "config.toml").write_text(f'[database]\nurl = "{written}"\n')

    assert find_url(tmp_path / "config.toml") == url
