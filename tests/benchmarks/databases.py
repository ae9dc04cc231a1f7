"""The databases that benchmarks deliver from, and what PostgreSQL's server does for a message."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.support.postgresql import PostgresqlServer, debian_server


@dataclass(frozen=True, slots=True)
class Work:
    """What a PostgreSQL server has done: processor's seconds, bytes of WAL, updates, HOT ones among them."""

    seconds: float = 0
    wal: int = 0
    updates: int = 0
    hot_updates: int = 0

    def since(self, before: "Work") -> "Work":
        """Return what was done between two readings."""
        return Work(
            self.seconds - before.seconds,
            self.wal - before.wal,
            self.updates - before.updates,
            self.hot_updates - before.hot_updates,
        )

    def per_message(self, messages: int) -> str:
        """Return the figures a message, as a line says them."""
        return (
            f"; the database's {1e6 * self.seconds / messages:.0f} us, {self.wal / messages:.0f} bytes of WAL,"
            f" {self.updates / messages:.2f} row versions, {self.hot_updates / messages:.2f} of them HOT"
        )


class BenchmarkDatabase:
    """A database of its own for one run; `work` reads what its server has done, nothing on SQLite."""

    def __init__(self, url: str, folder: Path | None = None) -> None:
        self.url = url
        self._folder = folder

    def work(self) -> Work:
        """Read what the server has done so far."""
        if self._folder is None:
            return Work()
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            wal = connection.scalar(text("SELECT pg_current_wal_lsn() - '0/0'"))
            updates, hot = connection.execute(
                text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'delivery'")
            ).one_or_none() or (0, 0)
        engine.dispose()
        return Work(_seconds(self._folder), int(wal or 0), updates, hot)


@contextmanager
def benchmark_database(kind: str, folder: Path) -> Iterator[BenchmarkDatabase]:
    """Open an empty SQLite database in a folder, or one of a durable PostgreSQL server of its own."""
    if kind == "sqlite":
        yield BenchmarkDatabase(f"sqlite:///{folder}/digest.db")
        return
    binaries = debian_server()
    assert binaries is not None, "Debian's postgresql is not installed"
    server = PostgresqlServer(binaries, "-c fsync=on -c max_wal_size=4GB")
    try:
        yield BenchmarkDatabase(server.url.format(name="postgres"), server.folder)
    finally:
        server.stop()


def _seconds(folder: Path) -> float:
    """Add up the processor's time of a cluster's processes, ended ones too (proc(5): utime to cstime)."""
    parent = (folder / "cluster" / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if stat.parent.name == parent:
            ticks += sum(map(int, fields[11:15]))
        elif fields[1] == parent:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")
