"""The health of each configured source: its last success and failure, and its next fetch."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digest.models import Source
from digest.safe_text import without_login
from digest.settings import Settings, SourceSettings
from digest.store.articles import articles
from digest.store.database import Database

_HEALTH = ("last_success_at", "last_error_at", "last_error", "failures", "next_fetch_at", "stopped_at")


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


def _row(source: SourceSettings, known: Source | None) -> dict[str, Any]:
    row = known if known and known.url == source.url else None
    health = {name: getattr(row, name) if row else None for name in _HEALTH} | {
        "failures": row.failures if row else 0
    }
    return {
        "name": source.name,
        "url": without_login(source.url),
        "feed_url": without_login(row.feed_url) if row and row.feed_url else None,
        "topics": list(source.topics),
        "state": _state(row),
    } | health


def _state(row: Source | None) -> str:
    if row is None:
        return "new"
    if row.stopped_at:
        return "stopped"
    return "failing" if row.failures else "fine"
