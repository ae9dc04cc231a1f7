"""Notes that nothing has changed, so that what cron and monitors ask for each minute costs next to nothing.

A `digest send` that did nothing, and leaves nothing to be done, writes into a file beside the settings until
when that stays so, and how everything looks that could change it; `digest status` likewise notes what it
found. While all looks the same, the next one needs no whole run. Anything else (a write to the database,
mail, other settings, another version) means one. This module imports next to nothing.
"""

import contextlib
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from digest import __version__
from digest.clock import utc_now
from digest.config_path import find_config
from digest.private_files import write_private

_GRAIN = 0.05
"""Seconds within which a file system may give two writes the same time."""

_SQLITE = "sqlite:///"
_MARK = """
    SELECT pg_snapshot_xmax(snapshot)::text, pg_snapshot_xmin(snapshot)::text,
           (SELECT system_identifier FROM pg_control_system()),
           (SELECT timeline_id FROM pg_control_checkpoint())
    FROM pg_current_snapshot() AS snapshot
"""
_CONNECT_SECONDS = 10
_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+://")

FileLook = list[int] | None
"""A file's inode, size and time in nanoseconds; None if there is none."""


class Look(NamedTuple):
    """How all looks that could change what a command finds.

    `server` is the mark of a PostgreSQL server (see `read_mark`); None for SQLite,
    whose database is among the files.
    """

    files: dict[str, FileLook]
    server: list[int] | None


@dataclass(frozen=True, slots=True)
class IdleNote:
    """What a command found that nothing has changed since.

    `noted` and `until` are seconds since 1970. `said` is what the next one says: lines for `digest send`,
    facts for `digest status`.
    """

    version: str
    environment: str
    noted: float
    until: float
    said: Any
    files: dict[str, FileLook]
    server: list[int] | None


def is_still_idle(note: IdleNote, now: float, environment: str, look: Look) -> bool:
    """Return whether nothing has changed since a note was written, and its time has not come.

    A clock that was put back makes a note worthless.
    """
    return (
        note.noted <= now < note.until
        and (note.version, note.environment) == (__version__, environment)
        and (note.files, note.server) == look
    )


def end_if_idle(given: Sequence[str]) -> bool:
    """Do what `digest send` would, if a note says that it is nothing; return False if a run is needed."""
    config, quiet = _read_options(given[1:])
    said = None if config is None else find_said("send", config)
    if not isinstance(said, list):
        return False
    if not quiet:
        sys.stdout.write("".join(f"{line}\n" for line in said))
    return True


def find_said(command: str, config: Path) -> Any:
    """Return what a command's note says; None if there is none that still holds."""
    try:
        note = IdleNote(**json.loads(note_path(command, config).read_text(encoding="utf-8")))
        if not note.noted <= utc_now().timestamp() < note.until:
            return None  # without asking a server
        if os.path.realpath(config) not in map(os.path.realpath, note.files):
            return None  # it came with a copy of its folder
        look = Look({name: _look(Path(name)) for name in note.files}, _look_at_server(note, config))
        is_idle = is_still_idle(note, utc_now().timestamp(), _environment(), look)
    except (OSError, ValueError, TypeError, AttributeError):
        return None  # there is no note, or not one that this version wrote
    return note.said if is_idle else None


def note_path(command: str, config: Path) -> Path:
    """Return the path of a command's note: beside the settings, named after them."""
    return config.with_suffix(".idle" if command == "send" else f".{command}.idle")


def look_at(config: Path, url: str, folders: Sequence[Path] = ()) -> Look | None:
    """Return how all looks that says whether anything has changed: settings, database, folders of mail.

    A time that is too recent to tell a later write apart is waited out. Return None if one lies in the
    future, because the clock was put back, if there is no database at `url`, and if it is being written to.
    """
    watched = [config, config.with_suffix(".state"), *folders]
    server = None
    if url.startswith(_SQLITE):
        # SQLite's log lies beside the file, not beside a link to it.
        database = Path(url.removeprefix(_SQLITE)).resolve()
        watched += [database, database.with_name(f"{database.name}-wal")]
        if not database.exists():
            return None
    else:
        server = read_mark(url)
        if server is None:
            return None
    while True:
        files = {str(path.absolute()): _look(path) for path in watched}
        age = utc_now().timestamp() - max((look[2] for look in files.values() if look), default=0) / 1e9
        if age > _GRAIN:
            return Look(files, server)
        if age < 0:
            return None
        time.sleep(_GRAIN)


def write_note(command: str, config: Path, until: float, said: Any, look: Look) -> None:
    """Write a command's note; a folder that cannot be written to has none."""
    note = IdleNote(__version__, _environment(), utc_now().timestamp(), until, said, *look)
    path = note_path(command, config)
    aside = path.with_suffix(f".idle.{os.getpid()}")
    try:
        write_private(aside, json.dumps(asdict(note)).encode())
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()


def _read_options(given: Sequence[str]) -> tuple[Path | None, bool]:
    """Return the settings file and whether to print nothing; None for options that need a run."""
    config, quiet, rest = find_config(None), False, list(given)
    while rest:
        option = rest.pop(0)
        if option in ("--quiet", "-q"):
            quiet = True
        elif option == "--config" and rest:
            config = Path(rest.pop(0))
        elif option.startswith("--config="):
            config = Path(option.partition("=")[2])
        else:
            return None, quiet
    return config, quiet


def _environment() -> str:
    """Return a fingerprint of the variables that override settings."""
    named = sorted((name, value) for name, value in os.environ.items() if name.startswith("DIGEST_"))
    return hashlib.sha256(repr(named).encode()).hexdigest()


def _look(path: Path) -> FileLook:
    """Return how a file looks; an empty one counts as none, as SQLite removes its log when it is empty."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns] if found.st_size else None


def _look_at_server(note: IdleNote, config: Path) -> list[int] | None:
    if note.server is None:
        return None
    return read_mark(find_url(config))


def find_url(config: Path) -> str:
    """Return the database's URL by the environment or the settings file; "" if neither names one plainly."""
    named = os.environ.get("DIGEST_DATABASE__URL")
    if named or "DIGEST_DATABASE" in os.environ:
        return named or ""
    import tomllib

    table = tomllib.loads(config.read_text(encoding="utf-8-sig")).get("database", {})
    return str(table.get("url", ""))


def read_mark(url: str) -> list[int] | None:
    """Return a mark that every transaction that writes to the server changes, in whichever database.

    It holds the next transaction id (PostgreSQL, section 9.27.8), the cluster's identifier and its timeline:
    a cluster that was restored is another one, or on another timeline. Return None while a transaction that
    writes is under way, and if the server does not say.
    """
    try:
        import psycopg
    except ImportError:
        return None
    try:
        with psycopg.connect(
            _DRIVER.sub(r"\1://", url), autocommit=True, connect_timeout=_CONNECT_SECONDS
        ) as connection:
            row = connection.execute(_MARK).fetchone()
    except psycopg.Error:
        return None  # the whole run says what is wrong
    if row is None or row[0] != row[1]:
        return None
    return [int(row[0]), int(row[2]), int(row[3])]
