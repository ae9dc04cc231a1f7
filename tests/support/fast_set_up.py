"""What every test would do over again, done once: the schema's migrations, and hashes that are made to be slow.

A new database gets the tables that the migrations make, without running them: from a script on SQLite, from a
template on PostgreSQL. `tests/store/test_schema.py` runs them.
"""

import sqlite3
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import Connection

from digest.store import schema
from digest.store.database import Database
from digest.tasks.desk import passwords

REAL_UPGRADE = schema._upgrade


def upgrade(connection: Connection, before: str | None) -> None:
    """Do what `schema._upgrade` does, at once where the database is a new one on SQLite."""
    if before is not None or connection.dialect.name != "sqlite":
        REAL_UPGRADE(connection, before)
        return
    for statement in _statements():
        connection.exec_driver_sql(statement)


@cache
def _statements() -> tuple[str, ...]:
    """Return what makes a migrated database of an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        database = Database(f"sqlite:///{path}")
        with database.engine.begin() as connection:
            REAL_UPGRADE(connection, None)
        database.close()
        made = sqlite3.connect(path)
        # A virtual table makes the tables behind it itself.
        behind = {
            name for (name,) in made.execute("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
        }
        query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        tables = [sql for name, sql in made.execute(query) if name not in behind]
        without = ("sqlite_", *(f'"{name}"' for name in behind))
        rows = [
            line
            for line in made.iterdump()
            if line.startswith("INSERT INTO") and not any(name in line for name in without)
        ]
        made.close()
    return (*tables, *rows)


def quick_hasher() -> PasswordHasher:
    """Return a hasher of the same kind that takes no time and no memory."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def install(replace: Callable[[object, str, object], None]) -> None:
    """Put both in place; `replace` sets an attribute of a module."""
    hasher = quick_hasher()
    replace(schema, "_upgrade", upgrade)
    replace(passwords, "_HASHER", hasher)
    replace(passwords, "_NOBODYS", hasher.hash("the password of nobody"))
