"""Print what 1, 2 and 4 delivering processes make together on PostgreSQL, over 20 ms and over loopback.

Run `uv run python -m tests.benchmarks.several [READERS] [SECONDS]`. Each process has connections of its own; the rate
is that of some seconds in which all of them deliver, counted in the database. One edition lasts for all.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from tests.benchmarks.databases import BenchmarkDatabase, benchmark_database
from tests.benchmarks.delivery import Planned, Target
from tests.benchmarks.distance import distant
from tests.benchmarks.relays import Sink, sink

EACH = {"20 ms": 4, "loopback": 10}
ACCEPTED = text("SELECT count(*) FROM delivery WHERE state = 'accepted'")
ALIVE = text("SELECT count(*) FROM worker WHERE ended_at IS NULL")


def rate_of(planned: Planned, engine: Engine, processes: int, seconds: float) -> float:
    """Return the messages a second that so many processes make while all of them are at work."""
    with engine.connect() as connection:
        started = [planned.publication.start("send", "--quiet") for _ in range(processes)]
        try:
            first = connection.scalar(ACCEPTED)
            while connection.scalar(ALIVE) != processes or connection.scalar(ACCEPTED) == first:
                time.sleep(0.2)
            time.sleep(3)  # until all of them have their connections
            began, before = time.monotonic(), connection.scalar(ACCEPTED)
            time.sleep(seconds)
            ended, after = time.monotonic(), connection.scalar(ACCEPTED)
            left = connection.scalar(text("SELECT count(*) FROM delivery WHERE is_open"))
            assert left, "the edition was too small: name more readers"
        finally:
            _end(started)
    return float(after - before) / (ended - began)


def _end(started: list[subprocess.Popen[str]]) -> None:
    for process in started:
        process.terminate()
    for process in started:
        process.communicate(timeout=60)


def main() -> None:
    """Print the rates, and what they are of the first one's."""
    readers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    for where, each in EACH.items():
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        with sink() as near, benchmark_database("postgresql", folder) as store:
            far = distant(near.port) if where == "20 ms" else nullcontext(near.port)
            with far as port:
                _print_rates(where, each, Sink(port, near.pid), (folder, store), readers, seconds)
        shutil.rmtree(folder)


def _print_rates(
    where: str, each: int, relay: Sink, at: tuple[Path, BenchmarkDatabase], readers: int, seconds: float
) -> None:
    folder, store = at
    planned = Planned(folder, Target(relay), readers, each, "unsigned", store)
    engine, first = create_engine(store.url, isolation_level="AUTOCOMMIT"), 0.0
    for processes in (1, 2, 4):
        # What is stated holds for all of them together.
        stated, publication = "connections = {}\n", planned.publication
        publication.change_settings(
            stated.format(each * max(1, processes // 2)), stated.format(each * processes)
        )
        rate = rate_of(planned, engine, processes, seconds)
        first = first or rate
        print(  # noqa: T201
            f"{where}, {processes} processes of {each} connections: {rate:,.0f} messages/s,"
            f" {rate / first:.2f} times one process, {rate / first / processes:.2f} of linear",
            flush=True,
        )
    engine.dispose()


if __name__ == "__main__":
    main()
