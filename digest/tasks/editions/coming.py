"""Which edition of a cadence is next: one answer for preview, the desk, the schedule and explanations."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.models import EditionState
from digest.rules.editions import cadence as calendar
from digest.rules.editions.cadence import Occurrence
from digest.settings import DigestSettings, Settings
from digest.store.editions import editions


def next_occurrence(
    session: Session, settings: Settings, digest: DigestSettings, cadence: str, now: datetime
) -> Occurrence:
    """Return the occurrence that compiling makes next.

    If an edition is unmade although its deadline has passed, that is the one: the next `digest send` makes it
    late. Otherwise it is the first one to come, without those that `digest send --now` made before their
    deadline. A cadence that has never run is never late.
    """
    late = _find_late(session, settings, digest, cadence, now)
    if late is not None:
        return late
    recurrence = digest.cadence(cadence)
    found = calendar.following(recurrence, now, settings.zone)
    while editions.find_edition(session, digest.name, cadence, found.period) is not None:
        found = calendar.following(recurrence, found.deadline_at, settings.zone)
    return found


def list_deadlines(session: Session, settings: Settings, now: datetime) -> list[datetime]:
    """Return when each cadence's next edition is made, a late one's deadline included; what goes out as it
    happens has none."""
    return [
        next_occurrence(session, settings, digest, cadence, now).deadline_at
        for digest in settings.digests
        for cadence in digest.cadences
        if not digest.cadence(cadence).is_at_once
    ]


def next_open(
    session: Session, settings: Settings, digest: DigestSettings, cadence: str, now: datetime
) -> Occurrence:
    """Return the edition that readers can get next: one that is held, else a late one, else the next.

    If none is held or late, the edition that `digest send --now` would make comes first. That is the next
    one, until a cadence has run for a whole period: a weekly one that began on a Tuesday does not owe that
    week's edition, but `--now` makes it all the same.
    """
    held = _find_held(session, digest, cadence)
    if held is not None:
        return held
    late = _find_late(session, settings, digest, cadence, now)
    at_once = calendar.current(digest.cadence(cadence), now, settings.zone)
    if late is None and editions.find_edition(session, digest.name, cadence, at_once.period) is None:
        return at_once
    return late or next_occurrence(session, settings, digest, cadence, now)


def list_holdable(
    session: Session, settings: Settings, digest: DigestSettings, cadence: str, now: datetime
) -> list[Occurrence]:
    """Return what a hold or its release is about: the edition that is held, else the next one.

    Before a cadence's first deadline these may be two: the one that only `digest send --now` makes, and the
    one that is made at its deadline.
    """
    held = _find_held(session, digest, cadence)
    if held is not None:
        return [held]
    found = [find(session, settings, digest, cadence, now) for find in (next_open, next_occurrence)]
    return list({one.period: one for one in found}.values())


def _find_held(session: Session, digest: DigestSettings, cadence: str) -> Occurrence | None:
    held = editions.list_editions(session, digest=digest.name, states=[EditionState.HELD])
    mine = [edition for edition in held if edition.cadence == cadence]
    return Occurrence(mine[-1].period, mine[-1].deadline_at) if mine else None


def _find_late(
    session: Session, settings: Settings, digest: DigestSettings, cadence: str, now: datetime
) -> Occurrence | None:
    started = editions.find_start(session, digest.name, cadence) or now
    last = editions.last_deadline(session, digest.name, cadence)
    found = calendar.due(digest.cadence(cadence), max(started, last or started), now, settings.zone)
    return found.occurrence if found else None


def due_at(
    settings: Settings,
    digest: DigestSettings,
    cadence: str,
    deadline_at: datetime,
    zone: str | None,
    hour: int | None,
    quiet: str | None = None,
) -> datetime:
    """Return when an edition falls due for readers of a zone and an hour, outside of their quiet hours."""
    recurrence, own = digest.cadence(cadence), ZoneInfo(zone) if zone else None
    moment = calendar.reader_due_at(recurrence, deadline_at, own, hour, settings.zone)
    return calendar.after_quiet(moment, digest.quiet_hours(recurrence, quiet), own or settings.zone)
