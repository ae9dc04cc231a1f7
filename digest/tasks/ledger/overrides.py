"""What the database holds beside config.toml: what was set at the desk, or learned while running."""

from dataclasses import dataclass
from datetime import datetime

from digest.models import DeskSource, Role
from digest.rules.articles.sources import SourceClash
from digest.rules.delivery.rate_limits import LEARNED_FOR
from digest.safe_text import without_login, without_secrets
from digest.settings import Settings
from digest.store import editors
from digest.store.articles.sources import known_sources, list_added, list_overruled, sources_by_name
from digest.store.database import Database
from digest.store.delivery.learned_limits import list_slowed


@dataclass(frozen=True, slots=True)
class Override:
    """One thing kept in the database: how it stands, since when, by whom, and how to change it."""

    what: str
    value: str
    at: datetime | None
    who: str
    remedy: str


def list_overrides(database: Database, settings: Settings, now: datetime) -> list[Override]:
    """Return what stands in the database and not in config.toml, of sources, domains and people."""
    with database.read() as session:
        known = sources_by_name(session)
        sources = known_sources(session, settings)
        added = {one.name: one for one in list_added(session)}
        overruled = list_overruled(session, settings)
        slowed = list_slowed(session, now - LEARNED_FOR)
        people = editors.list_editors(session)
    found = [_added(one, overruled.get(one.name)) for one in added.values()]
    for source in sources:
        row = known.get(source.name)
        if row is None:
            continue
        what = f'Source "{source.name}"'
        if row.paused_at:
            found.append(Override(what, "paused", row.paused_at, row.paused_by, "Resume it under Sources."))
        if row.url == source.url and row.feed_url and row.feed_url != row.url:
            value = f"its feed is at {without_login(row.feed_url)}"
            remedy = "Found by reading the site; write that address as its url to fix it."
            found.append(Override(what, value, None, "", remedy))
    for limit in slowed:
        value = f"{limit.rate:g} messages a second at most"
        remedy = f'Learned from its replies; [smtp.domains."{limit.name}"] sets a limit of your own.'
        found.append(Override(limit.name, value, limit.slowed_at, "", remedy))
    for role in Role:
        named = [one.address for one in people if one.role == role]
        if named:
            remedy = "`digest editors add` and `digest editors remove` change that."
            found.append(Override(f"Signs in as {role.value}", ", ".join(named), None, "", remedy))
    return found


def _added(source: DeskSource, taken: SourceClash | None) -> Override:
    what, value = f'Source "{source.name}"', without_secrets(source.url)
    if taken is not None:
        value += f"; it is not read: config.toml has {taken}"
    return Override(what, value, source.added_at, source.added_by, "Change or remove it under Sources.")
