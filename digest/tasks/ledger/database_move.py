"""Move a publication from SQLite to PostgreSQL: copy, compare, seal the old database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from digest.errors import Refused, UsageError
from digest.models import EditionState
from digest.models.row import row_id
from digest.store import schema, table_copy, workers
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import editions
from digest.tasks.ledger.state_file import save_state

Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied and compared: `Moved(38, 120345)`."""

    tables: int
    rows: int


def move(
    source: Database,
    target: Database,
    *,
    state: Path,
    identity: str,
    tell: Tell = lambda _table, _rows: None,
) -> Moved:
    """Copy a SQLite database into an empty one on PostgreSQL, compare every row, and seal the old one.

    The old database is locked for writing meanwhile, so pages wait or answer 503 and no reader's change is
    lost; afterwards it refuses every change. Raise UsageError for other kinds of databases, and Refused while
    anything is under way or if a row differs; nothing is changed then.
    """
    _check_kinds(source, target)
    schema.migrate(target)
    with source.write() as old:
        _refuse_while_under_way(source, old)
        moved = _copy(old, target, tell)
        place = target.engine.url.set(query={}).render_as_string(hide_password=True)
        table_copy.seal(old, f"moved: this publication is now at {place}")
    save_state(target, state, identity)
    return moved


def _copy(old: Session, target: Database, tell: Tell) -> Moved:
    """Copy and compare in one transaction of the new database."""
    with target.write() as new:
        if not table_copy.is_empty(new):
            raise Refused(
                f"the database {target.engine.url.database} is not empty: name a new one, or drop this one"
                " if it is left from an attempt that was interrupted"
            )
        total = 0
        for table in table_copy.tables():
            count = table_copy.copy_rows(old, new, table)
            difference = table_copy.first_difference(old, new, table)
            if difference:
                raise Refused(f"{difference} is not the same in both databases; nothing was moved")
            tell(table.name, count)
            total += count
    with target.write() as new:
        table_copy.analyze(new)
    return Moved(len(table_copy.tables()), total)


def _check_kinds(source: Database, target: Database) -> None:
    if not source.is_sqlite:
        raise UsageError(
            "[database] url names PostgreSQL already: move between servers with pg_dump and pg_restore, then"
            " `digest resume`"
        )
    if target.is_sqlite:
        raise UsageError("the new database must be on PostgreSQL: postgresql://USER@HOST/NAME")


def _refuse_while_under_way(source: Database, session: Session) -> None:
    """Raise Refused while a worker is alive, an edition is being compiled, or a message has no reply yet."""
    living = [worker for worker in workers.list_unended(session) if workers.is_alive(source, row_id(worker))]
    if living:
        named = ", ".join(f"{worker.host} process {worker.pid}" for worker in living)
        raise Refused(f"the program is at work ({named}): end it (SIGTERM), then move")
    compiling = editions.list_editions(session, states=[EditionState.COMPILING])
    owned = deliveries.count_owned(session)
    if compiling or owned:
        raise Refused(
            f"{len(compiling)} editions are being compiled and {owned} messages have no answer yet:"
            " run `digest send` once, then move"
        )
