"""The spool: a Maildir in which a message is durable before its sender is told that it was accepted.

It imports little, because a mail server's pipe starts a process for each message.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from digest.clock import utc_now

MOST_READ = 8_000_000
"""Bytes of a message that are read; what identifies it comes before that."""

_HELD = ("tmp", "new", "kept")


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder with `tmp`, `new` and `kept`; a file's name begins with the moment of its arrival."""

    folder: Path

    def deliver(self, chunks: Iterable[bytes], *, return_path: str | None = None, recipient: str = "") -> str:
        """Store a message durably and return its name: written and synced in `tmp`, then renamed into `new`.

        Return-Path and Delivered-To are prepended with the envelope, as final delivery does (RFC 5321 4.4).
        Raise OSError if it cannot be stored; nothing of it is then in `new`.
        """
        if not (self.folder / _HELD[-1]).is_dir():
            for name in _HELD:
                (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{utc_now().timestamp():.6f}.{os.getpid()}.{os.urandom(8).hex()}"
        aside = self.folder / "tmp" / name
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_envelope(return_path, recipient))
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(self.folder / "new" / name)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.unlink()
            raise
        _sync(self.folder / "new")
        return name

    def names(self, most: int) -> list[str]:
        """List the waiting messages, the oldest first."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(entry.name for entry in os.scandir(self.folder / "new") if entry.is_file())[:most]
        return []

    def read(self, name: str) -> bytes | None:
        """Read a waiting message; None if another process has taken it."""
        try:
            with (self.folder / "new" / name).open("rb") as file:
                return file.read(MOST_READ)
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove a message that was processed."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "new" / name).unlink()

    def keep(self, name: str) -> None:
        """Put aside a message that cannot be processed, for people to look at."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "new" / name).rename(self.folder / "kept" / name)


def read_chunks(file: int, size: int = 65_536) -> Iterator[bytes]:
    """Read an open file to its end in chunks."""
    while chunk := os.read(file, size):
        yield chunk


def _envelope(return_path: str | None, recipient: str) -> bytes:
    lines = []
    if return_path is not None:
        lines.append(f"Return-Path: <{_one_line(return_path).strip('<>')}>\n")
    if recipient:
        lines.append(f"Delivered-To: {_one_line(recipient).strip('<>')}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def _one_line(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:400]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def collect(maildir: Path, spool: Spool) -> int:
    """Move the messages of another program's Maildir into the spool; return how many there were.

    A message is removed there only when it is durable here; after a crash in between it is in both, and its
    key identifies it as one.
    """
    moved = 0
    for path in sorted((maildir / "new").glob("*")):
        with contextlib.suppress(FileNotFoundError):  # another process has moved it
            with path.open("rb") as file:
                spool.deliver(read_chunks(file.fileno()))
            path.unlink()
            moved += 1
    return moved
