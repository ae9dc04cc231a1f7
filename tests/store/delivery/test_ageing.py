"""After years of editions a claim still reads a few pages: what is done leaves its way."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, text

from digest.store.database import Database
from digest.store.delivery import claims
from digest.tasks.delivery.recorder import Recorder
from digest.tasks.delivery.run import Run

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
ROWS = 20_000
ACCEPTED = 19_000
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
EDITION = (
    "INSERT INTO edition (id, digest, cadence, period, state, deadline_at, freeze_at, at_once, compiled_to, reason)"
    " VALUES (1, 'world', 'daily', '2026-11-23', 'frozen', :now, :now, false, 0, '')"
)
PEOPLE = (
    "INSERT INTO subscriber (id, public_id, address, address_key, name, created_at) SELECT n, 'p' || n,"
    " 'r' || n || '@x.example', 'r' || n || '@x.example', '', :now FROM generate_series(1, :rows) AS n"
)
RELATIONS = (
    "INSERT INTO subscription (id, subscriber_id, digest, cadence, state, topics, created_at) SELECT n, n, 'world',"
    " 'daily', 'confirmed', '{}', :now FROM generate_series(1, :rows) AS n"
)
DELIVERIES = (
    "INSERT INTO delivery (edition_id, subscription_id, state, reason, due_at, attempts, resends, reply_text, changed_at)"
    " SELECT 1, n, 'planned', '', :now, 0, 0, '', :now FROM generate_series(1, :rows) AS n"
)


def fill(session: Session, rows: int) -> None:
    """Plan an edition for so many readers."""
    for statement in (EDITION, PEOPLE, RELATIONS, DELIVERIES):
        session.execute(text(statement), {"now": NOW, "rows": rows})


def index_pages(session: Session, beyond: claims.Position) -> int:
    """Return how many pages of indexes and tables a claim looks at to find what is due."""
    connection = session.connection()
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    found = re.search(r"AS MATERIALIZED \((.*?) FOR NO KEY UPDATE", claims.CLAIM_POSTGRESQL)
    assert found
    connection.exec_driver_sql("SET LOCAL enable_sort = off")
    plan = connection.exec_driver_sql(
        "EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off) " + found[1], (NOW, *beyond, "", "", 24)
    )
    (pages,) = [one for (step,) in plan if (one := re.match(r"  Buffers: (.*)", step))][:1]
    return sum(map(int, re.findall(r"(?:hit|read)=(\d+)", pages[1])))


@POSTGRESQL
def test_a_claim_behind_the_last_one_walks_past_nothing_that_was_accepted(database: Database) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE delivery SET (autovacuum_enabled = off)")
        fill(session, ROWS)
        first = session.connection().exec_driver_sql("SELECT min(id) FROM delivery").scalar_one()
    last = first + ACCEPTED - 1
    with database.write() as session:
        session.execute(text("UPDATE delivery SET state = 'accepted' WHERE id <= :last"), {"last": last})
    with database.read() as session:
        from_the_start = index_pages(session, claims.FROM_THE_START)
        behind = index_pages(session, (NOW, last))
    with database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE delivery RESET (autovacuum_enabled)")

    assert behind < 15
    assert from_the_start > 3 * behind, "this is what the position is for"


@POSTGRESQL
def test_an_id_may_need_more_than_32_bits(database: Database) -> None:
    far = 2**31 + 5
    with database.write() as session:
        fill(session, 2)
        session.execute(text("UPDATE delivery SET id = id + :far, variant_id = NULL"), {"far": far})
        (job, other) = claims.claim(session.connection(), owner=1, now=NOW, size=2)
        ready = {one.delivery_id: (one, NOW) for one in (job, other)}
        claims.mark_in_flight(session.connection(), ready, owner=1, now=NOW)
        claims.record_accepted(session.connection(), {job.delivery_id: 250}, owner=1, now=NOW)
        states = session.connection().exec_driver_sql(
            "SELECT count(*) FROM delivery WHERE state = 'accepted'"
        )

    assert job.delivery_id > far
    assert states.scalar_one() == 1


@POSTGRESQL
def test_what_was_given_back_before_the_last_claim_is_claimed_all_the_same(database: Database) -> None:
    with database.write() as session:
        fill(session, 40)
    run = Run(database=database, composer=None, relays=(), owner=1, clock=lambda: NOW)  # type: ignore[arg-type]
    recorder = Recorder(run)
    claimed = [recorder.commit([], {}, 10).claimed for _ in range(2)]
    with database.write() as session:  # as the end of a dead worker does, and one that is due earlier
        session.execute(text("UPDATE delivery SET state = 'planned', owner = NULL WHERE state = 'claimed'"))
        session.execute(
            text("UPDATE delivery SET due_at = :early WHERE id = :first"),
            {"early": NOW - timedelta(hours=1), "first": claimed[0][0].delivery_id},
        )
    onward = [job.delivery_id for _ in range(3) for job in recorder.commit([], {}, 10).claimed]
    rest = [job.delivery_id for _ in range(2) for job in recorder.commit([], {}, 10).claimed]
    recorder.close()

    assert onward[0] > claimed[1][-1].delivery_id, "what lies ahead comes first"
    assert len({*onward, *rest}) == 40, "and nobody is left out"


@POSTGRESQL
def test_the_vacuum_keeps_the_index_of_open_deliveries_small(database: Database) -> None:
    with database.read() as session:
        (options,) = (
            session.connection()
            .exec_driver_sql("SELECT reloptions FROM pg_class WHERE oid = 'delivery'::regclass")
            .one()
        )

    assert "vacuum_index_cleanup=on" in options
    assert "autovacuum_vacuum_scale_factor=0.01" in options
