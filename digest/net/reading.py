"""Read files and folders; every failure names the path and the remedy."""

from collections.abc import Iterator
from pathlib import Path

from digest.errors import InputError

_ENDINGS = {".md", ".markdown", ".txt", ".html", ".htm"}
_MAX_BYTES = 10_000_000


def read_file(path: Path, max_bytes: int = _MAX_BYTES) -> bytes:
    """Read one file; raise InputError where it is missing, unreadable or too large."""
    try:
        if path.stat().st_size > max_bytes:
            raise InputError(f"{path} is larger than {max_bytes // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or 'unknown').lower()}") from None


def read_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    """Give the articles of a folder, sorted: hidden files and links that leave the folder are not read."""
    root = path.resolve()
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or file.suffix.lower() not in _ENDINGS or not file.is_file():
            continue
        if file.resolve().is_relative_to(root):
            yield relative.as_posix(), read_file(file)
