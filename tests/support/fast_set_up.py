"""What every test would do over again, done once: migrations, hashes made to be slow, reading routes' parameters.

A new database gets the tables that the migrations make, without running them: from a script on SQLite, from a
template on PostgreSQL. `tests/store/test_schema.py` runs them.

Every desk has 160 routes, and FastAPI reads their parameters anew for each application: half of the time that
making one takes. What it reads of a method, and of a parameter without a default, is the same each time.
"""

import sqlite3
import tempfile
from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from fastapi.dependencies import utils as fastapi_parameters
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


def remember_signatures(read: Callable[[Any], Signature]) -> Callable[[Any], Signature]:
    """Return `read` that looks at each method once, whatever object it is bound to."""
    known: dict[object, Signature] = {}

    def remembered(call: Any) -> Signature:
        method = getattr(call, "__func__", None)
        if method is None:
            return read(call)
        if method not in known:
            known[method] = read(call)
        return known[method]

    return remembered


def remember_parameters(analyze: Callable[..., Any]) -> Callable[..., Any]:
    """Return `analyze` that looks once at each parameter without a default, by name, type and place."""

    @cache
    def once(name: str, annotation: Any, in_path: bool) -> Any:
        return analyze(
            param_name=name, annotation=annotation, value=Parameter.empty,
            path_param_names={name} if in_path else set(),
        )  # fmt: skip

    def remembered(*, param_name: str, annotation: Any, value: Any, path_param_names: set[str]) -> Any:
        if value is not Parameter.empty or getattr(annotation, "__hash__", None) is None:
            return analyze(
                param_name=param_name, annotation=annotation, value=value, path_param_names=path_param_names
            )
        return once(param_name, annotation, param_name in path_param_names)

    return remembered


def install(replace: Callable[[object, str, object], None]) -> None:
    """Put all in place; `replace` sets an attribute of a module."""
    hasher = quick_hasher()
    replace(schema, "_upgrade", upgrade)
    replace(passwords, "_HASHER", hasher)
    replace(passwords, "_NOBODYS", hasher.hash("the password of nobody"))
    replace(
        fastapi_parameters, "get_typed_signature", remember_signatures(fastapi_parameters.get_typed_signature)
    )
    replace(fastapi_parameters, "analyze_param", remember_parameters(fastapi_parameters.analyze_param))
