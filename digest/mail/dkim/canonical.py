"""The relaxed canonical forms that a signature covers: changes that relays commonly make do not break it."""

import hashlib
import re

_BLANKS = re.compile(rb"[ \t]+")


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """Return a header field in its relaxed form, without its CRLF (RFC 6376 3.4.2)."""
    unfolded = value.replace(b"\r\n", b"")
    if b"  " in unfolded or b"\t" in unfolded:
        unfolded = _BLANKS.sub(b" ", unfolded)
    return name.rstrip(b" \t").lower() + b":" + unfolded.strip(b" ")


class BodyHash:
    """The SHA-256 of a body that is already in relaxed form, computed incrementally.

    The common beginning of many bodies is hashed once, and each continues from a copy. Composed bodies are in
    relaxed form (RFC 6376 3.4.4).
    """

    __slots__ = ("_hash",)

    def __init__(self, *pieces: bytes) -> None:
        self._hash = hashlib.sha256()
        self.add(*pieces)

    def add(self, *pieces: bytes) -> None:
        """Hash more of the body."""
        for piece in pieces:
            self._hash.update(piece)

    def copy(self) -> "BodyHash":
        """Return an independent copy."""
        other = BodyHash.__new__(BodyHash)
        other._hash = self._hash.copy()
        return other

    def digest(self, *pieces: bytes) -> bytes:
        """Return the SHA-256 of what was added followed by these pieces, which are not added."""
        if not pieces:
            return self._hash.digest()
        whole = self._hash.copy()
        for piece in pieces:
            whole.update(piece)
        return whole.digest()
