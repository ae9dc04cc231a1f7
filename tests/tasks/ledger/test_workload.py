"""What `digest status` tells of those who work: processes, queues, rates."""

from datetime import timedelta
from typing import Any

import pytest
from procrastinate import App, PsycopgConnector

from digest.job_queue import create_tables
from digest.models import DeliveryState
from digest.store import schema
from digest.store.database import Database
from digest.store.delivery import claims
from digest.store.workers import WorkerLock
from digest.tasks.ledger.workload import DEAD_AFTER, describe_workload
from tests.support.compilation import NOW, Newsroom


def daily(workload: dict[str, Any], period: str = "2026-11-23") -> dict[str, Any]:
    """Return the rate of a daily edition."""
    return next(rate for rate in workload["rates"] if rate["edition"] == f"world/daily/{period}")


def test_a_worker_is_told_with_what_it_has_under_way_and_no_more_once_it_is_dead(newsroom: Newsroom) -> None:
    newsroom.publish()
    for _ in range(3):
        newsroom.subscribe()
    newsroom.compile()
    other = WorkerLock.acquire(newsroom.database, host="mail-2", pid=7, now=NOW)
    with newsroom.database.write() as session:
        claims.claim(session.connection(), owner=other.id, now=NOW, size=2)

    told = describe_workload(newsroom.database, NOW)["workers"]
    other.die()
    left = describe_workload(newsroom.database, NOW)["workers"]

    assert [(one["host"], one["pid"], one["under_way"]) for one in told] == [("test", 1, 0), ("mail-2", 7, 2)]
    assert [one["host"] for one in left] == ["test"]


def test_an_edition_that_is_delivered_has_a_rate_and_one_that_is_finished_has_none(
    newsroom: Newsroom,
) -> None:
    newsroom.publish()
    readers = [newsroom.subscribe() for _ in range(4)]
    newsroom.compile()
    with newsroom.database.write() as session:
        session.connection().exec_driver_sql("UPDATE edition SET frozen_at = NULL")
    newsroom.set_states(DeliveryState.ACCEPTED, readers[:3])
    at = newsroom.deliveries()[0].changed_at

    rate = daily(describe_workload(newsroom.database, at + timedelta(seconds=30)))
    later = daily(describe_workload(newsroom.database, at + timedelta(hours=1)))
    with newsroom.database.write() as session:
        session.connection().exec_driver_sql("UPDATE edition SET state = 'finished'")

    assert (rate["open"], rate["a_second"]) == (1, 0.05)
    assert rate["seconds_left"] == 20
    assert later["seconds_left"] is None
    assert describe_workload(newsroom.database, at)["rates"] == []


def test_what_is_not_due_yet_does_not_count_in_how_long_an_edition_takes(newsroom: Newsroom) -> None:
    newsroom.compile()
    newsroom.publish(at=NOW + timedelta(hours=1))
    reader = newsroom.subscribe()
    newsroom.subscribe(zone="Pacific/Auckland")
    now = NOW + timedelta(days=1)
    newsroom.compile(now, at_once=False)
    newsroom.set_states(DeliveryState.ACCEPTED, [reader])

    rate = daily(describe_workload(newsroom.database, now + timedelta(seconds=30)), "2026-11-24")

    assert (rate["open"], rate["not_due"], rate["seconds_left"]) == (1, 1, 0)
    assert rate["words"].endswith("over the last minute; all that are due are done; 1 not due yet")


def test_the_queues_are_told_where_workers_are_used(postgresql_database: str) -> None:
    database = Database(postgresql_database)
    schema.migrate(database)
    before = describe_workload(database, NOW)
    create_tables(database, "digest_jobs_9_9", App(connector=PsycopgConnector()))
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL search_path TO digest_jobs_9_9")
        connection.exec_driver_sql(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES"
            " ('delivery', 'deliver', 'todo'), ('delivery', 'deliver', 'todo'), ('newsroom', 'fetch', 'doing')"
        )
        connection.exec_driver_sql(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s), (%s)",
            (NOW, NOW - 2 * DEAD_AFTER),
        )

    told = describe_workload(database, NOW)
    database.close()

    assert (before["queues"], before["listeners"]) == ([], 0)
    assert told["listeners"] == 1
    assert told["queues"] == [
        {"name": "delivery", "waiting": 2, "running": 0},
        {"name": "newsroom", "waiting": 0, "running": 1},
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_there_are_no_queues(database: Database) -> None:
    assert describe_workload(database, NOW) == {"workers": [], "queues": [], "listeners": 0, "rates": []}
