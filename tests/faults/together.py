"""Start cron's runs and daemons at once, on one database: `python -m tests.faults.together [--rounds N] [--database D]`.

In each round an edition has fallen due, and eight processes start within a moment: `digest send`, as cron does,
and `digest run`, in turn. Whoever comes first makes the edition, all deliver it: one edition, one message a
reader at the server that remembers, and a ledger that says the same.
"""

import argparse
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import time_machine

from tests.faults.killing import Edition, Found, Newsstand
from tests.support.newsroom import run_command
from tests.support.postgresql import PostgresqlServer, debian_server

PROCESSES, CONNECTIONS, READERS = 8, 2, 60
PATIENCE = 120
MOMENT = 0.3  # seconds within which all have started


@contextmanager
def newsstand(folder: Path, postgresql: str | None = None, readers: int = READERS) -> Iterator[Newsstand]:
    """Yield a publication whose cadences began the day before yesterday, so that an edition is due."""
    before = datetime.now(UTC) - timedelta(days=2)
    found = Newsstand(folder, readers, postgresql, at=before)
    with time_machine.travel(before, tick=True):
        run_command("send", "--quiet", "--config", str(found.folder / "config.toml"))
    yield found
    found.close()


def race(edition: Edition, chance: random.Random, processes: int = PROCESSES) -> str:
    """Let processes start within a moment, and say what is wrong with what came of it."""
    runs: list[BaseProcess] = []
    daemons: list[BaseProcess] = []
    for number in chance.sample(range(processes), processes):
        kind, command = ((runs, "send"), (daemons, "run"))[number % 2]
        edition.environment["DIGEST_WEB__PORT"] = str(_free_port())
        kind.append(edition.start(command))
        time.sleep(chance.random() * MOMENT / processes)
    end = time.monotonic() + PATIENCE
    for process in runs:
        process.join(max(0, end - time.monotonic()))
    while len(edition.recording.transactions) < edition.found.readers and time.monotonic() < end:
        time.sleep(0.01)
    while _count_ready(edition) < len(daemons) and time.monotonic() < end:
        time.sleep(0.01)
    for process in daemons:
        process.terminate()
    for process in daemons:
        process.join(max(10, end - time.monotonic()))
    codes = [process.exitcode for process in (*runs, *daemons)]
    for process in (*runs, *daemons):
        process.kill()
    return trouble(edition.judge(), codes, (edition.folder / "output").read_text())


def _count_ready(edition: Edition) -> int:
    """Count the daemons that say that they have begun."""
    return (edition.folder / "output").read_text().count("Ctrl-C ends it")


def _free_port() -> int:
    """Return a port for a daemon's pages."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def trouble(found: Found, codes: Sequence[int | None], output: str) -> str:
    """Describe what is wrong with a round; empty if nothing is."""
    said = [found.trouble] if found.trouble else []
    if any(codes):
        said.append(f"exit codes {codes}, output:\n{output}")
    made = [
        one["period"]
        for one in found.audit["editions"]
        if one["cadence"] == "daily" and one["state"] != "skipped"
    ]
    if len(made) != 1:
        said.append(f"{len(made)} editions were made: {made}")
    return ", ".join(said)


def main(arguments: list[str] | None = None) -> int:
    """Run rounds on each database and print what was seen."""
    asked = argparse.ArgumentParser(
        prog="tests.faults.together", description="Cron's runs and daemons at once."
    )
    asked.add_argument("--rounds", type=int, default=200, help="on each database")
    asked.add_argument("--database", choices=("sqlite", "postgresql"))
    asked.add_argument("--seed", type=int, default=1)
    chosen = asked.parse_args(arguments)
    binaries = debian_server()
    server = PostgresqlServer(binaries) if binaries and chosen.database != "sqlite" else None
    urls = {"sqlite": None, "postgresql": server.url if server else None}
    failed = 0
    try:
        for name, url in urls.items():
            if name == (chosen.database or name) and (url or name == "sqlite"):
                failed += _rounds(name, url, chosen.rounds, random.Random(chosen.seed))
    finally:
        if server:
            server.stop()
    return 1 if failed else 0


def _rounds(name: str, url: str | None, rounds: int, chance: random.Random) -> int:
    """Run the rounds of one database; return how many went wrong."""
    began, failed, messages = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder, newsstand(Path(folder), url) as stand:
        for number in range(rounds):
            with stand.edition(CONNECTIONS) as edition:
                said = race(edition, chance)
                messages += len(edition.recording.transactions)
            if said:
                failed += 1
                print(f"{name}, round {number}: {said}")  # noqa: T201
    print(  # noqa: T201
        f"{name}: {rounds} rounds of {PROCESSES} processes and {READERS} readers, {messages} messages,"
        f" {failed} in trouble; {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return failed


if __name__ == "__main__":
    sys.exit(main())
