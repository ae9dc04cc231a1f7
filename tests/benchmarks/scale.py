"""Print what a daily edition takes from 10,000 to 100,000,000 readers, and compare the small end with a database.

Run `uv run python -m tests.benchmarks.scale` for the table of docs/scale.md, `... scale measure [READERS]
[sqlite|postgresql]...` to plan and account for an edition of so many readers (20,000) and print each measured figure
beside the one that the table is computed from. Counted figures (bytes, rows) repeat; the processor's time differs by
what else the machine does. Nothing is sent: what a message costs to send is in docs/speed.md.
"""

import math
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from digest.bootstrap import Application
from digest.settings import load_settings
from digest.store.delivery import claims
from digest.tasks.articles.fetching import fetch_due
from tests.benchmarks.databases import BenchmarkDatabase, benchmark_database
from tests.benchmarks.readers import load_readers
from tests.support.newsroom import Publication

STEPS = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
WINDOW_SECONDS = 3_600
MESSAGE = 30_000
"""Bytes of a message, as in docs/speed.md."""
FIVE_YEARS = 5 * 365 + 1


@dataclass(frozen=True, slots=True)
class Costs:
    """What one reader and one delivery cost on a database: bytes with indexes, and the processor's time.

    `log_bytes` is WAL, from planning to the accepted reply; `rate` what one delivering process made of unsigned
    messages a second on two cores that its relay shared.
    """

    reader_bytes: float
    delivery_bytes: float
    log_bytes: float
    plan_us: float
    send_us: float
    server_us: float
    rate: float


COSTS = {
    "SQLite": Costs(
        reader_bytes=365, delivery_bytes=148, log_bytes=0, plan_us=50, send_us=115, server_us=0, rate=7_800
    ),
    "PostgreSQL": Costs(
        reader_bytes=515,
        delivery_bytes=570,
        log_bytes=1_760,
        plan_us=50,
        send_us=150,
        server_us=78,
        rate=3_200,
    ),
}
SIGN_US = 350
"""The processor's time for an RSA-2048 signature, at most."""
SIGNED_RATE = 2_700
"""Messages a second that one process signed by RSA-2048 on two cores that its relay shared."""
TRIP_SECONDS = 0.027
"""What a message takes on one connection to a relay 20 ms away: 20 connections made 747 a second."""
SHARE = 0.4
"""Assumed: the share of the readers whose mailboxes the largest receiver runs."""
BULK_FROM = 5_000
"""Messages a day to one receiver from which Google's and Microsoft's rules for bulk senders hold."""


def rate_for(readers: int) -> float:
    """Return the messages a second that bring an edition out within the window."""
    return readers / WINDOW_SECONDS


def row(readers: int) -> list[str]:
    """Return a line of the table: what a daily edition of so many readers takes."""
    rate = rate_for(readers)
    lite, large = COSTS["SQLite"], COSTS["PostgreSQL"]
    return [
        f"{readers:,}",
        f"{_bytes(readers * lite.delivery_bytes)} / {_bytes(readers * large.delivery_bytes)}",
        _bytes(readers * large.log_bytes),
        f"{_bytes(FIVE_YEARS * readers * lite.delivery_bytes)} / {_bytes(FIVE_YEARS * readers * large.delivery_bytes)}",
        _seconds(readers * large.plan_us / 1e6),
        f"{_number(rate)}",
        f"{_bytes(rate * MESSAGE)}/s",
        f"{math.ceil(rate * TRIP_SECONDS):,}",
        f"{_number(rate * large.send_us / 1e6)}",
        f"{_number(rate * SIGN_US / 1e6)}",
        f"{_number(rate * large.server_us / 1e6)}",
        f"{_number(rate * SHARE)}",
    ]


HEADINGS = (
    "readers = rows a day",
    "rows' bytes a day, SQLite / PostgreSQL",
    "WAL a day",
    "rows' bytes after five years",
    "planning, one core",
    "messages a second for one hour",
    "network",
    "connections, relay 20 ms away",
    "cores to send",
    "cores to sign (RSA-2048)",
    "PostgreSQL's cores",
    "messages a second to the largest receiver",
)


def table() -> str:
    """Return the table of docs/scale.md: a line for each figure, a column for each number of readers."""
    columns = [row(readers) for readers in STEPS]
    lines = [
        f"| {' | '.join((heading, *cells))} |" for heading, *cells in zip(HEADINGS, *columns, strict=True)
    ]
    return "\n".join([lines[0], "|---" * (len(STEPS) + 1) + "|", *lines[1:]])


def limits() -> list[tuple[int, str]]:
    """Return what ends at which number of readers, the smallest first."""
    lite, large = COSTS["SQLite"], COSTS["PostgreSQL"]
    found = {
        "rules for bulk senders hold at the largest receiver": BULK_FROM / SHARE,
        "two connections to a relay 20 ms away": 2 / TRIP_SECONDS * WINDOW_SECONDS,
        "a disk of 1 TB with five years of deliveries on PostgreSQL": 1e12
        / FIVE_YEARS
        / large.delivery_bytes,
        "a disk of 1 TB with five years of deliveries on SQLite": 1e12 / FIVE_YEARS / lite.delivery_bytes,
        "one process that signs, on two cores": SIGNED_RATE * WINDOW_SECONDS,
        "one process on PostgreSQL, unsigned": large.rate * WINDOW_SECONDS,
        "planning within ten minutes": 600e6 / large.plan_us,
        "a network of 1 Gbit/s": 1e9 / 8 / MESSAGE * WINDOW_SECONDS,
        "one process on SQLite, unsigned": lite.rate * WINDOW_SECONDS,
        "sixteen delivering processes, as many as an edition wakes": 16 * large.rate * WINDOW_SECONDS,
    }
    return sorted((_rounded(number), what) for what, number in found.items())


def limits_table() -> str:
    """Return what ends first as the table of docs/scale.md."""
    return "\n".join(
        [
            "| readers | what reaches its limit |",
            "|---|---|",
            *(f"| {n:,} | {what} |" for n, what in limits()),
        ]
    )


def _rounded(number: float) -> int:
    """Return a number with two digits that count: the figures are no more exact than that."""
    unit = int(10 ** max(0, math.floor(math.log10(number)) - 1))
    return int(number // unit) * unit


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _bytes(value: float) -> str:
    power = min(5, max(1, int(math.log10(value)) // 3))
    return f"{_number(value / 1_000**power)} {('kB', 'MB', 'GB', 'TB', 'PB')[power - 1]}"


def _seconds(value: float) -> str:
    return f"{_number(value)} s" if value < 120 else f"{value / 60:,.0f} min"


@dataclass(frozen=True, slots=True)
class Measured:
    """What an edition of so many readers took."""

    reader_bytes: float
    delivery_bytes: float
    log_bytes: float
    plan_us: float


def measure(kind: str, readers: int) -> Measured:
    """Plan an edition, claim, mark and accept all of it, and return the figures a reader and a delivery."""
    with tempfile.TemporaryDirectory() as name, benchmark_database(kind, Path(name)) as store:
        publication = Publication(Path(name), store.url)
        publication.write_article("Bridge reopens")
        app = Application(load_settings(publication.config))
        before = size_of(app, store)
        load_readers(app.database, readers)
        loaded = size_of(app, store)
        with app.worker() as worker:
            fetch_due(app.database, app.settings, app.clock())
            bare, log = size_of(app, store), store.work().wal
            began = time.process_time()
            app.compiler(worker).compile_due(app.settings.digest("world"), app.clock(), at_once=True)
            planned = time.process_time() - began
            account(app, worker.id)
        log = store.work().wal - log
        after = size_of(app, store)
        app.close()
    return Measured(
        (loaded - before) / readers, (after - bare) / readers, log / readers, 1e6 * planned / readers
    )


def account(app: Application, owner: int) -> None:
    """Claim, mark and accept whatever is due, in turns of 24 as delivery does with as many connections."""
    transactions = app.database.transactions()
    while True:
        with transactions.transaction() as turn:
            jobs = claims.claim(turn.connection, owner=owner, now=app.clock(), size=240)
        if not jobs:
            break
        for start in range(0, len(jobs), 24):
            part = jobs[start : start + 24]
            with transactions.transaction() as turn:
                ready = {job.delivery_id: (job, app.clock()) for job in part}
                assert not claims.mark_in_flight(turn.connection, ready, owner=owner, now=app.clock())
            with transactions.transaction() as turn:
                codes = dict.fromkeys(ready, 250)
                claims.record_accepted(turn.connection, codes, owner=owner, now=app.clock())
    transactions.close()


def size_of(app: Application, store: BenchmarkDatabase) -> int:
    """Return the bytes of all tables and indexes, after what is dead was given back."""
    if app.database.is_sqlite:
        with app.database.read() as session:
            pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
            free = session.connection().exec_driver_sql("PRAGMA freelist_count").scalar_one()
            size = session.connection().exec_driver_sql("PRAGMA page_size").scalar_one()
        return int((pages - free) * size)
    engine = create_engine(store.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM"))
        total = connection.scalar(text("SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables"))
    engine.dispose()
    return int(total or 0)


def main(arguments: list[str]) -> None:
    """Print the tables, or what was measured beside what they are computed from."""
    if arguments[:1] != ["measure"]:
        print(table(), limits_table(), sep="\n\n")  # noqa: T201
        return
    readers = int(arguments[1]) if len(arguments) > 1 else 20_000
    for kind in arguments[2:] or ["sqlite", "postgresql"]:
        costs = COSTS["SQLite" if kind == "sqlite" else "PostgreSQL"]
        found = measure(kind, readers)
        for name in Measured.__slots__:
            computed, measured = getattr(costs, name), getattr(found, name)
            if computed:
                print(f"{kind}, {readers:,} readers: {name} {measured:.0f}, table {computed:.0f}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
