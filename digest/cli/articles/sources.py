"""Commands about sources: their health, adding and removing them, and OPML import and export."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from digest.cli.terminal.common import DEFAULT, AsJson, Common, application, by_command, layout_of
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.tables import TableLayout, say_moment, show_table
from digest.errors import InputError, UsageError
from digest.private_files import write_private
from digest.safe_text import without_secrets
from digest.tasks.sources.desk_sources import (
    WantedSource,
    add_source,
    change_source,
    find_own,
    remove_source,
    wanted_of,
)
from digest.tasks.sources.health import list_sources, pause_source, resume_source
from digest.tasks.sources.opml import export_sources, import_sources
from digest.tasks.sources.site import preview_source

_SHOWN = ("name", "where", "url", "state", "last_success_at", "next_fetch_at", "failures", "last_error")


def list_(*, json: AsJson = False, common: Common = DEFAULT) -> None:
    """List the sources and their health."""
    with application(common) as app:
        rows = list_sources(app.database, app.settings)
        layout = layout_of(app)
    if json:
        show_json(rows)
    else:
        shown = [row | {"last_error": _told_error(row, layout), "where": _where(row)} for row in rows]
        show_table(_SHOWN, shown, layout)


def add(
    address: str,
    *,
    name: str = "",
    title: str = "",
    topic: tuple[str, ...] = (),
    language: str = "",
    every: str = "",
    settle: str = "",
    max_new: str = "",
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Add a source that lives in the database, as the desk does.

    Parameters
    ----------
    address:
        A feed or a site; of a site that names several feeds, the first one is taken.
    name:
        Its name at the desk and in commands, which cannot be changed; else one is made from the address.
    title:
        Its name for readers; may be changed at the desk.
    topic:
        A topic that each of its articles has; may be given several times.
    language:
        The language of those articles that state none, such as "de".
    every:
        How often it is fetched, such as "15m"; else each hour.
    settle:
        For how long an article must have stood unchanged before an edition may have it, such as "10m".
    max_new:
        More new articles than this in one fetch are held back; else 100.
    """
    with application(common) as app:
        found = preview_source(app.database, app.settings, address)
        wanted = WantedSource(
            found.url, address if found.feeds else "", name or found.name, title, topic, language,
            every, settle, max_new,
        )  # fmt: skip
        added = add_source(app.database, app.settings, wanted, by_command(), app.clock())
    others = [feed.url for feed in found.feeds if feed.url != found.url]
    if json:
        facts = {"name": added.name, "url": without_secrets(added.url), "articles": found.total}
        show_json(facts | {"other_feeds": [without_secrets(url) for url in others]})
        return
    say(
        f"{added.name}: added, with {found.total} articles at {found.shown}; next: `digest fetch`",
        quiet=common.quiet,
    )
    if others:
        shown = ", ".join(without_secrets(url) for url in others)
        say(f"the page names other feeds, each a source of its own: {shown}", quiet=common.quiet)


def change(
    name: str,
    *,
    title: str | None = None,
    topic: tuple[str, ...] | None = None,
    language: str | None = None,
    every: str | None = None,
    settle: str | None = None,
    max_new: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Change the settings of a source in the database.

    What is not named stays as it is.

    Parameters
    ----------
    name:
        Its name, as `digest sources list` shows it. Another address is another source.
    title:
        Its name for readers; "" for its short name.
    topic:
        A topic of all its articles, in place of those it had; may be given several times, "" for none.
    language:
        The language of those articles that state none, such as "de"; "" for the publication's.
    every:
        How often it is fetched, such as "15m".
    settle:
        For how long an article must have stood unchanged before an edition may have it, such as "10m".
    max_new:
        More new articles than this in one fetch are held back.
    """
    topics = None if topic is None else tuple(filter(None, topic))
    asked = {"title": title, "topics": topics, "language": language, "every": every, "settle": settle,
             "max_new": max_new}  # fmt: skip
    given: dict[str, Any] = {field: value for field, value in asked.items() if value is not None}
    if not given:
        raise UsageError("name what to change: --title, --topic, --language, --every, --settle or --max-new")
    with application(common) as app:
        found = find_own(app.database, name)
        wanted = replace(wanted_of(found), **given)
        changed = change_source(
            app.database, app.settings, name, found.version, wanted, by_command(), app.clock()
        )
    say(f"{name}: {changed or 'it stands so already'}", quiet=common.quiet)


def pause(name: str, *, common: Common = DEFAULT) -> None:
    """Stop fetching a source until `digest sources resume`.

    A source of config.toml can be paused too; its articles stay.

    Parameters
    ----------
    name:
        Its name, as `digest sources list` shows it.
    """
    with application(common) as app:
        pause_source(app.database, app.settings, name, by_command(), app.clock())
    say(f"{name}: paused; `digest sources resume {name}` resumes it", quiet=common.quiet)


def resume(name: str, *, common: Common = DEFAULT) -> None:
    """Fetch a paused source again.

    The next run does; one that was given up is tried again, too.

    Parameters
    ----------
    name:
        Its name, as `digest sources list` shows it.
    """
    with application(common) as app:
        resume_source(app.database, app.settings, name, by_command(), app.clock())
    say(f"{name}: resumed; next: `digest fetch`", quiet=common.quiet)


def remove(
    name: str, *, hide: Annotated[bool, Parameter(negative="")] = False, common: Common = DEFAULT
) -> None:
    """Remove a source that lives in the database; its articles stay.

    Parameters
    ----------
    name:
        Its name, as `digest sources list` shows it.
    hide:
        Hide those of its articles that no edition has had; else they may still be in the next ones.
    """
    with application(common) as app:
        hidden = remove_source(app.database, name, None, by_command(), app.clock(), hides=hide)
    told = f", and {hidden} of its articles hidden" if hide else ""
    say(f"{name}: removed{told}", quiet=common.quiet)


def import_(file: Path, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Add the feeds of an OPML file to config.toml.

    Parameters
    ----------
    file:
        A list of feeds as other feed readers export it; its folders become topics.
    """
    with application(common) as app:
        report = import_sources(app.database, app.settings, file)
    if json:
        show_json({"added": report.added,
                   "rejected": [{"item": r.item, "why": r.why} for r in report.rejected]})  # fmt: skip
    else:
        said = f"{len(report.added)} added to {app.settings.file}; next: `digest fetch`"
        say(said if report.added else "nothing to add", quiet=common.quiet)
    for item in report.rejected:
        warn(f"{file}: {item.item}: {item.why}")
    if report.rejected:
        sys.exit(1)


def export(file: Path | None = None, *, common: Common = DEFAULT) -> None:
    """Write the sources as OPML, for other feed readers.

    Parameters
    ----------
    file:
        Where to write; else standard output.
    """
    with application(common) as app:
        exported = export_sources(app.database, app.settings)
    if file is None:
        sys.stdout.write(exported.content.decode())
    else:
        _write(file, exported.content)
        say(f"{exported.count} sources written to {file}", quiet=common.quiet)
    for item in exported.left_out:
        warn(f"{item.item}: {item.why}")


def _write(file: Path, written: bytes) -> None:
    try:
        write_private(file, written)  # a feed's address may have a key in it
    except OSError as error:
        raise InputError(f"{file} cannot be written: {(error.strerror or 'unknown').lower()}") from None


def _where(row: dict[str, Any]) -> str:
    """Return where a source lives, as one cell."""
    if row["lives_in"] == "desk":
        return f"desk: {row['overruled_by']}" if row["overruled_by"] else "desk"
    return f"{row['lives_in']}, line {row['line']}" if row["line"] else row["lives_in"]


def _told_error(row: dict[str, Any], layout: TableLayout) -> str | None:
    """Return the last error, marked as past if a later fetch succeeded."""
    error: str | None = row["last_error"]
    if not error or row["failures"]:
        return error
    return f"past, {say_moment(row['last_error_at'], layout.zone, None)}: {error}"
