"""The schedule: the next editions, and when they reach readers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.errors import InputError
from digest.models import EditionName, SubscriptionState
from digest.models.row import row_id
from digest.rules.editions import cadence as calendar
from digest.rules.editions.approval import name_moment, status_label, status_sentence
from digest.rules.editions.cadence import Occurrence
from digest.rules.readers.address import normalise
from digest.settings import DigestSettings, Settings
from digest.store.editions import drafts, editions, planning
from digest.store.editions.planning import ReaderHours
from digest.store.readers import subscribers
from digest.tasks.editions.coming import due_at, next_occurrence

_MOST = 400


@dataclass(frozen=True, slots=True)
class Arrival:
    """When an edition falls due for readers of one zone and hour, by their local clock."""

    zone: str
    at: datetime

    def facts(self) -> dict[str, str]:
        """Return it as JSON can hold it."""
        return {"zone": self.zone, "at": self.at.isoformat()}

    def __str__(self) -> str:
        local = self.at.astimezone(ZoneInfo(self.zone))
        return f"in {self.zone.rpartition('/')[2].replace('_', ' ')} at {local:%H:%M on %Y-%m-%d}"


def schedule(
    session: Session, settings: Settings, now: datetime, until: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the next editions of each cadence: one of each, or all up to `until`.

    A deadline that has passed belongs to an edition that is late: the next `digest send` makes it. `first`
    and `last` say where readers get it first and last, by the same rule as planning. `state` and `stands` say
    what editors have done about it, as the desk says it. A cadence "at once" has no deadline: its editions
    follow the news. Raise InputError for more editions of a cadence than anybody reads.
    """
    rows = []
    for digest in settings.digests:
        for name in digest.cadences:
            latest = editions.find_last(session, digest.name, name)
            hours = planning.list_reader_hours(session, digest.name, name)
            for coming in _coming(session, settings, digest, name, now, until):
                row = _row(settings, digest, name, coming) | {"latest": latest.period if latest else None}
                row |= _standing(session, settings, digest, name, coming, now)
                span = find_span(settings, digest, name, coming.deadline_at, hours)
                first, last = (one.facts() for one in span) if span else (None, None)
                rows.append(row | {"first": first, "last": last})
    return rows


def schedule_of(
    session: Session, settings: Settings, address: str, now: datetime, until: datetime | None = None
) -> list[dict[str, Any]]:
    """Return when a reader gets the next editions of their subscriptions; raise InputError for an unknown
    reader."""
    person = subscribers.find_subscriber(session, normalise(address).key)
    if person is None:
        raise InputError(f'there is no subscriber "{address}"; "digest subscribers list" shows them')
    rows = []
    for subscription in subscribers.list_subscriptions(session, row_id(person)):
        digest, cadence = settings.digest(subscription.digest), subscription.cadence
        if subscription.state != SubscriptionState.CONFIRMED or cadence not in digest.cadences:
            continue
        for coming in _coming(session, settings, digest, cadence, now, until):
            own = ReaderHours(person.timezone, subscription.hour, subscription.quiet)
            at = due_at(settings, digest, cadence, coming.deadline_at, *own)
            arrival = Arrival(person.timezone or settings.site.timezone, at).facts()
            is_at_once = digest.cadence(cadence).is_at_once
            rows.append(
                _row(settings, digest, cadence, coming) | {"reaches": None if is_at_once else arrival}
            )
    return rows


def _coming(
    session: Session,
    settings: Settings,
    digest: DigestSettings,
    cadence: str,
    now: datetime,
    until: datetime | None,
) -> Iterator[Occurrence]:
    coming = next_occurrence(session, settings, digest, cadence, now)
    yield coming
    recurrence = digest.cadence(cadence)
    if until is None or recurrence.is_at_once:
        return
    for _ in range(_MOST):
        coming = calendar.following(recurrence, max(now, coming.deadline_at), settings.zone)
        if coming.deadline_at > until:
            return
        yield coming
    last = coming.deadline_at.astimezone(settings.zone)
    raise InputError(
        f"until {until.astimezone(settings.zone):%Y-%m-%d}, {digest.name} {cadence} has more than {_MOST}"
        f" editions: name a moment before {last:%Y-%m-%d} with --until"
    )


def _row(settings: Settings, digest: DigestSettings, cadence: str, coming: Occurrence) -> dict[str, Any]:
    is_at_once = digest.cadence(cadence).is_at_once
    return {
        "digest": digest.name,
        "cadence": cadence,
        "written": digest.cadences[cadence],
        "min_articles": digest.min_articles,
        "max_wait_hours": digest.max_wait.total_seconds() / 3600 if digest.min_articles > 1 else None,
        "period": None if is_at_once else coming.period,
        "deadline_at": None if is_at_once else coming.deadline_at.astimezone(settings.zone).isoformat(),
    }


def _standing(
    session: Session,
    settings: Settings,
    digest: DigestSettings,
    cadence: str,
    coming: Occurrence,
    now: datetime,
) -> dict[str, Any]:
    if digest.cadence(cadence).is_at_once:
        return {"state": None, "stands": None}
    name = EditionName(digest.name, cadence, coming.period)
    draft = drafts.find_or_new_of(session, [name])[name]
    said = status_sentence(
        digest.approval, draft, None, coming.deadline_at, lambda at: name_moment(at, settings.zone), now
    )
    return {"state": status_label(digest.approval, draft, None), "stands": said}


def find_span(
    settings: Settings,
    digest: DigestSettings,
    cadence: str,
    deadline_at: datetime,
    hours: Sequence[ReaderHours],
) -> tuple[Arrival, Arrival] | None:
    """Return where readers get an edition first and where last; `hours` are when they want it.

    None where there are no readers, or the news and not the clock says when.
    """
    if not hours or digest.cadence(cadence).is_at_once:
        return None
    arrivals = [
        Arrival(one.zone or settings.site.timezone, due_at(settings, digest, cadence, deadline_at, *one))
        for one in hours
    ]
    first, last = (pick(arrivals, key=lambda one: (one.at, one.zone)) for pick in (min, max))
    return first, last
