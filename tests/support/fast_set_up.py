"""What every test would do over again, done once: migrations, hashes made to be slow, compiling, event loops.

A new database gets the tables that the migrations make, without running them: from a script on SQLite, from a
template on PostgreSQL. `tests/store/test_schema.py` runs them.

SQLAlchemy keeps the SQL of a statement for each engine, and Jinja the code of a template for each environment. A
test has engines and environments of its own, which would compile both anew. Here they are kept for the process.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from argon2 import PasswordHasher
from jinja2 import Environment
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from starlette.testclient import TestClient

from digest.store import database, schema
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
        new = Database(f"sqlite:///{path}")
        with new.engine.begin() as connection:
            REAL_UPGRADE(connection, None)
        new.close()
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


def compile_once(compile_template: Callable[..., Any]) -> Callable[..., Any]:
    """Return Jinja's `Environment.compile` that compiles each template once for all environments alike."""
    known: dict[object, Any] = {}

    def compiled(
        self: Environment, source: Any, name: Any = None, filename: Any = None,
        raw: bool = False, defer_init: bool = False,
    ) -> Any:  # fmt: skip
        if not isinstance(source, str):
            return compile_template(self, source, name, filename, raw, defer_init)
        alike = (
            type(self), self.autoescape, self.undefined, self.optimized, self.trim_blocks, self.lstrip_blocks,
            self.keep_trailing_newline, self.finalize, tuple(self.extensions), frozenset(self.filters),
            frozenset(self.tests),
        )  # fmt: skip
        key = (alike, source, name, filename, raw, defer_init)
        if key not in known:
            known[key] = compile_template(self, source, name, filename, raw, defer_init)
        return known[key]

    return compiled


def share_compiled_statements(replace: Callable[[object, str, object], None]) -> None:
    """Let all engines keep compiled statements in one place, where those of one dialect are the same."""
    shared: LRUCache[Any, Any] = LRUCache(4_000)
    make = create_engine

    def make_engine(*values: Any, **options: Any) -> Engine:
        engine = make(*values, **options)
        engine._compiled_cache = shared
        return engine

    replace(database, "create_engine", make_engine)
    replace(DefaultDialect, "__hash__", lambda self: hash(type(self)))
    replace(DefaultDialect, "__eq__", lambda self, other: type(self) is type(other))


@contextmanager
def one_event_loop(replace: Callable[[object, str, object], None]) -> Iterator[None]:
    """Answer the requests of all test clients in one event loop, in place of one for each request."""
    with ExitStack() as stack:
        started: list[BlockingPortal] = []

        @contextmanager
        def portal(self: TestClient) -> Iterator[BlockingPortal]:
            if self.portal is None and not started:
                started.append(stack.enter_context(start_blocking_portal(**self.async_backend)))
            yield self.portal or started[0]

        replace(TestClient, "_portal_factory", portal)
        yield


@contextmanager
def installed(replace: Callable[[object, str, object], None]) -> Iterator[None]:
    """Put all in place until the end; `replace` sets an attribute of a module or class."""
    hasher = quick_hasher()
    replace(schema, "_upgrade", upgrade)
    replace(passwords, "_HASHER", hasher)
    replace(passwords, "_NOBODYS", hasher.hash("the password of nobody"))
    replace(Environment, "compile", compile_once(Environment.compile))
    share_compiled_statements(replace)
    with one_event_loop(replace):
        yield
