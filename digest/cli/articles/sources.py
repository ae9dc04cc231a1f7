"""Commands about sources: their health, and OPML import and export."""

import sys
from pathlib import Path
from typing import Any

from digest.cli.terminal.common import DEFAULT, AsJson, Common, application
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.tables import TableLayout, say_moment, show_table
from digest.errors import InputError
from digest.private_files import write_private
from digest.tasks.articles.opml import export_sources, import_sources
from digest.tasks.articles.sources import list_sources

_SHOWN = ("name", "url", "state", "last_success_at", "next_fetch_at", "failures", "last_error")


def list_(*, json: AsJson = False, common: Common = DEFAULT) -> None:
    """List the sources and their health."""
    with application(common) as app:
        rows = list_sources(app.database, app.settings)
        layout = TableLayout(zone=app.settings.zone, now=app.clock())
    if json:
        show_json(rows)
    else:
        show_table(_SHOWN, [row | {"last_error": _told_error(row, layout)} for row in rows], layout)


def import_(file: Path, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Add the feeds of an OPML file to config.toml.

    Parameters
    ----------
    file:
        A list of feeds as other feed readers export it; its folders become topics.
    """
    with application(common) as app:
        report = import_sources(app.settings, file)
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
        written, left_out = export_sources(app.settings, app.database)
    if file is None:
        sys.stdout.write(written.decode())
    else:
        _write(file, written)
        count = len(app.settings.sources) - len(left_out)
        say(f"{count} sources written to {file}", quiet=common.quiet)
    for item in left_out:
        warn(f"{item.item}: {item.why}")


def _write(file: Path, written: bytes) -> None:
    try:
        write_private(file, written)  # a feed's address may have a key in it
    except OSError as error:
        raise InputError(f"{file} cannot be written: {(error.strerror or 'unknown').lower()}") from None


def _told_error(row: dict[str, Any], layout: TableLayout) -> str | None:
    """Return the last error, marked as past if a later fetch succeeded."""
    error: str | None = row["last_error"]
    if not error or row["failures"]:
        return error
    return f"past, {say_moment(row['last_error_at'], layout.zone, None)}: {error}"
