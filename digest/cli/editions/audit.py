"""Commands that report from the ledger: status, audit, why, schedule."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from digest.cli.editions.status import print_status
from digest.cli.editions.status_lines import SUMS, StatusOptions, end_refused
from digest.cli.terminal.common import DEFAULT, AsJson, Common, application, layout_of, read_end
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.tables import TableLayout, say_moment, show_table
from digest.errors import UsageError
from digest.models import DeliveryState
from digest.tasks.ledger import audit as accounting


def status(edition: str | None = None, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Show the progress of each edition, and who works on it.

    Parameters
    ----------
    edition:
        Only this one: "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD".
    """
    print_status(edition, StatusOptions(json, common.quiet, common.config))


def audit(edition: str | None = None, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Prove that every delivery is accounted for; exit 1 if not.

    Parameters
    ----------
    edition:
        Only this one: "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD".
    """
    with application(common) as app:
        refusal = app.find_refusal()
        with app.database.read() as session:
            report = accounting.audit(session, edition)
        layout = layout_of(app)
    is_whole = bool(report["ok"])
    report |= {"ok": False, "refused": refusal} if refusal else {}
    if json:
        show_json(report)
    elif not common.quiet or not report["ok"]:
        show_table(SUMS, report["editions"], layout)
        said = "every delivery is accounted for"
        say(said if is_whole else "NOT accounted for: see the editions that are not finished")
    end_refused(refusal)
    if not is_whole:
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
    from digest.tasks.ledger import explain  # it imports selection, which the other commands do not need
    from digest.tasks.readers import privacy

    with application(common) as app, app.database.read() as session:
        zone, now = app.settings.zone, app.clock()
        privacy.check_known(app.readers, address)
        report = explain.why(session, app.settings, address, article, now)
    if json:
        show_json(report)
        return
    say(_describe(report, now, lambda text: say_moment(datetime.fromisoformat(text), zone, now)))


_VERBS = {
    DeliveryState.ACCEPTED: "has",
    DeliveryState.UNCERTAIN: "may have",
    DeliveryState.IN_FLIGHT: "is about to get",
    DeliveryState.PLANNED: "does not have yet",
    DeliveryState.CLAIMED: "does not have yet",
    DeliveryState.DEFERRED: "does not have yet",
}


def _describe(report: dict[str, Any], now: datetime, tell: Callable[[str], str]) -> str:
    """Describe in one line what a reader has; a message that still waits does not count."""
    state = report["state"]
    verb = _VERBS.get(state, "does not have") if state else "does not have"
    if report["included"] and state == DeliveryState.WITHHELD:
        verb = "counts as having"
    place = f" ({report['edition']}, {state})" if report["edition"] else ""
    waits = state in (DeliveryState.PLANNED, DeliveryState.DEFERRED) and report["next_try_at"]
    reply = f"; {report['reply']}" if report["reply"] else ""
    is_due = bool(waits) and datetime.fromisoformat(report["next_try_at"]) <= now
    later = (
        ("; the next run sends it" if is_due else f"; next try {tell(report['next_try_at'])}")
        if waits
        else ""
    )
    return f"{report['address']} {verb} “{report['title']}”{place}: {report['reason']}{reply}{later}"


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
        Show when editions reach this reader, by address.
    until:
        Show all editions up to this time, or to the end of this day, such as 2026-12-31; else the next one of
        each cadence.
    """
    from digest.tasks.editions import schedule as plans
    from digest.tasks.readers import on_request, privacy

    with application(common) as app, app.database.read() as session:
        zone, now, layout = app.settings.zone, app.clock(), layout_of(app)
        refusal = app.find_refusal()
        end = read_end(until, zone, "--until") if until else None
        if end is not None and end <= now:
            raise UsageError(f'--until "{until}" has passed: name a time that is to come')
        if reader is None:
            rows = plans.schedule(session, app.settings, now, end)
        else:
            privacy.check_known(app.readers, reader)
            rows = plans.schedule_of(session, app.settings, reader, now, end)
            why = "" if rows else on_request.explain_inactive(app.readers, reader, None)
            if why:
                warn(f"{reader} gets no edition: {why}")
    if json:
        show_json(rows)
    else:
        _show_schedule(rows, layout, is_readers=reader is not None)
    end_refused(refusal)


def _show_schedule(rows: list[dict[str, Any]], layout: TableLayout, *, is_readers: bool) -> None:
    shown = [row | {"deadline_at": row["deadline_at"] or "as news comes"} for row in rows]
    if is_readers:
        shown = [row | {"reaches_at": _arrival(row["reaches"])} for row in shown]
        show_table(["digest", "cadence", "written", "period", "deadline_at", "reaches_at"], shown, layout)
        return
    show_table(["digest", "cadence", "written", "period", "deadline_at", "latest"], shown, layout)
    for digest, fewest in sorted({(row["digest"], row["min_articles"]) for row in rows}):
        if fewest > 1:
            say(f"{digest}: each reader's edition waits for {fewest} new articles, or for max_wait")
    for row in rows:
        name = f"{row['digest']} {row['cadence']} {row['period']}"
        if row["state"] not in (None, "draft"):
            say(f"{name}: {row['stands']}")
        if row["first"] and row["first"]["at"] != row["last"]["at"]:
            say(f"{name}: first {_arrival(row['first'])}, last {_arrival(row['last'])}")


def _arrival(found: dict[str, str] | None) -> str:
    """Describe when something arrives by the local clock: "in Honolulu at 07:00 on 2026-11-27"."""
    if found is None:
        return "as news comes"
    local = datetime.fromisoformat(found["at"]).astimezone(ZoneInfo(found["zone"]))
    return f"in {found['zone'].rpartition('/')[2].replace('_', ' ')} at {local:%H:%M on %Y-%m-%d}"
