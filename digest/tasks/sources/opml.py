"""Import and export the list of sources as OPML."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from digest.articles.feeds.opml import OpmlFeed, parse_opml, setting_name, write_opml
from digest.articles.parsed import Rejected
from digest.articles.text.identity import canonical_url
from digest.errors import InputError, SettingsError
from digest.net.files import read_file
from digest.private_files import write_private
from digest.safe_text import without_login
from digest.settings import Settings, load_settings
from digest.settings.toml_text import toml_string
from digest.store.articles.sources import known_sources, sources_by_name
from digest.store.database import Database


@dataclass(slots=True)
class OutlineReport:
    """What an import added, by name, and what it refused."""

    added: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OutlineExport:
    """A list of feeds as OPML, how many it has, and which sources it leaves out."""

    content: bytes
    count: int
    left_out: list[Rejected]


def import_sources(database: Database, settings: Settings, path: Path) -> OutlineReport:
    """Append a list's feeds to the settings file as `[[sources]]`; existing lines stay unchanged.

    Raise InputError for a file that is no list, SettingsError if the new settings would not be valid.
    """
    listed, rejected = parse_opml(read_file(path), name=str(path))
    report = OutlineReport(rejected=rejected)
    with database.read() as session:
        sources = known_sources(session, settings)
    known = {canonical_url(source.url): source.name for source in sources}
    blocks = []
    for outline in _merged(listed):
        if twin := known.get(canonical_url(outline.url)):
            report.rejected.append(
                Rejected(outline.title or without_login(outline.url), f'it is the source "{twin}" already')
            )
            continue
        name = free_name(outline, {source.name for source in sources} | set(report.added))
        known[canonical_url(outline.url)] = name
        report.added.append(name)
        blocks.append(settings_block(name, outline))
    if blocks:
        _append(settings.file, "".join(blocks))
    return report


def _merged(listed: Iterable[OpmlFeed]) -> Iterable[OpmlFeed]:
    """Return each feed of a list once, with the topics of all folders that it is in."""
    found: dict[str, OpmlFeed] = {}
    for one in listed:
        first = found.get(one.url, one)
        found[one.url] = replace(first, topics=tuple(dict.fromkeys((*first.topics, *one.topics))))
    return found.values()


def export_sources(database: Database, settings: Settings) -> OutlineExport:
    """Write the web sources as OPML, those of the desk too, without logins; report which are left out."""
    with database.read() as session:
        known = sources_by_name(session)
        sources = known_sources(session, settings)
    outlines, rejected = [], []
    for source in sources:
        if not source.url.startswith(("http://", "https://")):
            rejected.append(
                Rejected(source.name, "it is a path of this machine; only addresses are exported")
            )
            continue
        row = known.get(source.name)
        url = row.feed_url if row and row.url == source.url and row.feed_url else source.url
        outlines.append(OpmlFeed(source.name, without_login(url), source.topics))
    return OutlineExport(write_opml(settings.site.name, outlines), len(outlines), rejected)


def free_name(outline: OpmlFeed, taken: set[str]) -> str:
    """Return a name for a feed that no other source has."""
    host = outline.url.partition("://")[2].partition("/")[0].removeprefix("www.")
    stem = setting_name(outline.title) or setting_name(host) or "feed"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem[:34].rstrip('-')}-{number}", number + 1
    return name


def settings_block(name: str, outline: OpmlFeed) -> str:
    """Return a feed as the lines of a `[[sources]]`, after an empty line."""
    lines = ["", "[[sources]]", f"name = {toml_string(name)}", f"url = {toml_string(outline.url)}"]
    if outline.topics:
        lines.append(f"topics = [{', '.join(map(toml_string, outline.topics))}]")
    return "\n".join(lines) + "\n"


def _append(config: Path, blocks: str) -> None:
    """Write the extended file beside the settings, load it, and only then replace them."""
    before = config.read_bytes()
    fresh = config.with_name(f".{config.name}.new")
    try:
        write_private(fresh, before + (b"" if before.endswith(b"\n") else b"\n") + blocks.encode())
        fresh.chmod(config.stat().st_mode & 0o777)
        load_settings(fresh)
        os.replace(fresh, config)
    except SettingsError as error:
        reason = str(error).splitlines()[0].removeprefix(f"{fresh}: ").removeprefix(f"{fresh} ")
        raise SettingsError(
            f"{config} cannot be extended with more [[sources]], and is unchanged: {reason}"
        ) from None
    except OSError as error:
        raise InputError(
            f"{config} cannot be written: {(error.strerror or 'unknown').lower()}; check its mode"
        ) from None
    finally:
        fresh.unlink(missing_ok=True)
