"""The command that looks an edition over before it goes: preflight."""

import sys
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from digest.cli.common import DEFAULT, AsJson, Common, application, read_moment
from digest.cli.output import say, show_json, warn
from digest.rules.preflight import is_clear
from digest.rules.proof import Outcome
from digest.tasks.preflight import Flight, look_before
from digest.tasks.previewing import View, preview

_SAID = {Outcome.OK: "ok", Outcome.WARN: "look at", Outcome.FAIL: "fails"}


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
    """Look the next edition over before it goes; exit 1 where a check fails.

    Nothing is changed and nothing is sent; links and pictures are asked for, unless --offline is given.

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
        Leave out what asks other machines: whether links are dead, pictures broken, articles changed.
    """
    with application(common) as app:
        moment = read_moment(at, app.settings.zone, "--at") if at else app.clock()
        shown = preview(
            app.database, app.settings, app.composer, app.settings.digest(digest),
            cadence=cadence, view=View(as_ or ""), at=moment,
        )  # fmt: skip
        flight = look_before(app.database, app.settings, app.composer, shown, asks=not offline)
    _show(flight, json=json, quiet=common.quiet)
    if not is_clear(flight.checked):
        sys.exit(1)


def _show(flight: Flight, *, json: bool, quiet: bool) -> None:
    edition, subject = flight.preview.edition, flight.preview.rendering.subject
    if json:
        show_json({
            "ok": is_clear(flight.checked), "digest": edition.digest, "cadence": edition.cadence,
            "period": edition.period, "subject": subject,
            "checks": [asdict(one) for one in flight.checked],
        })  # fmt: skip
        return
    say(
        f"{edition.digest} {edition.cadence} {edition.period}: {subject}",
        quiet=quiet,
    )
    for one in flight.checked:
        if one.outcome is Outcome.OK:
            continue
        for reason in one.reasons:
            if quiet:
                warn(f"{one.check}: {reason}")
            say(f"{_SAID[one.outcome]:<8} {one.check:<24} {reason}", quiet=quiet)
    counts = [sum(one.outcome is outcome for one in flight.checked) for outcome in Outcome]
    say(f"{counts[0]} checks are ok, {counts[1]} to look at, {counts[2]} fail", quiet=quiet)
