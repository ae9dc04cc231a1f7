"""Copy every table of a SQLite database into an empty one on PostgreSQL, and compare them row by row.

The rows keep their ids, so links, Message-IDs and tokens stay valid. PostgreSQL receives them by COPY, which
is ten times as fast as INSERT.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from itertools import zip_longest
from typing import Any

from sqlalchemy import JSON, Column, Table, func, select, text
from sqlmodel import Session, SQLModel

from digest.errors import DigestError

_AT_ONCE = 2_000
_LARGEST_KEY = 2**31 - 1

Row = Sequence[Any]


def tables() -> list[Table]:
    """Return every table, each after those that its foreign keys name."""
    return SQLModel.metadata.sorted_tables


def copy_rows(source: Session, target: Session, table: Table) -> int:
    """Copy the rows of one table, and set its sequence after the highest id; return how many there were.

    Raise DigestError for a row that PostgreSQL cannot store: a text with a NUL character.
    """
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    count, writers = 0, [_writer(column) for column in table.columns]
    cursor = target.connection().connection.cursor()
    with cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copying:  # type: ignore[attr-defined]
        for row in _rows(source, table):
            _refuse_nul(table, row)
            copying.write_row([write(value) for write, value in zip(writers, row, strict=True)])
            count += 1
    _set_sequence(target, table)
    return count


def first_difference(source: Session, target: Session, table: Table) -> str | None:
    """Compare two tables row by row in the order of their keys; name the first row that differs."""
    keys = [column.name for column in table.primary_key]
    places = [list(table.columns).index(column) for column in table.primary_key]
    with closing(_rows(source, table)) as ours, closing(_rows(target, table)) as theirs:
        for one, other in zip_longest(ours, theirs):
            if one != other:
                row = other if one is None else one
                named = ", ".join(f"{key} {row[place]}" for key, place in zip(keys, places, strict=True))
                return f"{table.name} ({named})"
    return None


def is_empty(session: Session) -> bool:
    """Return whether no reader, article, edition or key has been stored."""
    return not any(session.connection().execute(select(table).limit(1)).first() for table in tables())


def seal(session: Session, message: str) -> None:
    """Make SQLite refuse every later change of these tables with a message, from any process."""
    said = message.replace("'", "''")
    for name in _list_real(session):
        for act in ("INSERT", "UPDATE", "DELETE"):
            session.connection().exec_driver_sql(
                f'CREATE TRIGGER "moved_{name}_{act.lower()}" BEFORE {act} ON "{name}"'
                f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )


def _list_real(session: Session) -> list[str]:
    """List the tables that can have triggers; the index of words has none, and changes with articles only."""
    kinds = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    names = session.connection().exec_driver_sql(kinds).scalars()
    return sorted(name for name in names if not name.startswith("sqlite_"))


def analyze(session: Session) -> None:
    """Update the planner's statistics for the tables that have just been filled."""
    session.connection().exec_driver_sql("ANALYZE")


def _rows(session: Session, table: Table) -> Generator[Row]:
    """Read a table in the order of its key, in constant memory.

    Texts are ordered by their bytes on both sides, because PostgreSQL's own order depends on the server's
    locale.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    order = [
        func.convert_to(column, "UTF8") if is_postgresql and column.type.python_type is str else column
        for column in table.primary_key
    ]
    query = select(*table.columns).order_by(*order).execution_options(yield_per=_AT_ONCE)
    with session.connection().execute(query) as found:
        for row in found:
            yield tuple(row)


def _writer(column: Column[Any]) -> Callable[[Any], Any]:
    """Return a function that converts a value to one that PostgreSQL's driver can write."""
    if not isinstance(column.type, JSON):
        return lambda value: value
    from psycopg.types.json import Json  # not imported where SQLite is used

    is_optional = bool(column.nullable)
    return lambda value: None if value is None and is_optional else Json(value)


def _refuse_nul(table: Table, row: Row) -> None:
    if any(isinstance(value, str) and "\0" in value for value in row):
        key = ", ".join(str(row[list(table.columns).index(column)]) for column in table.primary_key)
        raise DigestError(
            f"{table.name} {key} has a text with a NUL character, which PostgreSQL does not take:"
            " remove it from that row, then move again"
        )


def _set_sequence(session: Session, table: Table) -> None:
    """Set the sequence so that the next id follows the highest that was copied."""
    columns = list(table.primary_key)
    if len(columns) != 1 or columns[0].type.python_type is not int:
        return
    query = text("SELECT pg_get_serial_sequence(:name, :key)")
    sequence = session.connection().scalar(query, {"name": f'"{table.name}"', "key": columns[0].name})
    highest = session.connection().scalar(select(func.max(columns[0])))
    if sequence and highest and highest < _LARGEST_KEY:
        session.connection().execute(
            text("SELECT setval(:name, :value)"), {"name": sequence, "value": highest}
        )
