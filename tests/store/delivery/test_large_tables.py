"""With statistics of 100,000,000 deliveries no question that is asked all the time reads them all."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlmodel import Session, text

from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import variants

# The tables begin anew, for the pages that other tests left in them, and what was sampled of those, would count.
# What was inserted and undone leaves its page: a table without one is taken to be empty.
PAGES = (
    "TRUNCATE delivery, subscription, subscriber CASCADE",
    "DELETE FROM pg_statistic WHERE starelid IN"
    " (SELECT CAST(name AS regclass) FROM unnest(ARRAY['delivery', 'subscription', 'subscriber']) AS name)",
    "SAVEPOINT page",
    "SET LOCAL session_replication_role = replica",
    "INSERT INTO delivery (edition_id, subscription_id, state, reason, due_at, attempts, resends, reply_text, changed_at)"
    " VALUES (1, 1, 'planned', '', now(), 0, 0, '', now())",
    "ROLLBACK TO SAVEPOINT page",
)
SIZE = (
    "UPDATE pg_class SET reltuples = :rows, relpages = greatest(1, pg_relation_size(oid) / 8192)"
    " WHERE oid = CAST(:t AS regclass)"
    " OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = CAST(:t AS regclass))"
)
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
ROWS = 100_000_000
READERS = 1_000_000
SIZES = {"delivery": ROWS, "subscription": READERS, "subscriber": READERS}
QUESTIONS: dict[str, Callable[[Session], object]] = {
    "what is due": lambda session: deliveries.count_due(session, NOW),
    "what is due of a digest": lambda session: deliveries.count_due(session, NOW, digest="world"),
    "what workers own": deliveries.count_owned,
    "an edition's states": lambda session: deliveries.count_states(session, 1),
    "an edition's reasons": lambda session: deliveries.count_reasons(session, 1),
    "what an edition planned": lambda session: deliveries.count_planned(session, 1),
    "when an edition goes on": lambda session: deliveries.next_due_at(session, 1),
    "which editions are finished": lambda session: deliveries.finish_editions(session, NOW),
    "what is to be repeated": lambda session: deliveries.plan_repeats(session, NOW),
    "what a dead worker left": lambda session: deliveries.reap(session, 7, resend=True, now=NOW),
    "what a reader has": lambda session: deliveries.history_of(session, 1),
    "what a reader got last": lambda session: variants.list_counted(session, 1, 5),
}  # fmt: skip


@pytest.fixture
def large(database: Database) -> Iterator[Database]:
    """Yield a database whose planner takes its tables to be large."""
    with database.write() as session:
        connection = session.connection()
        if database.is_sqlite:
            connection.execute(text("ANALYZE"))
            connection.execute(text("DELETE FROM sqlite_stat1"))
            for table, rows in SIZES.items():
                connection.execute(
                    text("INSERT INTO sqlite_stat1 VALUES (:t, NULL, :rows)"), {"t": table, "rows": str(rows)}
                )
        else:
            for statement in PAGES:
                connection.execute(text(statement))
            for table, rows in SIZES.items():
                connection.execute(text(SIZE), {"t": table, "rows": rows})
    database.engine.dispose()  # SQLite reads its statistics when it opens a database
    yield database
    if not database.is_sqlite:
        with database.write() as session:
            session.connection().execute(text("ANALYZE delivery, subscription, subscriber"))


def plans_of(session: Session, ask: Callable[[Session], object]) -> list[str]:
    """Return how the database goes about each statement of a question."""
    connection, asked = session.connection(), list[tuple[str, object]]()
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    ask(session)
    event.remove(connection, "before_cursor_execute", note)
    return [str(row[-1]) for statement, parameters in asked
            for row in connection.exec_driver_sql(explain + statement, parameters)]  # type: ignore[arg-type]  # fmt: skip


def reads_all(step: str) -> bool:
    """Return whether a step of a plan reads every delivery."""
    return (
        re.search(r"Seq Scan on delivery\b|^SCAN delivery(?! USING (COVERING )?INDEX ix_delivery_o)", step)
        is not None
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_of_every_round_reads_all_deliveries(large: Database, question: str) -> None:
    with large.read() as session:
        steps = plans_of(session, QUESTIONS[question])

    assert steps
    assert not [step for step in steps if reads_all(step)], steps


def test_a_question_that_reads_all_deliveries_is_noticed(large: Database) -> None:
    with large.read() as session:
        steps = plans_of(
            session,
            lambda s: s.connection().execute(
                text("SELECT count(reply_text) FROM delivery WHERE reply_code = 9")
            ),
        )

    assert [step for step in steps if reads_all(step)], steps
