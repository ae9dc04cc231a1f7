"""The sources that live in the database: added at the desk or by a command, changed and removed there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from digest.articles.text.identity import canonical_url
from digest.errors import InputError
from digest.models import DeskSource, SourceAct
from digest.rules.articles.sources import NOT_FETCHED, SourceIndex
from digest.safe_text import one_line, without_secrets
from digest.settings import Settings, SourceSettings
from digest.settings.error_messages import reword
from digest.settings.inventory import Setting, find_source_settings
from digest.settings.topics import meant
from digest.store.articles import sources
from digest.store.database import Database
from digest.tasks.sources.site import check_address, require_public


class SourceUnknown(InputError):  # noqa: N818 - named for what it is
    """Refuse: there is no such source, or it is one of config.toml."""


class SourceChanged(InputError):  # noqa: N818 - named for what happened
    """Refuse: somebody else changed or removed the source meanwhile."""


_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=7)
_CHANGED = "somebody else changed this source meanwhile; its activity says what"


@dataclass(frozen=True, slots=True)
class WantedSource:
    """A source as somebody asks for it, as typed; "" stands for what `[[sources]]` has by default."""

    address: str
    page: str = ""
    name: str = ""
    title: str = ""
    topics: tuple[str, ...] = ()
    language: str = ""
    every: str = ""
    settle: str = ""
    max_new: str = ""


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A source with where it lives: `added` at the desk, or `lines` of config.toml with what each means."""

    name: str
    added: DeskSource | None
    lines: Sequence[Setting]
    acts: Sequence[SourceAct]
    article_count: int


def add_source(
    database: Database, settings: Settings, wanted: WantedSource, who: str, now: datetime
) -> DeskSource:
    """Add a source to those of the desk; raise InputError with the remedy where it cannot be one.

    A name that a removed one had brings that one back, with its articles and its history.
    """
    address = check_address(wanted.address.strip())
    require_public(settings, address)
    with database.write() as session:
        sources.take_turns(session)
        checked = _checked(settings, session, replace(wanted, address=address))
        _check_free(session, settings, checked)
        row = sources.find_added(session, checked.name)
        if row is None:
            row = DeskSource(name=checked.name, url=checked.url, every=0, max_new=0, version=0,
                             added_by=who, added_at=now, changed_by=who, changed_at=now)  # fmt: skip
        values = _values(checked) | {
            "url": checked.url, "address_key": canonical_url(checked.url),
            "page": check_address(wanted.page.strip()) if wanted.page.strip() else "",
            "added_by": who, "added_at": now, "changed_by": who, "changed_at": now, "removed_at": None,
            "version": row.version + 1,
        }  # fmt: skip
        for field, value in values.items():
            setattr(row, field, value)
        session.add(row)
        state = sources.state_of(session, checked.name, checked.url)
        state.paused_at, state.paused_by, state.stopped_at, state.next_fetch_at = None, "", None, None
        session.add(state)
        sources.note_act(session, row.name, who, f"added it, {without_secrets(row.url)}", now)
    return row


def change_source(
    database: Database,
    settings: Settings,
    name: str,
    seen: int | None,
    wanted: WantedSource,
    who: str,
    now: datetime,
) -> str:
    """Change what a source of the desk is called, its topics and its other settings; not its address.

    Return what was changed, in words; "" if nothing was. Raise SourceChanged unless `seen` is its version;
    None takes it at any.
    """
    with database.write() as session:
        row = _get(session, name)
        checked = _checked(settings, session, replace(wanted, address=row.url, name=name))
        values = _values(checked)
        changed = _say_changes(row, values)
        if not sources.change_added(session, name, seen, values | {"changed_by": who, "changed_at": now}):
            raise SourceChanged(_CHANGED)
        if changed:
            sources.note_act(session, name, who, changed, now)
    return changed


def remove_source(
    database: Database, name: str, seen: int | None, who: str, now: datetime, *, hides: bool = False
) -> int:
    """Remove a source of the desk: it is no longer fetched; its articles and its history stay.

    With `hides`, those of its articles that no edition has had are hidden; return how many. The others stay
    candidates. Raise SourceChanged unless `seen` is its version; None takes it at any.
    """
    with database.write() as session:
        _get(session, name)
        gone = {"removed_at": now, "address_key": None, "changed_by": who, "changed_at": now}
        if not sources.change_added(session, name, seen, gone):
            raise SourceChanged(_CHANGED)
        hidden = sources.hide_unsent(session, name, now) if hides else 0
        act = f"removed it, and hid {hidden} of its articles" if hides else "removed it"
        sources.note_act(session, name, who, act, now)
    return hidden


def show_source(database: Database, settings: Settings, name: str) -> ShownSource:
    """Return a source with where it lives; raise SourceUnknown if there is none.

    One that was removed is shown too: its articles and its history are there.
    """
    with database.read() as session:
        added = sources.find_added(session, name)
        is_configured = any(one.name == name for one in settings.sources)
        if added is None and not is_configured:
            raise SourceUnknown(f'there is no source "{name}"')
        acts, count = sources.list_acts(session, name), sources.count_articles(session, name)
    return ShownSource(
        name, added, find_source_settings(settings, name) if is_configured else (), acts, count
    )


def find_own(database: Database, name: str) -> DeskSource:
    """Return a source of the desk; raise SourceUnknown or SourceChanged if there is none any more."""
    with database.read() as session:
        return _get(session, name)


def wanted_of(row: DeskSource) -> WantedSource:
    """Return a source of the desk as a form shows it."""
    return WantedSource(
        row.url, row.page, row.name, row.title, tuple(row.topics), row.language,
        _duration(row.every), _duration(row.settle), str(row.max_new),
    )  # fmt: skip


def offered_topics(settings: Settings) -> list[str]:
    """Return the topics that digests offer to readers."""
    return list(dict.fromkeys(topic for digest in settings.digests for topic in digest.topics))


def _get(session: Session, name: str) -> DeskSource:
    row = sources.find_added(session, name)
    if row is None:
        raise SourceUnknown(
            f'"{name}" is no source of the desk: what config.toml has is changed there, and in no other place'
        )
    if row.removed_at is not None:
        raise SourceChanged(f'"{name}" was removed by {row.changed_by}')
    return row


def _check_free(session: Session, settings: Settings, wanted: SourceSettings) -> None:
    """Refuse a name or an address that another source has, with the remedy."""
    name, key = wanted.name, canonical_url(wanted.url)
    taken = sources.configured_index(settings).find(name, key)
    if taken is not None:
        remedy = "choose another name" if taken.same == "name" else "it is read already"
        raise InputError(f"config.toml has {taken}: {remedy}, or take that one out of the file first")
    added = SourceIndex.of((one.name, one.address_key or "") for one in sources.list_added(session))
    taken = added.find(name, key)
    if taken is not None:
        remedy = "choose another name" if taken.same == "name" else "change that one"
        raise InputError(f"the desk has {taken}: {remedy}, or remove that one first")
    is_foreign = sources.find_source(session, name) is None and sources.has_articles(session, name)
    if name in NOT_FETCHED or is_foreign:
        raise InputError(f'articles that no source brought are called "{name}": choose another name')


def _checked(settings: Settings, session: Session, wanted: WantedSource) -> SourceSettings:
    """Return what somebody asks for, as valid as a `[[sources]]`; raise InputError naming the field."""
    given: dict[str, Any] = {
        "name": wanted.name.strip(), "url": wanted.address, "title": one_line(wanted.title).strip(),
        "topics": wanted.topics, "language": wanted.language.strip(), "every": wanted.every.strip(),
        "settle": wanted.settle.strip(), "max_new": wanted.max_new.strip(),
    }  # fmt: skip
    optional = ("every", "settle", "max_new")
    given = {key: value for key, value in given.items() if value or key not in optional}
    try:
        checked = SourceSettings(**given)
    except ValidationError as error:
        raise InputError(_explain(error, given)) from None
    if not _SHORTEST <= checked.every <= _LONGEST:
        raise InputError(f'{_FIELDS["every"]} "{wanted.every}" must be between 1m and 7d')
    known = set(offered_topics(settings)) | settings.given_topics
    known |= {topic for one in sources.known_sources(session, settings) for topic in one.topics}
    for topic in checked.topics:
        near = meant(topic, known) if topic not in known else ""
        if near:
            raise InputError(f'no digest offers the topic "{topic}"{near}')
    return checked


def _explain(error: ValidationError, given: Mapping[str, Any]) -> str:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0])
    said = reword(first["type"], str(first["msg"]), first.get("ctx", {}))
    value = given.get(field, "")
    shown = f' "{value}"' if isinstance(value, str) and value and field != "url" else ""
    return f"{_FIELDS.get(field, field)}{shown} {said}"


_FIELDS = {
    "url": "the address", "name": "the short name", "title": "the name for readers", "topics": "a topic",
    "language": "the language", "every": "the fetch interval",
    "settle": "the time to settle", "max_new": "the most new articles per fetch",
}  # fmt: skip


def _values(checked: SourceSettings) -> dict[str, Any]:
    return {
        "title": checked.title, "topics": list(checked.topics), "language": checked.language,
        "every": int(checked.every.total_seconds()), "settle": int(checked.settle.total_seconds()),
        "max_new": checked.max_new,
    }  # fmt: skip


def _say_changes(row: DeskSource, values: Mapping[str, Any]) -> str:
    """Return what a change changes, for the activity list; "" if nothing does."""
    said = []
    for field, value in values.items():
        before = getattr(row, field)
        if before != value:
            said.append(f"{_ACTS[field]} from {_say(field, before)} to {_say(field, value)}")
    return f"changed {'; '.join(said)}" if said else ""


_ACTS = {
    "title": "its name for readers", "topics": "its topics", "language": "its language",
    "every": "its fetch interval", "settle": "its time to settle",
    "max_new": "the most new articles per fetch",
}  # fmt: skip


def _say(field: str, value: Any) -> str:
    if field in ("every", "settle"):
        return _duration(value)
    shown = ", ".join(value) if isinstance(value, list) else str(value)
    return f"“{shown}”" if shown else "none"


def _duration(seconds: int) -> str:
    for size, unit in ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else "0"
