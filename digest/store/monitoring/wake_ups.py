"""The queues that wake workers, as Procrastinate's tables hold them: read only, and only where they exist.

`digest.job_queue` is what uses the library. Whoever only asks how much waits needs none of it, so the command
that reports runs where the library is not installed.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

SCHEMA_PREFIX = "digest_jobs_"
"""How the schemas of the queues' tables begin; the library's version follows."""

_SCHEMAS = (
    "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :prefix)"
    " AND to_regclass(quote_ident(nspname) || '.procrastinate_jobs') IS NOT NULL ORDER BY nspname"
)
_WAKE_UPS = (
    "SELECT queue_name, count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'doing')"
    " FROM \"{schema}\".procrastinate_jobs WHERE status IN ('todo', 'doing') GROUP BY queue_name"
)
_LISTENERS = 'SELECT count(*) FROM "{schema}".procrastinate_workers WHERE last_heartbeat >= :since'


class Queue(NamedTuple):
    """One queue: `Queue("delivery", waiting=3, running=2)` has three wake-ups that nobody has taken yet."""

    name: str
    waiting: int
    running: int


def list_queues(session: Session) -> list[Queue]:
    """List the queues that have a wake-up, over all versions of the library; none on SQLite."""
    found: dict[str, Queue] = {}
    for schema in _schemas(session):
        for name, waiting, running in session.connection().execute(text(_WAKE_UPS.format(schema=schema))):
            known = found.get(name, Queue(name, 0, 0))
            found[name] = Queue(name, known.waiting + waiting, known.running + running)
    return [found[name] for name in sorted(found)]


def count_listeners(session: Session, now: datetime, silence: timedelta) -> int:
    """Count the queues that processes listen to: each process to several, each with its own heartbeat.

    One without a heartbeat for as long as `silence` does not count.
    """
    since = {"since": now - silence}
    connection = session.connection()
    return sum(
        int(connection.execute(text(_LISTENERS.format(schema=schema)), since).scalar_one())
        for schema in _schemas(session)
    )


def _schemas(session: Session) -> list[str]:
    if session.get_bind().dialect.name != "postgresql":
        return []
    return list(session.connection().execute(text(_SCHEMAS), {"prefix": SCHEMA_PREFIX}).scalars())
