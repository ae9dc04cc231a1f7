"""The health of each configured source: its last success and failure, and its next fetch."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digest.errors import InputError
from digest.models import Source
from digest.safe_text import without_login
from digest.settings import Settings, SourceSettings
from digest.store.articles import articles
from digest.store.database import Database

_HEALTH = (
    "last_success_at",
    "last_error_at",
    "last_error",
    "failures",
    "next_fetch_at",
    "stopped_at",
    "paused_at",
)


def list_sources(database: Database, settings: Settings) -> list[dict[str, Any]]:
    """Return the sources in the settings' order, each with its state and the results of its fetches."""
    with database.read() as session:
        known = articles.sources_by_name(session)
    return [_row(source, known.get(source.name)) for source in settings.sources]


@dataclass(frozen=True, slots=True)
class BackOff:
    """A failing source that is not requested for now: until when, or None if it was stopped; and why."""

    source: str
    until: datetime | None
    failures: int
    why: str


def list_backed_off(database: Database, settings: Settings, now: datetime) -> list[BackOff]:
    """Return the sources that a fetch skips because their last attempts failed."""
    with database.read() as session:
        known = articles.sources_by_name(session)
    rows = [
        known[one.name] for one in settings.sources if one.name in known and known[one.name].url == one.url
    ]
    return [
        BackOff(row.name, row.next_fetch_at, row.failures, row.last_error or "")
        for row in rows
        if row.failures and (row.stopped_at or (row.next_fetch_at and row.next_fetch_at > now))
    ]


def pause_source(database: Database, settings: Settings, name: str, who: str, now: datetime) -> None:
    """Request a source no more until somebody resumes it; its articles stay."""
    _change(database, settings, name, {"paused_at": now, "paused_by": who})


def resume_source(database: Database, settings: Settings, name: str) -> None:
    """Request a source again, from the next run on."""
    none = dict.fromkeys(("paused_at", "stopped_at", "next_fetch_at"))
    _change(database, settings, name, {**none, "paused_by": ""})


def fetch_soon(database: Database, settings: Settings, name: str) -> None:
    """Let the next run request a source, whatever its last attempts said; a paused one stays paused."""
    _change(database, settings, name, {"stopped_at": None, "next_fetch_at": None})


def _change(database: Database, settings: Settings, name: str, values: dict[str, Any]) -> None:
    source = next((one for one in settings.sources if one.name == name), None)
    if source is None:
        raise InputError(f'there is no source "{name}": `digest sources list` shows them')
    with database.write() as session:
        row = articles.find_source(session, name) or Source(name=name, url=source.url)
        for field, value in values.items():
            setattr(row, field, value)
        session.add(row)


def _row(source: SourceSettings, known: Source | None) -> dict[str, Any]:
    row = known if known and known.url == source.url else None
    health = {name: getattr(row, name) if row else None for name in _HEALTH} | {
        "failures": row.failures if row else 0,
        "paused_by": row.paused_by if row else "",
        "recent": row.recent if row else [],
        "size": _last_size(row) if row else None,
    }
    return {
        "name": source.name,
        "url": without_login(source.url),
        "feed_url": without_login(row.feed_url) if row and row.feed_url else None,
        "topics": list(source.topics),
        "state": _state(row),
    } | health


def _last_size(row: Source) -> int | None:
    """Return how many bytes came last, of a response that had a body; a 304 has none."""
    return next((int(one[3]) for one in reversed(row.recent) if len(one) > 3 and one[3]), None)


def _state(row: Source | None) -> str:
    if row is None:
        return "new"
    if row.paused_at:
        return "paused"
    if row.stopped_at:
        return "stopped"
    return "failing" if row.failures else "fine"
