"""Who works at this moment, what waits for them, and how fast it goes: for `digest status`."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from digest.models import OPEN, EditionState
from digest.models.row import row_id
from digest.rules.delivery.progress import WINDOW, EditionPace, pace
from digest.store import workers
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import editions
from digest.store.monitoring import gauges, wake_ups

DEAD_AFTER = timedelta(seconds=40)
"""After so long without a heartbeat a process counts as dead, and its wake-ups go to others."""


def describe_workload(database: Database, now: datetime) -> dict[str, Any]:
    """Return {workers, queues, listeners, rates}.

    `workers` are the processes that hold claims or compile at this moment, each with what it has under way;
    `queues` the wake-ups that wait or are acted on, `listeners` how many queues are listened to by
    `digest worker` processes, and `rates` the pace of each edition that is being delivered.
    """
    with database.read() as session:
        unended = workers.list_unended(session)
        owned = gauges.count_owned_by(session)
        queues = wake_ups.list_queues(session)
        listeners = wake_ups.count_listeners(session, now, DEAD_AFTER)
        rates = _list_rates(session, now)
    return {
        "workers": [
            {
                "id": row_id(worker),
                "host": worker.host,
                "pid": worker.pid,
                "started_at": worker.started_at.isoformat(),
                "under_way": owned.get(row_id(worker), 0),
            }
            for worker in unended
            if workers.is_alive(database, row_id(worker))
        ],
        "queues": [queue._asdict() for queue in queues],
        "listeners": listeners,
        "rates": rates,
    }


def _list_rates(session: Session, now: datetime) -> list[dict[str, Any]]:
    rates = []
    for edition in editions.list_editions(session, states=(EditionState.FROZEN,)):
        key = row_id(edition)
        states = deliveries.count_states(session, key)
        still_open = sum(states.get(state, 0) for state in OPEN)
        accepted = gauges.count_accepted_since(session, key, now - WINDOW)
        waiting = gauges.count_not_due(session, key, now)
        found = pace(accepted, still_open - waiting, frozen_at=edition.frozen_at, now=now, waiting=waiting)
        rates.append({"edition": edition.name.argument, "open": still_open} | _facts(found))
    return rates


def _facts(found: EditionPace) -> dict[str, Any]:
    seconds = None if found.left is None else int(found.left.total_seconds())
    return {
        "a_second": round(found.rate, 2),
        "seconds_left": seconds,
        "not_due": found.waiting,
        "words": found.words,
    }
