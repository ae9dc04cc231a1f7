"""The health of each source: its last success and failure, and its next fetch; where it lives, what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.errors import InputError
from digest.models import DeskSource, Source
from digest.rules.articles.sources import SourceClash, find_overruled, to_settings
from digest.safe_text import without_secrets
from digest.settings import Settings, SourceSettings
from digest.settings.inventory import find_source_lines
from digest.store.articles.sources import (
    configured_index,
    join_sources,
    known_sources,
    list_added,
    note_act,
    sources_by_name,
    state_of,
)
from digest.store.database import Database

_HEALTH = (
    "last_success_at",
    "last_error_at",
    "last_error",
    "failures",
    "next_fetch_at",
    "stopped_at",
)


def list_sources(database: Database, settings: Settings) -> list[dict[str, Any]]:
    """Return the sources, each with where it lives, its state and the results of its fetches.

    Those of config.toml come first, in its order; then those added at the desk, overruled ones too.
    """
    with database.read() as session:
        known = sources_by_name(session)
        listed = list_added(session)
    added = {one.name: one for one in listed}
    sources, overruled = join_sources(settings, listed), find_overruled(configured_index(settings), listed)
    lines, origins = find_source_lines(settings.file), settings.fetch.private_sources
    configured = {one.name for one in settings.sources}
    rows = [
        _row(one, known.get(one.name))
        | (
            _lives_in_file(settings, lines.get(one.name))
            if one.name in configured
            else _lives_at_desk(added[one.name])
        )
        for one in sources
    ]
    return rows + [
        _row(to_settings(added[name], origins), None)
        | _lives_at_desk(added[name])
        | {"state": "overruled", "overruled_by": _say_taken(taken)}
        for name, taken in overruled.items()
    ]


def source_names(database: Database, settings: Settings) -> list[str]:
    """Return the names of the sources that there are."""
    with database.read() as session:
        return [source.name for source in known_sources(session, settings)]


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
        known = sources_by_name(session)
        sources = known_sources(session, settings)
    rows = [known[one.name] for one in sources if one.name in known and known[one.name].url == one.url]
    return [
        BackOff(row.name, row.next_fetch_at, row.failures, row.last_error or "")
        for row in rows
        if row.failures and (row.stopped_at or (row.next_fetch_at and row.next_fetch_at > now))
    ]


def pause_source(database: Database, settings: Settings, name: str, who: str, now: datetime) -> None:
    """Stop fetching a source until somebody resumes it; its articles stay.

    Of two people who pause it, the first one has done so.
    """
    with database.write() as session:
        row = state_of(session, name, find_known(session, settings, name).url)
        if row.paused_at is not None:
            return
        row.paused_at, row.paused_by = now, who
        session.add(row)
        note_act(session, name, who, "paused it", now)


def resume_source(database: Database, settings: Settings, name: str, who: str, now: datetime) -> None:
    """Fetch a source again, from the next run on."""
    none = dict.fromkeys(("paused_at", "stopped_at", "next_fetch_at"))
    _change(database, settings, name, who, now, "resumed it", {**none, "paused_by": ""})


def fetch_soon(database: Database, settings: Settings, name: str, who: str, now: datetime) -> None:
    """Make a source due for the next run, whatever its last attempts brought; a paused one stays paused."""
    values = {"stopped_at": None, "next_fetch_at": None}
    _change(database, settings, name, who, now, "had it fetched", values)


def find_known(session: Session, settings: Settings, name: str) -> SourceSettings:
    """Return a source by its name; raise InputError if there is none, or if config.toml overrules it."""
    source = next((one for one in known_sources(session, settings) if one.name == name), None)
    if source is None:
        raise InputError(f'there is no source "{name}": `digest sources list` shows them')
    return source


def _change(
    database: Database,
    settings: Settings,
    name: str,
    who: str,
    now: datetime,
    act: str,
    values: Mapping[str, Any],
) -> None:
    with database.write() as session:
        source = find_known(session, settings, name)
        row = state_of(session, name, source.url)
        for field, value in values.items():
            setattr(row, field, value)
        session.add(row)
        note_act(session, name, who, act, now)


def _lives_in_file(settings: Settings, line: int | None) -> dict[str, Any]:
    return _nowhere() | {"lives_in": settings.file.name, "line": line}


def _lives_at_desk(added: DeskSource) -> dict[str, Any]:
    return _nowhere() | {"lives_in": "desk", "added_by": added.added_by, "added_at": added.added_at}


def _nowhere() -> dict[str, Any]:
    return {"lives_in": "", "line": None, "added_by": None, "added_at": None, "overruled_by": None}


def _say_taken(taken: SourceClash) -> str:
    return f"config.toml has {taken}"


def _row(source: SourceSettings, known: Source | None) -> dict[str, Any]:
    row = known if known and known.url == source.url else None
    paused = known if known and known.paused_at else None  # also where its address has changed
    health = {name: getattr(row, name) if row else None for name in _HEALTH} | {
        "failures": row.failures if row else 0,
        "paused_at": paused.paused_at if paused else None,
        "paused_by": paused.paused_by if paused else "",
        "recent": row.recent if row else [],
        "size": _last_size(row) if row else None,
    }
    return {
        "name": source.name,
        "url": without_secrets(source.url),
        "feed_url": without_secrets(row.feed_url) if row and row.feed_url else None,
        "title": source.title,
        "topics": list(source.topics),
        "state": "paused" if paused else _state(row),
    } | health


def _last_size(row: Source) -> int | None:
    """Return how many bytes came last, of a response that had a body; a 304 has none."""
    return next((int(one[3]) for one in reversed(row.recent) if len(one) > 3 and one[3]), None)


def _state(row: Source | None) -> str:
    if row is None:
        return "new"
    if row.stopped_at:
        return "stopped"
    return "failing" if row.failures else "fine"
