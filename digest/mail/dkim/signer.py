"""Sign messages with DKIM; the same message at the same moment gets the same bytes (RFC 6376)."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import cycle
from typing import NamedTuple

from digest.mail.dkim.canonical import relaxed_field
from digest.mail.dkim.keys import SigningKey

_MAX_LINE = 78
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\r]*(?:\r(?!\n)[^\r]*|\r\n[ \t][^\r]*)*)\r\n")
_SIGNED = frozenset(
    b"from to cc subject date message-id reply-to sender in-reply-to references mime-version content-type"
    b" content-transfer-encoding auto-submitted feedback-id".split()
)
_OVERSIGNED = b":".join(
    b"from subject to cc reply-to date message-id mime-version content-type content-transfer-encoding".split()
    + b"auto-submitted list-id list-unsubscribe list-unsubscribe-post list-help list-owner".split()
    + b"list-archive list-post".split()
)
"""Fields that are listed once more than they occur, so that adding one breaks the signature (RFC 6376
8.15). Not `Sender`, which relays add."""


class Unsigned(NamedTuple):
    """What a message's signatures need: for each key the field up to its signature, and what to sign.

    Signing takes longer than all else about a message, so it may be done elsewhere: `fields([256 bytes])` of
    `Unsigned([b" v=1; a=..."], [32 bytes])` is `b"DKIM-Signature: v=1; a=..."`.
    """

    openings: list[bytes]
    digests: list[bytes]

    def fields(self, signatures: Iterable[bytes]) -> bytes:
        """Return the DKIM-Signature fields, from a signature of each digest."""
        return b"".join(
            b"DKIM-Signature:" + opening + _folded(base64.b64encode(signature)) + b"\r\n"
            for opening, signature in zip(self.openings, signatures, strict=True)
        )


class Signer:
    """Signs with each of its keys; an instance may be used by many threads at once."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self.keys = tuple(keys)

    def sign(self, head: bytes, body_digest: bytes, at: datetime) -> bytes:
        """Return the DKIM-Signature fields to put before a head (RFC 6376 3.5, 3.7).

        `head` are the header fields with their CRLF, with or without the empty line after them; `body_digest`
        is the SHA-256 of the body's relaxed form. `at` is the moment when the message was composed, so that a
        repeat has the same bytes. There is no `l=`: anything added to the body breaks the signature.
        """
        unsigned = self.prepare(head, body_digest, at)
        return unsigned.fields(sign_all(self.keys, unsigned.digests))

    def prepare(self, head: bytes, body_digest: bytes, at: datetime) -> Unsigned:
        """Return what to sign, with what `sign` is given."""
        names, content = _signed_fields(head)
        body = base64.b64encode(body_digest)
        moment = int(at.timestamp())
        unsigned = Unsigned([], [])
        for key in self.keys:
            opening = _opening(key.algorithm.encode(), key.domain.encode(), key.selector.encode(), names) % (
                moment,
                body,
            )
            unsigned.openings.append(opening)
            covered = content + relaxed_field(b"dkim-signature", opening)
            unsigned.digests.append(hashlib.sha256(covered).digest())
        return unsigned


def sign_all(keys: Sequence[SigningKey], digests: Iterable[bytes]) -> list[bytes]:
    """Return the signatures of digests, which are those of one message after another, a key each."""
    return [key.sign(digest) for key, digest in zip(cycle(keys), digests, strict=False)]


def _signed_fields(head: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Return the names to list and their relaxed fields; a repeated field is taken from the last one upwards.

    All fields that describe the list are signed, as one-click unsubscribing requires (RFC 8058 4).
    """
    names, fields = [], []
    for name, value in reversed(_FIELD.findall(head)):
        lower, field = _signed_field(name, value)
        if lower:
            names.append(lower)
            fields.append(field)
    return tuple(names), b"".join(fields)


@lru_cache(maxsize=256)
def _signed_field(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a field's name and relaxed form, both empty if it is not signed; cached, as most are common
    to all."""
    lower = name.lower()
    if lower in _SIGNED or lower.startswith(b"list-"):
        return lower, relaxed_field(name, value) + b"\r\n"
    return b"", b""


@lru_cache(maxsize=256)
def _opening(algorithm: bytes, domain: bytes, selector: bytes, names: tuple[bytes, ...]) -> bytes:
    """Return the signature field up to its empty `b=`, with places for the time and the body's hash."""
    first = b" v=1; a=%s; c=relaxed/relaxed; d=%s;\r\n s=%s; t=%%d;\r\n" % (algorithm, domain, selector)
    listed = b":".join((*names, _OVERSIGNED))
    return first + _folded_names(b" h=" + listed + b";") + b"\r\n bh=%s;\r\n b="


def _folded_names(line: bytes) -> bytes:
    """Fold a list of names after a colon (RFC 6376 3.5, `h=`)."""
    lines = []
    while len(line) > _MAX_LINE:
        cut = line.rfind(b":", 0, _MAX_LINE) + 1
        lines.append(line[:cut])
        line = b" " + line[cut:]
    return b"\r\n".join((*lines, line))


def _folded(signature: bytes) -> bytes:
    """Fold base64, in which white space is allowed anywhere (RFC 6376 3.5, `b=`)."""
    width = _MAX_LINE - len(b" b=")
    return b"\r\n ".join(signature[start : start + width] for start in range(0, len(signature), width))
