"""Walk every change of every zone with every kind of cadence: `python -m tests.faults.zones [FIRST LAST]`.

Each local date that exists fires once at each of its times. A time that the zone skips fires at the gap's first
valid instant, a time that it has twice the first time only.
"""

import sys
import time as clock
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from digest.models.cadence import Cadence
from digest.rules.editions import cadence as calendar

KINDS = (
    "07:00", "00:00", "00:30, 02:30, 23:59", "Mon 02:15", "Mon-Fri 01:30", "Sat, Sun 02:00", "1 00:00", "last 23:30",
    "first Sun 02:30", "last Sun 01:00", "every 2 weeks Sun 02:30 from 2000-01-02", "*/30 0-3 * * *",
)  # fmt: skip
CADENCES = tuple(Cadence.parse("x", text) for text in KINDS)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def changes(zone: ZoneInfo, first: int, last: int) -> Iterator[date]:
    """Yield the local dates on which a zone's offset changes, or that follow one that does not exist."""
    moment, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    offset = moment.astimezone(zone).utcoffset()
    while moment < end:
        moment += DAY
        local = moment.astimezone(zone)
        if local.utcoffset() != offset:
            offset = local.utcoffset()
            yield local.date()


def faults_on(day: date, zone: ZoneInfo, cadences: Iterable[Cadence] = CADENCES) -> Iterator[str]:
    """Yield what is wrong with the occurrences of one local date."""
    midnight = calendar.instant(day, time(), zone)
    exists = midnight.astimezone(zone).date() == day
    for cadence in cadences:
        found = calendar.occurrences_on(cadence, day, zone)
        expected = len(cadence.times) if exists and cadence.is_on(day) else 0
        if len(found) != expected:
            yield f"{zone} {day} {cadence.text}: {len(found)} occurrences, not {expected}"
        for at, occurrence in zip(cadence.times, found, strict=False):
            if not is_first_instant(occurrence.deadline_at, datetime.combine(day, at), zone):
                yield f"{zone} {day} {cadence.text}: fires at {occurrence.deadline_at}"


def is_first_instant(moment: datetime, wanted: datetime, zone: ZoneInfo) -> bool:
    """Return whether a moment is the first at which a zone's clocks show a local time, or skip it."""
    local = moment.astimezone(zone)
    shown, before = local.replace(tzinfo=None), (moment - SECOND).astimezone(zone).replace(tzinfo=None)
    return (local.fold == 0 if shown == wanted else shown > wanted) and before < wanted


def main(first: int = 2000, last: int = 2037) -> int:
    """Walk all zones and print what was seen."""
    began, zones, seen, checked = clock.monotonic(), sorted(available_timezones()), 0, 0
    faults: list[str] = []
    for name in zones:
        zone = ZoneInfo(name)
        for day in changes(zone, first, last):
            seen += 1
            for ahead in (-2, -1, 0, 1):
                checked += len(CADENCES)
                faults.extend(faults_on(day + ahead * DAY, zone))
    took = clock.monotonic() - began
    print(  # noqa: T201
        f"{len(zones)} zones, {seen} changes from {first} to {last}, {checked} dates of {len(CADENCES)} cadences"
    )
    print(  # noqa: T201
        f"{len(faults)} faults in {took:.0f} s"
    )
    print(  # noqa: T201
        *faults[:20], sep="\n"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
