"""Commands that show an edition before it is sent: preview, preflight."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from digest.cli.terminal.common import DEFAULT, AsJson, Common, application, read_moment
from digest.cli.terminal.output import count, say, show_json, warn
from digest.models.status import Status
from digest.private_files import write_private
from digest.rules.editions.preflight_checks import is_clear
from digest.tasks.editions.preflight import Preflight, look_before
from digest.tasks.editions.preview import Viewer, describe
from digest.tasks.editions.preview import preview as make_preview
from digest.tasks.readers import privacy

_SAID = {Status.OK: "ok", Status.WARN: "warning", Status.FAIL: "error"}


def preview(
    digest: str,
    *,
    cadence: str | None = None,
    as_: Annotated[str | None, Parameter(name="--as")] = None,
    at: str | None = None,
    out: Path = Path(),
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Write the next edition as .html, .txt and .eml files.

    Parameters
    ----------
    digest:
        The digest's name.
    cadence:
        One of its cadences; else the reader's own.
    as_:
        Show what this reader would get; else a reader of every topic.
    at:
        At this time, such as 2026-11-23T07:00; else now.
    out:
        The folder to write into.
    """
    with application(common) as app:
        moment = read_moment(at, app.settings.zone, "--at") if at else app.clock()
        if as_:
            privacy.check_known(app.readers, as_)
        shown = make_preview(
            app.database,
            app.settings,
            app.composer,
            app.settings.digest(digest),
            cadence=cadence,
            view=Viewer(as_ or ""),
            at=moment,
        )
    html, text = shown.parts()
    out.mkdir(parents=True, exist_ok=True)
    stem = f"{digest}-{shown.edition.cadence}-{shown.edition.period.replace(':', '')}"
    files = {".html": html.encode(), ".txt": text.encode(), ".eml": shown.message}
    for suffix, content in files.items():
        write_private(out / (stem + suffix), content)
    written = [str(out / (stem + suffix)) for suffix in files]
    facts = describe(shown)
    if json:
        show_json(facts | {"files": written})
        return
    for file in written:
        say(file, quiet=common.quiet)
    for line in _in_lines(facts):
        say(line, quiet=common.quiet)


def _in_lines(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"{facts['edition']}: {facts['subject']}",
        f"{len(facts['articles'])} articles, {len(facts['shortened'])} of them shortened;"
        f" {facts['left_out']} more to come",
        f"{facts['bytes']:,} bytes; HTML {facts['html_bytes']:,}, cut at {facts['clipped_at']:,}",
        f"SHA-256 {facts['sha256']}",
    ]
    if facts["last_edition"]:
        lines.append(f"since {facts['last_edition']}: {len(facts['new'])} new, {len(facts['gone'])} gone")
    return lines


def preflight(
    digest: str,
    *,
    cadence: str | None = None,
    as_: Annotated[str | None, Parameter(name="--as")] = None,
    at: str | None = None,
    offline: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Check the next edition; exit 1 if a check fails.

    Nothing is changed or sent; links and images are requested, unless --offline is given.

    Parameters
    ----------
    digest:
        The digest's name.
    cadence:
        One of its cadences; else the reader's own.
    as_:
        As this reader would get it; else as a reader of every topic.
    at:
        At this time, such as 2026-11-23T07:00; else now.
    offline:
        Skip the checks that need other machines: dead links, broken images, changed articles.
    """
    with application(common) as app:
        moment = read_moment(at, app.settings.zone, "--at") if at else app.clock()
        if as_:
            privacy.check_known(app.readers, as_)
        shown = make_preview(
            app.database, app.settings, app.composer, app.settings.digest(digest),
            cadence=cadence, view=Viewer(as_ or ""), at=moment,
        )  # fmt: skip
        flight = look_before(app.database, app.settings, app.composer, shown, asks=not offline)
    _show(flight, json=json, quiet=common.quiet)
    if not is_clear(flight.checked):
        sys.exit(1)


def _show(flight: Preflight, *, json: bool, quiet: bool) -> None:
    edition, subject = flight.preview.edition, flight.preview.rendering.subject
    if json:
        show_json({
            "ok": is_clear(flight.checked), "digest": edition.digest, "cadence": edition.cadence,
            "period": edition.period, "subject": subject,
            "checks": [asdict(one) for one in flight.checked],
        })  # fmt: skip
        return
    say(
        f"{edition.name}: {subject}",
        quiet=quiet,
    )
    for one in flight.checked:
        if one.outcome is Status.OK:
            continue
        for reason in one.reasons:
            if quiet:
                warn(f"{one.check}: {reason}")
            say(f"{_SAID[one.outcome]:<8} {one.check:<24} {reason}", quiet=quiet)
    counts = [sum(one.outcome is outcome for one in flight.checked) for outcome in Status]
    say(f"{counts[0]} ok, {count(counts[1], 'warning')}, {count(counts[2], 'error')}", quiet=quiet)
