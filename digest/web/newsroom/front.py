"""What the front page shows of the publication: the week ahead, growth, the last editions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from digest.models.ledger import DailyFigures
from digest.rules.delivery.bounce_score import is_above_line
from digest.settings import Settings
from digest.tasks.desk.agenda import EditionFilter, count_subscribed, list_entries
from digest.tasks.desk.calendar import CalendarEntry, list_calendar
from digest.tasks.figures.daily import list_figures
from digest.tasks.ledger.audit import account_of
from digest.web.desk.pages import DeskPages
from digest.web.newsroom.figures import Figure, draw_growth

_DAYS, _GROWTH, _EDITIONS = 7, 30, 6
_LOOKED_BACK = 7


@dataclass(frozen=True, slots=True)
class StripDay:
    """One day of the week ahead, with the hour and the number of readers of each edition."""

    date: date
    is_today: bool
    entries: tuple[tuple[CalendarEntry, str, int], ...]


@dataclass(frozen=True, slots=True)
class RecentEdition:
    """One of the last editions: its deliveries, and how many readers left the publication that day.

    `left` is None for a day that is not counted yet; the deliveries are None while they are being counted.
    """

    title: str
    path: str
    deadline_at: datetime
    state: str
    accepted: int | None
    failed: int | None
    remaining: int | None
    left: int | None


@dataclass(frozen=True, slots=True)
class ReturnedMail:
    """Messages of the last days that were refused or came back, of those that were tried."""

    messages: int
    tried: int

    @property
    def per_cent(self) -> float:
        """Return the share."""
        return 100 * self.messages / max(self.tried, 1)


class FrontValues:
    """Collects the front page's values; each takes a few queries, however many readers there are."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def __call__(self) -> dict[str, Any]:
        """Return the values for the page's template."""
        desk, now = self._front.desk, self._front.now()
        days = list_figures(desk.database, desk.settings, now)
        since = (now.astimezone(desk.settings.zone).date() - timedelta(days=_LOOKED_BACK)).isoformat()
        return {
            "strip": self._strip(now),
            "growth": grow(days),
            "recent": self._recent(days),
            "returned": find_returned([day for day in days if day.day >= since]),
        }

    def _strip(self, now: datetime) -> list[StripDay]:
        desk = self._front.desk
        zone, today = desk.settings.zone, now.astimezone(desk.settings.zone).date()
        dates = [today + timedelta(days=number) for number in range(_DAYS)]
        begin, end = (
            datetime.combine(one, time(), zone).astimezone(UTC) for one in (today, dates[-1] + timedelta(1))
        )
        with desk.database.read() as session:
            found = list_calendar(session, desk.settings, now, begin, end)
            readers = {
                key: count_subscribed(session, name)
                for key, name in {(one.name.digest, one.name.cadence): one.name for one in found}.items()
            }
        placed: dict[date, list[tuple[CalendarEntry, str, int]]] = {}
        for one in found:
            at = one.deadline_at.astimezone(zone)
            placed.setdefault(at.date(), []).append(
                (one, f"{at:%H:%M}", readers[one.name.digest, one.name.cadence])
            )
        return [StripDay(one, one == today, tuple(placed.get(one, ()))) for one in dates]

    def _recent(self, days: Sequence[DailyFigures]) -> list[RecentEdition]:
        desk = self._front.desk
        known = {told["name"]: told["states"] for day in days for told in day.counted["editions"]}
        left = {day.day: day.counted["acts"].get("left", 0) for day in days}
        found: list[RecentEdition] = []
        with desk.database.read() as session:
            entries, _ = list_entries(session, desk.settings, EditionFilter())
            for entry in entries:
                if entry.edition is None or entry.edition.frozen_at is None or len(found) == _EDITIONS:
                    continue
                states = known.get(str(entry.name))
                if states is None or entry.state != "finished":
                    states = desk.running.count_states(session, entry.edition, self._front.now(), waits=False)
                sums = account_of(entry.edition, states) if states is not None else None
                accepted, failed, remaining = (
                    (sums.accepted, sums.failed, sums.open) if sums else (None, None, None)
                )
                found.append(
                    RecentEdition(
                        f"{entry.digest.title}, {entry.name.cadence}", entry.name.path, entry.deadline_at,
                        entry.state, accepted, failed, remaining,
                        left.get(_day_of(entry.deadline_at, desk.settings)),
                    )
                )  # fmt: skip
        return found


def grow(days: Sequence[DailyFigures]) -> Figure | None:
    """Return the growth over the last days, with gains and losses; None before two days are counted."""
    counted = [day for day in days if "readers" in day.counted][-_GROWTH:]
    if len(counted) < 2:
        return None
    return draw_growth(counted)


def find_returned(days: Sequence[DailyFigures]) -> ReturnedMail | None:
    """Return how many messages of these days were refused or came back; None below the line."""
    editions = [one["states"] for day in days for one in day.counted["editions"]]
    failed = sum(states.get("failed", 0) for states in editions)
    tried = failed + sum(states.get("accepted", 0) for states in editions)
    returned = failed + sum(day.counted["acts"].get("bounced", 0) for day in days)
    return ReturnedMail(returned, tried) if is_above_line(returned, tried) else None


def _day_of(at: datetime, settings: Settings) -> str:
    return at.astimezone(settings.zone).date().isoformat()
