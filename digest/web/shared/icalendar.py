"""Write a calendar of editions that calendar programs subscribe to (iCalendar, RFC 5545).

Each edition is an event without length at its deadline. A program that asks again gets the same event under
the same UID with what has become of it.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from digest.models import EditionState
from digest.safe_text import printable
from digest.tasks.desk.calendar import CalendarEntry

_LONGEST_LINE = 75  # bytes, without the line's end (RFC 5545, section 3.1)
_STATES = {
    EditionState.DRAFT: "to be made",
    EditionState.HELD: "held",
    EditionState.COMPILING: "being made",
    EditionState.FROZEN: "being sent",
    EditionState.PAUSED: "paused",
    EditionState.FINISHED: "sent",
    EditionState.SKIPPED: "skipped",
}


def write_calendar(
    entries: Iterable[CalendarEntry], name: str, base_url: str, domain: str, now: datetime
) -> bytes:
    """Return the calendar as bytes; `domain` makes its events' UIDs unique in the world."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//newsletter-digest//editions//EN", "CALSCALE:GREGORIAN",
        f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
    ]  # fmt: skip
    for entry in entries:
        lines += _event(entry, base_url, domain, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _fold(line)).encode()


def describe(entry: CalendarEntry) -> str:
    """Return the status of an edition, and where readers get it first and last."""
    parts = [_STATES[EditionState(entry.state)]]
    if entry.needs_approval:
        parts[0] = "to be made once approved"
    if entry.arrivals is not None:
        first, last = entry.arrivals
        if first.at != last.at:
            parts.append(f"first {first}, last {last}")
        elif first.at != entry.deadline_at:
            parts.append(f"for all readers {first}")
    return "; ".join(parts)


def _event(entry: CalendarEntry, base_url: str, domain: str, now: datetime) -> list[str]:
    status = "TENTATIVE" if entry.needs_approval or entry.state == EditionState.HELD else "CONFIRMED"
    status = "CANCELLED" if entry.state == EditionState.SKIPPED else status
    url = [f"URL:{base_url}{entry.path}"] if entry.path else []
    return [
        "BEGIN:VEVENT",
        f"UID:{entry.name.argument.replace('/', '.').replace(':', '')}@{domain}",
        f"DTSTAMP:{_moment(now)}",
        f"DTSTART:{_moment(entry.deadline_at)}",
        f"SUMMARY:{_text(entry.title)}",
        f"DESCRIPTION:{_text(f'{entry.name.period}: {describe(entry)}')}",
        *url,
        f"STATUS:{status}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """Return a text as a property's value (RFC 5545, section 3.3.11)."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return printable("\\n".join(escaped.splitlines()))


def _fold(line: str) -> Iterator[str]:
    """Yield a line in parts of 75 bytes at most, each but the first after a blank; no letter is parted."""
    part, size = "", 0
    for char in line:
        width = len(char.encode())
        if size + width > _LONGEST_LINE:
            yield part
            part, size = " ", 1
        part, size = part + char, size + width
    yield part
