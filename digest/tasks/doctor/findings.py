"""What an examination says: one line a fact, with its remedy."""

from dataclasses import dataclass

from digest.models.status import Status
from digest.safe_text import printable

_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact: which check, how it is to be taken, what was found, and what to do about it."""

    check: str
    status: Status
    found: str
    remedy: str = ""


def ok(check: str, found: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(check, Status.OK, _clean(found))


def warn(check: str, found: str, remedy: str) -> Finding:
    """Say that something works and should be better."""
    return Finding(check, Status.WARN, _clean(found), _clean(remedy))


def fail(check: str, found: str, remedy: str) -> Finding:
    """Say that something does not work."""
    return Finding(check, Status.FAIL, _clean(found), _clean(remedy))


def _clean(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
