"""Findings: one line for each fact, with its remedy."""

from dataclasses import dataclass

from digest.models.status import Status
from digest.safe_text import printable

_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact: the check, its status, what was found, and what to do about it."""

    check: str
    status: Status
    found: str
    remedy: str = ""


def ok(check: str, found: str) -> Finding:
    """Return a finding that something is right."""
    return Finding(check, Status.OK, _clean(found))


def warn(check: str, found: str, remedy: str) -> Finding:
    """Return a finding that something works but should be better."""
    return Finding(check, Status.WARN, _clean(found), _clean(remedy))


def fail(check: str, found: str, remedy: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(check, Status.FAIL, _clean(found), _clean(remedy))


def _clean(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
