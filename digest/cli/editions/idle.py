"""A note that nothing is due, so that cron's `digest send` costs next to nothing in most minutes.

A run that did nothing, and leaves nothing to be done, writes into a file beside the settings until when that
stays so, and how every file that could change it looks. While they look the same, `digest send` ends at once.
Anything else (a write to the database, mail, other settings, another version) means a whole run. SQLite only:
no file says that a server's tables have changed. This module imports next to nothing.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from digest import __version__
from digest.clock import utc_now
from digest.private_files import write_private

_GRAIN = 0.05
"""Seconds within which a file system may give two writes the same time."""

Look = list[int] | None
"""A file's inode, size and time in nanoseconds; None if there is none."""


@dataclass(frozen=True, slots=True)
class IdleNote:
    """What a run without work found.

    `noted` and `until` are seconds since 1970, `said` is what the run printed.
    """

    version: str
    environment: str
    noted: float
    until: float
    said: list[str]
    files: dict[str, Look]


def is_still_idle(note: IdleNote, now: float, environment: str, files: dict[str, Look]) -> bool:
    """Return whether nothing has changed since a note was written, and its time has not come.

    A clock that was put back makes a note worthless.
    """
    return (
        note.noted <= now < note.until
        and (note.version, note.environment) == (__version__, environment)
        and note.files == files
    )


def end_if_idle(given: Sequence[str]) -> bool:
    """Do what `digest send` would, if a note says that it is nothing; return False if a run is needed."""
    config, quiet = _read_options(given[1:])
    if config is None:
        return False
    try:
        note = IdleNote(**json.loads(note_path(config).read_text(encoding="utf-8")))
        files = {name: _look(Path(name)) for name in note.files}
        is_idle = is_still_idle(note, utc_now().timestamp(), _environment(), files)
    except (OSError, ValueError, TypeError, AttributeError):
        return False  # there is no note, or not one that this version wrote
    if is_idle and not quiet:
        sys.stdout.write("".join(f"{line}\n" for line in note.said))
    return is_idle


def note_path(config: Path) -> Path:
    """Return the note's path: beside the settings, named after them."""
    return config.with_suffix(".idle")


def look_at(config: Path, database: Path, folders: Sequence[Path]) -> dict[str, Look] | None:
    """Return how the files look that say whether anything has changed: settings, database, mail.

    A time that is too recent to tell a later write apart is waited out. Return None if one lies in the
    future, because the clock was put back, and if there is no database by that name.
    """
    database = database.resolve()  # SQLite's log lies beside the file, not beside a link to it
    log = database.with_name(f"{database.name}-wal")
    watched = [config, config.with_suffix(".state"), database, *folders]
    while True:
        files = {str(path.absolute()): _look(path) for path in watched}
        files[str(log.absolute())] = _look(log)
        age = utc_now().timestamp() - max((look[2] for look in files.values() if look), default=0) / 1e9
        if age > _GRAIN:
            return files if files[str(database)] else None
        if age < 0:
            return None
        time.sleep(_GRAIN)


def write_note(config: Path, until: float, said: list[str], files: dict[str, Look]) -> None:
    """Write the note; a folder that cannot be written to has none."""
    note = IdleNote(__version__, _environment(), utc_now().timestamp(), until, said, files)
    aside = note_path(config).with_suffix(f".idle.{os.getpid()}")
    try:
        write_private(aside, json.dumps(asdict(note)).encode())
        aside.replace(note_path(config))
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()


def _read_options(given: Sequence[str]) -> tuple[Path | None, bool]:
    """Return the settings file and whether to print nothing; None for options that need a run."""
    config, quiet, rest = os.environ.get("DIGEST_CONFIG") or "config.toml", False, list(given)
    while rest:
        option = rest.pop(0)
        if option in ("--quiet", "-q"):
            quiet = True
        elif option == "--config" and rest:
            config = rest.pop(0)
        elif option.startswith("--config="):
            config = option.partition("=")[2]
        else:
            return None, quiet
    return Path(config), quiet


def _environment() -> str:
    """Return a fingerprint of the variables that override settings."""
    named = sorted((name, value) for name, value in os.environ.items() if name.startswith("DIGEST_"))
    return hashlib.sha256(repr(named).encode()).hexdigest()


def _look(path: Path) -> Look:
    """Return how a file looks; an empty one counts as none, as SQLite removes its log when it is empty."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns] if found.st_size else None
