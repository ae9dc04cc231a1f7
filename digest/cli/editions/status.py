"""What `digest status` prints, read from the ledger.

A monitor asks for it each minute, so this module imports neither the parser of options nor what only other
commands need.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.session import opened
from digest.cli.terminal.tables import TableLayout, say_moment, show_table
from digest.models import DeliveryState
from digest.tasks.alerts.alerts import list_shown
from digest.tasks.ledger import audit as accounting
from digest.tasks.ledger.workload import describe_workload

SUMS = [
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


def print_status(edition: str | None, *, as_json: bool, config: Path | None, quiet: bool) -> None:
    """Print the progress of each edition, or of one; exit 1 if nothing may be sent from this database."""
    with opened(config) as app:
        refusal, zone, now = app.find_refusal(), app.settings.zone, app.clock()
        with app.database.read() as session:
            rows = accounting.status(session, app.settings, edition)
            earlier = accounting.count_earlier(session, rows, edition)
            slowed_by = accounting.slowed_by(session, app.settings, now)
            alerts = list_shown(session, app.settings, now)
        workload = describe_workload(app.database, now)
    if as_json:
        facts = {"editions": rows, "earlier": earlier, "slowed_by": slowed_by, "alerts": alerts} | workload
        show_json(facts | ({"refused": refusal} if refusal else {}))
    elif not rows and not workload["workers"]:
        say("no edition yet; `digest send --now` makes one", quiet=quiet)
    else:
        show_table(SUMS, rows, TableLayout(zone=zone, now=now))
        if earlier:
            number = "1 earlier edition is" if earlier == 1 else f"{earlier:,} earlier editions are"
            say(f"{number} not shown: `digest audit` prints the sums of all", quiet=quiet)
        for line in _list_reasons(rows, lambda text: say_moment(datetime.fromisoformat(text), zone, now)):
            say(line, quiet=quiet)
        for line in _list_work(workload, lambda text: say_moment(datetime.fromisoformat(text), zone, now)):
            say(line, quiet=quiet)
        for line in slowed_by:
            say(f"slowed by {line}", quiet=quiet)
        for one in alerts:
            say(f"alert: {one['title']}. {one['detail']}", quiet=quiet)
    end_refused(refusal)


def _list_reasons(rows: list[dict[str, Any]], tell: Callable[[str], str]) -> Iterator[str]:
    for row in rows:
        name = f"{row['digest']} {row['cadence']} {row['period']}"
        if row["reason"]:
            yield f"{name}: {row['reason']}"
        for item in row["reasons"]:
            is_put_off = item["state"] == DeliveryState.DEFERRED and row["next_due_at"]
            when = f"; next try {tell(row['next_due_at'])}" if is_put_off else ""
            yield f"{name}: {item['count']} {item['state']}: {item['reason']}{when}"


def _list_work(workload: dict[str, Any], tell: Callable[[str], str]) -> Iterator[str]:
    for worker in workload["workers"]:
        place, since = f"{worker['host']} (pid {worker['pid']})", tell(worker["started_at"])
        unit = "message" if worker["under_way"] == 1 else "messages"
        yield f"worker {worker['id']} on {place}, since {since}: {worker['under_way']} {unit} claimed"
    for queue in workload["queues"]:
        waits = f"{queue['waiting']} waiting" if queue["waiting"] else "none waiting"
        yield f"wake-ups for {queue['name']}: {waits}, {queue['running']} acted on"
    for rate in workload["rates"]:
        yield f"{rate['edition']}: {rate['words']}"


def end_refused(refusal: str | None) -> None:
    """Exit 1 if nothing may be sent because the database was restored from a backup."""
    if refusal:
        warn(refusal)
        sys.exit(1)
