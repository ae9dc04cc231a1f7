"""Print the peak memory of `digest send`, whole, at growing numbers of readers: it should be flat.

Run `uv run python -m tests.benchmarks.memory [READERS...]`, or `... memory postgresql [READERS]` for an edition that
is planned on PostgreSQL, delivered for a minute, stopped and resumed for another.
"""

import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from tests.benchmarks.databases import benchmark_database
from tests.benchmarks.delivery import Target, prepare
from tests.benchmarks.relays import sink


def peak_of(readers: int) -> tuple[float, float]:
    """Return the peak resident memory in MB and the seconds that one edition takes."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    with sink() as found:
        publication = prepare(folder, Target(found), readers, 10, "unsigned", f"sqlite:///{folder}/digest.db")
        began = time.monotonic()
        process = publication.start("send", "world", "--now", "--quiet")
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _high_water(process.pid))
            time.sleep(0.02)
        seconds = time.monotonic() - began
    shutil.rmtree(folder)
    assert process.returncode == 0, process.returncode
    return peak, seconds


def stopped_and_resumed(readers: int) -> None:
    """Print the peak of two runs of one edition on PostgreSQL, each ended after a minute of delivery."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    with sink() as found, benchmark_database("postgresql", folder) as store:
        publication = prepare(folder, Target(found), readers, 10, "unsigned", store.url)
        engine = create_engine(store.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for what in ("planned, and delivered for a minute", "resumed for a minute"):
                began, peak, until, before = time.monotonic(), 0.0, 0.0, _accepted(connection)
                process = publication.start("send", "world", "--now", "--quiet")
                while process.poll() is None:
                    peak = max(peak, _high_water(process.pid))
                    time.sleep(1)
                    if not until and _accepted(connection) > before:
                        until = time.monotonic() + 60
                        print(f"the first message after {until - 60 - began:.0f} s", flush=True)  # noqa: T201
                    elif until and time.monotonic() > until:
                        process.terminate()
                        process.communicate(timeout=60)
                sent = _accepted(connection) - before
                print(  # noqa: T201
                    f"{readers:,} readers, {what}: {sent:,} accepted, peak {peak:.0f} MB, exit {process.returncode}",
                    flush=True,
                )
        engine.dispose()
    shutil.rmtree(folder)


def _accepted(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT count(*) FROM delivery WHERE state = 'accepted'")) or 0)


def _high_water(pid: int) -> float:
    """Return the peak so far; wait4(2) would include this program's own memory, from before exec."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) / 1024 if found else 0


def main() -> None:
    """Print a line a number of readers."""
    if sys.argv[1:2] == ["postgresql"]:
        stopped_and_resumed(int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
        return
    for readers in [int(number) for number in sys.argv[1:]] or [1_000, 10_000, 100_000, 1_000_000]:
        peak, seconds = peak_of(readers)
        print(f"{readers:,} readers: peak {peak:.0f} MB, {seconds:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
