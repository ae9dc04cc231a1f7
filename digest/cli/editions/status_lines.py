"""The lines of `digest status`, from the facts that it found or that its note holds.

This module imports next to nothing: a note is to be printed without opening the database.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from digest.cli.editions import idle
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.tables import TableLayout, say_moment, show_table
from digest.clock import utc_now
from digest.config_path import find_config

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


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """How `digest status` was asked."""

    as_json: bool = False
    quiet: bool = False
    config: Path | None = None


def print_noted(options: StatusOptions) -> bool:
    """Print what the note of the last `digest status` says; return False if none still holds."""
    said = idle.find_said("status", find_config(options.config))
    try:
        facts, zone = said["facts"], ZoneInfo(said["zone"])
        is_full = shutil.disk_usage(said["folder"]).free < said["least_free"]
    except (TypeError, KeyError, ValueError, OSError):
        return False
    if not is_full:
        print_facts(facts, zone, utc_now(), options)
    return not is_full


def print_facts(
    facts: dict[str, Any], zone: ZoneInfo, now: datetime, options: StatusOptions, refusal: str | None = None
) -> None:
    """Print a status; exit 1 if `refusal` says why nothing may be sent from this database."""
    quiet = options.quiet
    if options.as_json:
        show_json(facts | ({"refused": refusal} if refusal else {}))
    elif not facts["editions"] and not facts["workers"]:
        say("no edition yet; `digest send --now` makes one", quiet=quiet)
    else:
        show_table(SUMS, facts["editions"], TableLayout(zone=zone, now=now))
        for line in _list_lines(facts, lambda text: say_moment(datetime.fromisoformat(text), zone, now)):
            say(line, quiet=quiet)
    end_refused(refusal)


def _list_lines(facts: dict[str, Any], tell: Callable[[str], str]) -> Iterator[str]:
    earlier = facts["earlier"]
    if earlier:
        number = "1 earlier edition is" if earlier == 1 else f"{earlier:,} earlier editions are"
        yield f"{number} not shown: `digest audit` prints the sums of all"
    yield from _list_reasons(facts["editions"], tell)
    yield from _list_work(facts, tell)
    yield from (f"slowed by {line}" for line in facts["slowed_by"])
    yield from (f"alert: {one['title']}. {one['detail']}" for one in facts["alerts"])


def _list_reasons(rows: list[dict[str, Any]], tell: Callable[[str], str]) -> Iterator[str]:
    for row in rows:
        name = f"{row['digest']} {row['cadence']} {row['period']}"
        if row["reason"]:
            yield f"{name}: {row['reason']}"
        for item in row["reasons"]:
            is_put_off = item["state"] == "deferred" and row["next_due_at"]
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
