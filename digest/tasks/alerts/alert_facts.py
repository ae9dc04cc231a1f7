"""What alerts look at: editions, coming deadlines, sources, the disk."""

import re
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from sqlmodel import Session

from digest.models import Approval, Edition, EditionName, EditionState
from digest.models.row import row_id
from digest.rules.alerts import (
    BLOCK_SPAN,
    BlockedMail,
    DisabledReceiver,
    FailingSource,
    Watched,
    WatchedDeadline,
    WatchedEdition,
)
from digest.rules.editions.approval import why_held
from digest.settings import DigestSettings, Settings
from digest.store import alerts
from digest.store.articles.sources import known_sources
from digest.store.delivery import bounces
from digest.store.editions import drafts, editions
from digest.store.webhooks import outbox
from digest.tasks.editions.coming import next_occurrence
from digest.tasks.webhooks.receivers import host_of

FreeBytes = Callable[[Path], int]

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_WATCHED_STATES = (EditionState.HELD, EditionState.PAUSED, EditionState.COMPILING)


def free_bytes(folder: Path) -> int:
    """Return how many bytes are free on the disk that a folder is on."""
    return shutil.disk_usage(folder).free


def gather_facts(
    session: Session,
    settings: Settings,
    now: datetime,
    free: FreeBytes = free_bytes,
    *,
    was_full: bool = False,
) -> Watched:
    """Read all that conditions are found in; `was_full` says that the disk is known to be nearly full."""
    folder = database_folder(settings)
    return Watched(
        editions=_list_editions(session, settings),
        deadlines=_list_deadlines(session, settings, now),
        sources=_list_sources(session, settings),
        blocked=[BlockedMail(*one) for one in bounces.sum_blocked(session, now - BLOCK_SPAN)],
        receivers=[
            DisabledReceiver(row_id(one), host_of(one), one.disabled_why, f"/desk/api/webhooks/{one.id}")
            for one in outbox.list_given_up(session)
        ],
        disk=f"The disk that {folder} is on",
        free_bytes=free(folder),
        disk_was_full=was_full,
    )


def database_folder(settings: Settings) -> Path:
    """Return where the database is; with PostgreSQL, where the settings are and mail is taken in."""
    url = settings.database_url
    folder = Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite") else settings.folder
    return folder if folder.exists() else settings.folder


def _list_editions(session: Session, settings: Settings) -> list[WatchedEdition]:
    found = {row_id(edition): edition for edition in editions.list_editions(session, states=_WATCHED_STATES)}
    latest = {row_id(edition): edition for edition in editions.list_last_made(session)}
    found |= latest
    why = {key: _why_waiting(session, settings, edition) for key, edition in found.items()}
    return [
        _edition(session, settings, edition, why[key], is_latest=key in latest)
        for key, edition in found.items()
        if edition.state != EditionState.HELD or why[key]
    ]


def _why_waiting(session: Session, settings: Settings, edition: Edition) -> str:
    """Return why an edition waits; "" for a held one that somebody has approved or released since."""
    digest = next((one for one in settings.digests if one.name == edition.digest), None)
    if edition.state != EditionState.HELD or digest is None:
        return edition.reason
    return why_held(digest.approval, drafts.find_draft(session, *edition.name))


def _edition(
    session: Session, settings: Settings, edition: Edition, reason: str, *, is_latest: bool
) -> WatchedEdition:
    name = edition.name
    digest = next((one for one in settings.digests if one.name == name.digest), None)
    is_clocked = (
        digest is not None and name.cadence in digest.cadences and not digest.cadence(name.cadence).is_at_once
    )
    return WatchedEdition(
        id=row_id(edition),
        name=name_of(settings, name),
        cadence_name=name_of(settings, name).rpartition(", ")[0],
        path=name.path if digest is not None else "",
        state=edition.state,
        reason=reason,
        deadline_at=edition.deadline_at,
        freeze_at=edition.freeze_at,
        is_latest=is_latest,
        is_empty=is_latest and is_clocked and alerts.is_empty(session, edition),
    )


def name_of(settings: Settings, name: EditionName) -> str:
    """Return an edition's name as people read it: `World Briefing, daily, 2026-11-26`."""
    title = next((one.title for one in settings.digests if one.name == name.digest), name.digest)
    return f"{title}, {name.cadence}, {_say_period(name.period)}"


def _say_period(period: str) -> str:
    """Return a period as people say it: "2026-W48" is `week of 23 November 2026`, a date is a date."""
    week = _WEEK.fullmatch(period)
    if week is None:
        return period
    monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
    return f"week of {monday.day} {monday:%B %Y}"


def _list_deadlines(session: Session, settings: Settings, now: datetime) -> list[WatchedDeadline]:
    """List the next edition of each cadence, or the one that is late; what is new at once has no deadline."""
    return [
        _deadline(session, settings, digest, cadence, now)
        for digest in settings.digests
        for cadence in digest.cadences
        if not digest.cadence(cadence).is_at_once
    ]


def _deadline(
    session: Session, settings: Settings, digest: DigestSettings, cadence: str, now: datetime
) -> WatchedDeadline:
    coming = next_occurrence(session, settings, digest, cadence, now)
    name = EditionName(digest.name, cadence, coming.period)
    remind_at = None
    if digest.approval == Approval.REQUIRE:
        draft = drafts.find_draft(session, *name)
        if digest.approval_reminder and why_held(digest.approval, draft):
            remind_at = coming.deadline_at - digest.approval_reminder
    return WatchedDeadline(str(name), name_of(settings, name), name.path, coming.deadline_at, remind_at)


def _list_sources(session: Session, settings: Settings) -> list[FailingSource]:
    urls = {source.name: source.url for source in known_sources(session, settings)}
    return [
        FailingSource(
            row.name, row.failures, row.last_success_at, row.stopped_at is not None, row.last_error or ""
        )
        for row in alerts.list_failing_sources(session)
        if urls.get(row.name) == row.url
    ]
