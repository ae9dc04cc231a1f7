"""The calendar of editions: a page for each month, and a feed for editors' calendar programs."""

import re
from calendar import Calendar
from dataclasses import dataclass
from datetime import date, time, timedelta

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.models import CalendarLink
from digest.rules.editions.cadence import instant
from digest.tasks.desk.calendar import (
    CalendarEntry,
    find_feed,
    find_link_of,
    list_calendar,
    make_link,
    revoke_link,
)
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages
from digest.web.shared.conditional import answer
from digest.web.shared.icalendar import describe, write_calendar

CALENDAR = f"{HOME}/calendar"
YEARS_AHEAD = 2
_MONTH = re.compile(r"(20\d\d|21\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day of a month's table; days of the neighbouring months have no entries."""

    date: date
    is_in_month: bool
    is_today: bool
    entries: tuple[tuple[CalendarEntry, str, str], ...]


class CalendarPages:
    """The month, and each editor's own calendar feed."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def month(self, request: Request) -> Response:
        """Show a month: editions made, and editions to come."""
        return self._show(request)

    def make(self, request: Request) -> Response:
        """Create a calendar feed and show its address once; the editor's former feed ends.

        The form names the feed that it replaces, so that posting it twice (a reload) ends no other feed.
        """
        front = self._front
        if front.get(request, "replaces") != _name_of(find_link_of(front.desk, front.visit(request).editor)):
            return front.go(CALENDAR, "feed-made", "feed")
        token = make_link(self._front.desk, self._front.visit(request).editor, self._front.now())
        base = self._front.desk.settings.site.base_url
        return self._show(request, made=f"{base}/calendar/{token}.ics")

    def revoke(self, request: Request) -> Response:
        """Revoke a calendar feed."""
        revoke_link(self._front.desk, self._front.visit(request).editor)
        return self._front.go(CALENDAR, "revoked", "feed")

    def feed(self, request: Request, token: str) -> Response:
        """Return the calendar of a feed's token; 404 for a revoked one."""
        front = self._front
        now, site = front.now(), front.desk.settings.site
        entries = find_feed(front.desk, token, now)
        if entries is None:
            raise HTTPException(404)
        stamped = now.replace(hour=0, minute=0, second=0, microsecond=0)  # so that a day's answers are alike
        content = write_calendar(entries, f"{site.name}: editions", site.base_url, site.from_domain, stamped)
        found = answer(request, content, "text/calendar; charset=utf-8", None)
        found.headers["Cache-Control"] = "private, no-cache"
        return found

    def _show(self, request: Request, made: str = "") -> Response:
        front, now = self._front, self._front.now()
        zone = front.desk.settings.zone
        today = now.astimezone(zone).date()
        first = _read_month(request.query_params.get("month", ""), today)
        weeks = Calendar().monthdatescalendar(first.year, first.month)
        following = (first + timedelta(days=31)).replace(day=1)
        since, until = (instant(day, time(), zone) for day in (first, following))
        with front.desk.database.read() as session:
            entries = list_calendar(session, front.desk.settings, now, since, until)
        by_day: dict[date, list[tuple[CalendarEntry, str, str]]] = {}
        for entry in entries:
            local = entry.deadline_at.astimezone(zone)
            by_day.setdefault(local.date(), []).append((entry, f"{local:%H:%M}", describe(entry)))
        link = find_link_of(front.desk, front.visit(request).editor)
        days = [
            [
                CalendarDay(day, day.month == first.month, day == today, tuple(by_day.get(day, ())))
                for day in week
            ]
            for week in weeks
        ]
        return front.show(
            request,
            "calendar",
            title="Calendar",
            weeks=days,
            month=first,
            before=(first - timedelta(days=1)).replace(day=1),
            following=following if first < _last_month(today) else None,
            zone=str(zone),
            made=made,
            link=link,
            replaces=_name_of(link),
        )


def _read_month(text: str, today: date) -> date:
    """Return the first day of a month such as 2026-11, at most two years ahead; of the current month for any
    other text."""
    current = today.replace(day=1)
    wanted = date.fromisoformat(f"{text}-01") if _MONTH.fullmatch(text) else current
    return min(wanted, _last_month(today))


def _last_month(today: date) -> date:
    """Return the first day of the last month that is shown."""
    return today.replace(year=today.year + YEARS_AHEAD, day=1)


def _name_of(link: CalendarLink | None) -> str:
    """Return how a form names the calendar feed that it replaces; "" for none."""
    return link.made_at.isoformat() if link else ""
