"""Commands that prove what happened: status, audit, why, schedule."""

import sys
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from digest.cli.terminal.common import DEFAULT, AsJson, Common, application, read_moment
from digest.cli.terminal.output import say, show_json, show_table
from digest.tasks.editions import schedule as plans
from digest.tasks.ledger import audit as accounting
from digest.tasks.ledger import explain

_SUMS = [
    "digest",
    "cadence",
    "period",
    "state",
    "total",
    "accepted",
    "failed",
    "withheld",
    "uncertain",
    "open",
]


def status(edition: str | None = None, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Show the progress of each edition.

    Parameters
    ----------
    edition:
        Only this one: "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD".
    """
    with application(common) as app, app.database.read() as session:
        rows = accounting.status(session, edition)
        slowed_by = accounting.slowed_by(session, app.settings, app.clock())
    if json:
        show_json({"editions": rows, "slowed_by": slowed_by})
        return
    if not rows:
        say("no edition yet; `digest send --now` makes one", quiet=common.quiet)
        return
    show_table(_SUMS, rows)
    for row in rows:
        name = f"{row['digest']} {row['cadence']} {row['period']}"
        if row["reason"]:
            say(f"{name}: {row['reason']}")
        for item in row["reasons"]:
            say(f"{name}: {item['count']} {item['state']}: {item['reason']}")
    for line in slowed_by:
        say(f"slowed by {line}")


def audit(edition: str | None = None, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Prove that every delivery is accounted for; exit 1 if not.

    Parameters
    ----------
    edition:
        Only this one: "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD".
    """
    with application(common) as app, app.database.read() as session:
        report = accounting.audit(session, edition)
    if json:
        show_json(report)
    elif not common.quiet or not report["ok"]:
        show_table(_SUMS, report["editions"])
        say(
            "every delivery is accounted for"
            if report["ok"]
            else "NOT whole: see the editions that are not finished"
        )
    if not report["ok"]:
        sys.exit(1)


def why(address: str, article: str, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Explain why a reader has an article, or why not.

    Parameters
    ----------
    address:
        The reader's address.
    article:
        The article's id or URL.
    """
    with application(common) as app, app.database.read() as session:
        report = explain.why(session, app.settings, address, article, app.clock())
    if json:
        show_json(report)
        return
    verb = "has" if report["included"] else "does not have"
    place = f" ({report['edition']}, {report['state']})" if report["edition"] else ""
    say(f"{report['address']} {verb} “{report['title']}”{place}: {report['reason']}")


def schedule(
    *,
    reader: Annotated[str | None, Parameter(name="--as")] = None,
    until: Annotated[str | None, Parameter(name="--until")] = None,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Show when the next editions are due.

    Parameters
    ----------
    reader:
        When they reach this reader, by address.
    until:
        All editions up to this moment, such as 2026-12-31; else the next one of each cadence.
    """
    with application(common) as app, app.database.read() as session:
        now, end = app.clock(), read_moment(until, app.settings.zone, "--until") if until else None
        if reader is None:
            rows = plans.schedule(session, app.settings, now, end)
        else:
            rows = plans.schedule_of(session, app.settings, reader, now, end)
    if json:
        show_json(rows)
        return
    shown = [row | {"deadline_at": row["deadline_at"] or "as news comes"} for row in rows]
    if reader is not None:
        shown = [row | {"reaches_at": _arrival(row["reaches"])} for row in shown]
        show_table(["digest", "cadence", "written", "period", "deadline_at", "reaches_at"], shown)
        return
    show_table(["digest", "cadence", "written", "period", "deadline_at", "latest"], shown)
    for row in rows:
        if row["first"] and row["first"]["at"] != row["last"]["at"]:
            name = f"{row['digest']} {row['cadence']} {row['period']}"
            say(f"{name}: first {_arrival(row['first'])}, last {_arrival(row['last'])}")


def _arrival(found: dict[str, str] | None) -> str:
    """Say when something arrives by the clocks of a place: "in Honolulu at 07:00 on 2026-11-27"."""
    if found is None:
        return "as news comes"
    local = datetime.fromisoformat(found["at"]).astimezone(ZoneInfo(found["zone"]))
    return f"in {found['zone'].rpartition('/')[2].replace('_', ' ')} at {local:%H:%M on %Y-%m-%d}"
