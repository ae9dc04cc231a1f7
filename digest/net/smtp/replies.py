"""Parse SMTP replies strictly, without input or output (RFC 5321 4.2)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from digest.models import Reply, Stage

MAX_LINE = 4096
MAX_REPLY = 65_536
_SHORT = 100
_SHORT_CHUNK = 300
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")


class BadReplyError(Exception):
    """The server's bytes are not an SMTP reply; the connection must not be used again."""


class ReplyReader:
    """Collects bytes and returns complete replies; `redact` removes secrets from their texts."""

    def __init__(self, redact: Callable[[str], str] | None = None) -> None:
        self.redact = redact
        self._buffer = b""
        self._lines: list[bytes] = []
        self._code = b""
        self._size = 0

    @property
    def pending(self) -> bool:
        """Return whether bytes have been read that are not a complete reply yet."""
        return bool(self._buffer or self._lines)

    def feed(self, received: bytes) -> list[Reply]:
        """Read bytes and return the replies that they complete; raise BadReplyError for anything else."""
        return list(self.iterate(received))

    def iterate(self, received: bytes) -> Iterator[Reply]:
        """Iterate over the replies, so that those before a bad one still count."""
        if self.redact is None:
            return self._iterate(received)
        return map(self._redacted, self._iterate(received))

    def _redacted(self, reply: Reply) -> Reply:
        assert self.redact is not None  # noqa: S101 - `iterate` asks
        text = self.redact(reply.text)
        return reply if text == reply.text else replace(reply, text=text)

    def _iterate(self, received: bytes) -> Iterator[Reply]:
        if not (self._buffer or self._lines):
            known = _whole_replies(received) if len(received) < _SHORT_CHUNK else None
            if known is not None:
                yield from known
                return
        lines = (self._buffer + received).split(b"\n")
        self._buffer = lines.pop()
        for line in lines:
            line = line.removesuffix(b"\r")
            whole = None if self._lines else _whole_reply(line)
            if whole is not None:
                yield whole
            elif self._take(line):
                yield self._finish()
        if len(self._buffer) > MAX_REPLY:
            raise BadReplyError("a reply line without an end")

    def _take(self, line: bytes) -> bool:
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadReplyError("a line that is not a reply")
        code, separator, text = match.groups()
        if self._lines and code != self._code:
            raise BadReplyError("a reply whose lines have different codes")
        self._code = code
        self._size += len(line)
        if self._size > MAX_REPLY:
            raise BadReplyError("a reply without an end")
        self._lines.append((text or b"")[:MAX_LINE])
        return bool(separator != b"-")

    def _finish(self) -> Reply:
        code, lines = int(self._code), self._lines
        self._lines, self._code, self._size = [], b"", 0
        return _reply(code, lines)


@lru_cache(maxsize=256)
def _whole_replies(received: bytes) -> tuple[Reply, ...] | None:
    """Return the replies of a chunk that consists of complete, short ones; None for any other."""
    if not received.endswith(b"\n"):
        return None
    found = [_whole_reply(line.removesuffix(b"\r")) for line in received[:-1].split(b"\n")]
    return None if None in found else tuple(reply for reply in found if reply is not None)


@lru_cache(maxsize=256)
def _whole_reply(line: bytes) -> Reply | None:
    """Return the reply of one short line, None for any other; cached, as servers repeat themselves
    thousands of times."""
    match = _LINE.fullmatch(line) if len(line) < _SHORT else None
    return None if match is None or match[2] == b"-" else _reply(int(match[1]), [match[3] or b""])


def _reply(code: int, lines: list[bytes]) -> Reply:
    texts = [_clean(line) for line in lines]
    match = _ENHANCED.match(texts[0])
    enhanced = match[1] if match and match[1][0] == str(code)[0] else ""
    if enhanced:
        texts = [text.removeprefix(enhanced).strip() for text in texts]
    return Reply(code, enhanced, "\n".join(texts) if code < 300 else " ".join(filter(None, texts)))


def _clean(line: bytes) -> str:
    """Return a line as text that is safe to log: no control characters, no invalid UTF-8."""
    text = line.decode("utf-8", "replace")
    if text.isprintable():
        return text.strip()
    return "".join(char if char.isprintable() else "\ufffd" for char in text).strip()


@dataclass(frozen=True, slots=True)
class Ask:
    """The next bytes to write, and the step whose reply to wait for.

    `upgrade` asks for TLS before anything is written; `ends` marks the bytes that contain the final dot.
    """

    stage: Stage
    write: bytes = b""
    upgrade: bool = False
    ends: bool = False
