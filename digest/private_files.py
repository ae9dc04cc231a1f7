"""Files that only their owner may read, because they contain addresses, tokens or secrets."""

import os
import stat
from pathlib import Path
from typing import IO

MODE = 0o600


def open_private(path: Path, *, encoding: str | None = None, newline: str | None = None) -> IO[str]:
    """Open a text file for writing that nobody else may read, from its first byte and whatever the umask.

    An existing file is emptied, and its mode restricted before anything is written. Raise OSError.
    """
    return os.fdopen(_open(path), "w", encoding=encoding or "utf-8", newline=newline)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else may read; see `open_private`."""
    with os.fdopen(_open(path), "wb") as file:
        file.write(content)


def open_lock(path: Path) -> IO[bytes]:
    """Open a file to be locked that nobody else may open, since whoever opens it can hold the lock."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, MODE), "wb")


def _open(path: Path) -> int:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
    try:
        if stat.S_ISREG(os.fstat(number).st_mode):  # a pipe or /dev/stdout keeps its mode
            os.fchmod(number, MODE)
    except OSError:
        os.close(number)
        raise
    return number
