"""A pause as a form has it: a length from a list, or the day on which it ends."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.errors import InputError
from digest.safe_text import printable
from digest.web.shared.forms import Submitted

PAUSES = {"1": 1, "2": 2, "4": 4, "12": 12}
"""The pauses on offer, in weeks; "open" lasts until the reader resumes."""

LONGEST_PAUSE = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class TypedPause:
    """What a reader typed about a pause, to be shown again; `wrong` if its day cannot be taken."""

    chosen: str = ""
    day: str = ""
    wrong: bool = False

    def differs(self, *, paused: bool) -> bool:
        """Return whether it is other than what a page says by itself."""
        return bool(self.day.strip()) or self.chosen not in ("", "keep" if paused else "none")


def read_pause(form: Submitted, name: str, now: datetime, zone: str) -> tuple[bool | None, datetime | None]:
    """Return whether a form pauses, and until when; None if it changes nothing about pauses.

    A date has precedence over the list, and ends the pause at its first instant. Raise InputError for an
    invalid date, one that has passed, or one more than two years away.
    """
    written = form.get(f"{name}-date").strip()
    if written:
        try:
            until = datetime.combine(date.fromisoformat(written), time(), ZoneInfo(zone))
        except ValueError:
            raise InputError(f'"{printable(written)[:40]}" is not a date: write 2026-12-24') from None
        if not now < until < now + LONGEST_PAUSE:
            raise InputError(f"{written} is not an end of a pause: pick a day within two years")
        return True, until
    chosen = form.get(name, "keep")
    if chosen in PAUSES:
        return True, now + timedelta(weeks=PAUSES[chosen])
    return {"open": True, "none": False}.get(chosen), None


def retype_pause(form: Submitted, name: str, now: datetime, zone: str) -> TypedPause:
    """Return what a form says about a pause, as it was typed."""
    try:
        read_pause(form, name, now, zone)
    except InputError:
        wrong = True
    else:
        wrong = False
    return TypedPause(form.get(name), form.get(f"{name}-date"), wrong)


def list_days(now: datetime, zone: str) -> tuple[str, str]:
    """Return the first and the last day on which a pause may end, for the bounds of a date field."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return (today + timedelta(days=1)).isoformat(), (today + LONGEST_PAUSE - timedelta(days=1)).isoformat()
