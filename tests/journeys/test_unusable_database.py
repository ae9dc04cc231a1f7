"""A database that cannot be used is one line with its remedy, on every command: no traceback, no secret."""

import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import write_config
from tests.support.newsroom import run_command

COMMANDS = [
    ("status",), ("audit",), ("why", "r0@readers.example", "1"), ("send", "--quiet"), ("fetch",), ("init",),
    ("preview", "world"), ("preflight", "world", "--offline"), ("resume",), ("schedule",), ("web",), ("run",),
    ("articles", "list"), ("articles", "show", "1"), ("articles", "prune"), ("sources",),
    ("subscribers", "list"), ("subscribers", "add", "mara@readers.example"),
    ("subscribers", "show", "mara@readers.example"), ("subscribers", "export"), ("editors", "list"),
]  # fmt: skip


def no_server(_folder: Path) -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"postgresql+psycopg://courier:hush-hush@127.0.0.1:{port}/digest"


def no_folder(_folder: Path) -> str:
    return "sqlite:///nowhere/digest.db"


def no_database(folder: Path) -> str:
    (folder / "letter.txt").write_text("Dear readers, this is no database. " * 100)
    return "sqlite:///letter.txt"


def a_folder(folder: Path) -> str:
    (folder / "folder.db").mkdir()
    return "sqlite:///folder.db"


def a_later_version(folder: Path) -> str:
    with sqlite3.connect(folder / "later.db") as known:
        known.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        known.execute("INSERT INTO alembic_version VALUES ('9999')")
    return "sqlite:///later.db"


def another_programs(folder: Path) -> str:
    with sqlite3.connect(folder / "blog.db") as known:
        known.execute("CREATE TABLE article (id INTEGER PRIMARY KEY, body TEXT)")
    return "sqlite:///blog.db"


SAID = {
    no_server: "refuses connections: start it, or correct [database] url",
    no_folder: "cannot be opened: create its folder",
    no_database: "is not an SQLite database: correct [database] url",
    a_folder: "cannot be opened",
    a_later_version: "has schema version 9999, which this program does not know: update the program",
    another_programs: "has tables of another program (article)",
}


PAIRS: list[tuple[tuple[str, ...], Callable[[Path], str]]] = [(command, no_server) for command in COMMANDS]
PAIRS += [(command, fault) for command in COMMANDS[::4] for fault in SAID if fault is not no_server]


@pytest.mark.parametrize(
    ("command", "fault"), PAIRS, ids=lambda one: " ".join(one) if isinstance(one, tuple) else one.__name__
)
def test_it_is_one_line_and_exit_1(
    tmp_path: Path, command: tuple[str, ...], fault: Callable[[Path], str]
) -> None:
    config = write_config(tmp_path, fault(tmp_path))

    _, err = run_command(*command, "--config", str(config), code=1)

    assert len(err.splitlines()) == 1, err
    assert SAID[fault] in err
    assert "hush" not in err


@pytest.mark.parametrize("fault", list(SAID), ids=lambda fault: fault.__name__)
def test_doctor_tells_it_among_its_findings(tmp_path: Path, fault: Callable[[Path], str]) -> None:
    config = write_config(tmp_path, fault(tmp_path))

    out, err = run_command("doctor", "--offline", "--config", str(config), code=1)

    assert "Traceback" not in out + err
    assert "fail" in out
    assert "hush" not in out + err
