"""Read files and folders; every error names the path and the remedy."""

import stat
from collections.abc import Iterator
from pathlib import Path

from digest.articles.parsed import Rejected
from digest.errors import InputError

_ENDINGS = {".md", ".markdown", ".mdx", ".txt", ".html", ".htm", ".xhtml", ".mht", ".mhtml"}
_MAX_BYTES = 10_000_000


def read_file(path: Path, max_bytes: int = _MAX_BYTES) -> bytes:
    """Read one file; raise InputError if it is missing, unreadable or too large."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a file; give the path of one")
        if status.st_size > max_bytes:
            raise InputError(f"{path} is larger than {max_bytes:,} bytes; give a smaller file")
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {(error.strerror or 'unknown').lower()}; check the path and its mode"
        ) from None


def read_folder(path: Path, rejected: list[Rejected] | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield the articles of a folder, sorted; hidden files, and links that leave the folder, are skipped.

    A file that cannot be read is added to `rejected`, and reading continues; without that list the error is
    raised.
    """
    if not path.is_dir():
        raise InputError(f"{path} is not a folder; give the path of one with articles in it")
    root = path.resolve()
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or file.suffix.lower() not in _ENDINGS or not file.is_file():
            continue
        if not file.resolve().is_relative_to(root):
            continue
        name = relative.as_posix().encode("utf-8", "replace").decode()
        try:
            content = read_file(file)
        except InputError as error:
            if rejected is None:
                raise
            rejected.append(Rejected(name, str(error)))
        else:
            yield name, content
