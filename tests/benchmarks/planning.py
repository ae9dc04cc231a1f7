"""Print how long planning an edition takes beside a bare INSERT ... SELECT of as many deliveries.

Run `uv run python -m tests.benchmarks.planning [READERS] [sqlite|postgresql]...`. Readers live in 40 zones, chose 64
sets of topics, and have different histories: every tenth joined after the first edition, every seventh's delivery of
it failed. The third edition is planned in a process of its own while this one serves pages, and readers leave by one
click. "cold" is planned with nobody in a cohort: everything that readers have is read from the ledger.
"""

import itertools
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import text

from digest.bootstrap import Application
from digest.models import Article, Edition, Subscriber, Subscription
from digest.rules.tokens import tokens
from digest.settings import load_settings
from digest.web.app import create_app
from digest.web.server import Server
from tests.benchmarks.readers import AT_ONCE, person, public_id_of, relation
from tests.conftest import write_config
from tests.support.postgresql import PostgresqlServer, debian_server
from tests.support.readers import Clock
from tests.support.wire import Wire

TOPICS = ("world", "business", "culture", "science", "sport", "travel")
SETS = [tuple(t for bit, t in enumerate(TOPICS) if number >> bit & 1) or ("*",) for number in range(64)]
ZONES = sorted(zone for zone in available_timezones() if zone.startswith("Europe/"))[:40]
FIRST = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
ARTICLES = 20
COLUMNS = "edition_id, subscription_id, variant_id, state, reason, due_at, attempts, resends, reply_text, changed_at"
BARE = (
    f"INSERT INTO delivery ({COLUMNS}) SELECT :edition, id, (SELECT max(id) FROM variant), 'planned', '', :now, 0, 0,"
    " '', :now"
    " FROM subscription WHERE state = 'confirmed'"
)


def prepare(folder: Path, url: str, readers: int) -> Application:
    """Make a publication of which two editions have gone."""
    config = write_config(folder, url)
    config.write_text(
        config.read_text().replace('"culture", "science"', '"culture", "science", "sport", "travel"')
    )
    app = Application(load_settings(config), Clock(FIRST - timedelta(hours=12)))
    _compile(app)
    _load(app, range(0, readers, 10), FIRST + timedelta(hours=1))
    _load(app, (n for n in range(readers) if n % 10), FIRST - timedelta(days=1))
    for day in range(2):
        _publish(app, FIRST + timedelta(days=day, hours=-2))
        _at(app, FIRST + timedelta(days=day))
        _compile(app)
        with app.database.write() as session:
            session.execute(
                text(
                    "UPDATE delivery SET state = 'accepted', changed_at = changed_at WHERE state = 'planned'"
                )
            )
            session.execute(text("UPDATE edition SET state = 'finished' WHERE state = 'frozen'"))
            if not day:
                failed = "SELECT subscription_id FROM delivery WHERE subscription_id % 7 = 0"
                session.execute(text("UPDATE delivery SET state = 'failed' WHERE subscription_id % 7 = 0"))
                session.execute(text(f"UPDATE subscription SET cohort_id = NULL WHERE id IN ({failed})"))
    _publish(app, FIRST + timedelta(days=2, hours=-2))
    return app


def _load(app: Application, numbers: Any, confirmed_at: datetime) -> None:
    people, relations = Subscriber.__table__, Subscription.__table__  # type: ignore[attr-defined]
    left = iter(numbers)
    while some := list(itertools.islice(left, AT_ONCE)):
        with app.database.write() as session:
            connection, added = session.connection(), (FIRST - timedelta(days=9)).isoformat()
            connection.execute(people.insert(), [person(n) | {"timezone": ZONES[n % 40]} for n in some])
            connection.execute(relations.insert(), [
                relation(n, "world", "daily")
                | {"topics": dict.fromkeys(SETS[n % 64], added), "confirmed_at": confirmed_at}
                for n in some
            ])  # fmt: skip


def _publish(app: Application, at: datetime) -> None:
    with app.database.write() as session:
        for number in range(ARTICLES):
            key = f"https://x.example/{at:%d}-{number}"
            session.add(Article(
                source="newsroom", canonical_url=key, url=key, content_hash=key, title=f"Story {key}",
                topics=[TOPICS[number % len(TOPICS)]], first_seen_at=at,
            ))  # fmt: skip


def _at(app: Application, now: datetime) -> None:
    app.clock.now = now  # type: ignore[attr-defined]


def _compile(app: Application) -> int:
    from digest.tasks.editions.compiling import Compiler

    with app.worker(checked=False) as worker:
        made = Compiler(app.database, app.settings, worker.id).compile_due(
            app.settings.digest("world"), app.clock()
        )
    return sum(one.planned for one in made)


def insert_bare(app: Application) -> tuple[float, float]:
    """Insert as many deliveries in one statement, and take them out again.

    Return the seconds of the insertion, and how many of them the processor was at work in this process.
    """
    with app.database.write() as session:
        row = Edition(digest="bare", cadence="daily", period="1", deadline_at=FIRST, freeze_at=FIRST)
        session.add(row)
        session.flush()
        number = row.id
    now = FIRST.isoformat(" ")
    began, at_work = time.perf_counter(), time.process_time()
    with app.database.write() as session:
        session.execute(text(BARE), {"edition": number, "now": now})
    taken = time.perf_counter() - began, time.process_time() - at_work
    with app.database.write() as session:
        session.execute(text("DELETE FROM delivery WHERE edition_id = :edition"), {"edition": number})
        session.execute(text("DELETE FROM edition WHERE id = :edition"), {"edition": number})
    return taken


def plan(config: Path, days: int) -> None:
    """Plan the edition of so many days later, and print how many readers, the seconds, those of the processor and the peak MB."""
    app = Application(load_settings(config), Clock(FIRST + timedelta(days=days)))
    app.database.read()
    began, at_work = time.perf_counter(), time.process_time()
    planned = _compile(app)
    taken, at_work = time.perf_counter() - began, time.process_time() - at_work
    # Not ru_maxrss, which a process takes over from the one that started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    print(planned, f"{taken:.2f}", f"{at_work:.2f}", int(peak[1]) // 1024)  # noqa: T201


@contextmanager
def leaving(app: Application) -> Iterator[list[float]]:
    """Let readers leave by one click all the time, and yield how long each waited for the answer."""
    waits: list[float] = []
    ended = threading.Event()
    server = Server(create_app(app.readers, app.settings), "127.0.0.1", 0)
    server.start()

    def leave() -> None:
        wire = Wire(server.port)
        for number in itertools.count(1):
            token = tokens.sign(app.readers.signing_keys, tokens.UNSUBSCRIBE, public_id_of(number), "world")
            began = time.perf_counter()
            wire.post(f"/unsubscribe/{token}", {"List-Unsubscribe": "One-Click"})
            waits.append(time.perf_counter() - began)
            if ended.wait(0.02):
                return

    thread = threading.Thread(target=leave)
    thread.start()
    try:
        yield waits
    finally:
        ended.set()
        thread.join()
        server.stop()


def measure(kind: str, url: str, readers: int) -> None:
    """Print the figures of one database."""
    with tempfile.TemporaryDirectory() as name:
        app = prepare(Path(name), url.format(name="planning") or f"sqlite:///{name}/digest.db", readers)
        bare, processor = min(insert_bare(app) for _ in range(2))
        if app.database.is_sqlite:  # nobody is to wait for what the bare insertion has left in the log
            with app.database.engine.connect() as connection:
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
            os.sync()
        for how in ("warm", "cold"):
            if how == "cold":
                _publish(app, FIRST + timedelta(days=3, hours=-2))
                with app.database.write() as session:
                    session.execute(text("UPDATE subscription SET cohort_id = NULL"))
            days = {"warm": "2", "cold": "3"}[how]
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.planning",
                "plan",
                str(Path(name) / "config.toml"),
                days,
            ]
            with leaving(app) as waits:
                planned, taken, at_work, memory = subprocess.check_output(command, text=True).split()
            print(  # noqa: T201
                f"{kind}, {how}: {planned} planned in {float(taken):.1f} s, {float(taken) / bare:.1f} times the bare"
                f" insertion ({bare:.2f} s); {at_work} s of this side's processor (bare: {processor:.2f} s);"
                f" peak {memory} MB; {len(waits)} one-click POSTs, the longest"
                f" {max(waits) * 1000:.0f} ms, the 99th percentile {sorted(waits)[len(waits) * 99 // 100] * 1000:.0f} ms",
                flush=True,
            )
        app.close()


def main(arguments: list[str]) -> None:
    """Measure on each database."""
    if arguments[:1] == ["plan"]:
        plan(Path(arguments[1]), int(arguments[2]))
        return
    readers = int(arguments[0]) if arguments else 1_000_000
    for kind in arguments[1:] or ["sqlite", "postgresql"]:
        if kind == "sqlite":
            measure(kind, "", readers)
            continue
        binaries = debian_server()
        assert binaries, "install Debian's postgresql"
        server = PostgresqlServer(binaries, "-c fsync=on")
        try:
            subprocess.run(
                ["psql", "-q", "-h", str(server.folder), "-U", "postgres", "-c", "CREATE DATABASE planning"],
                check=True,
            )
            measure(kind, server.url, readers)
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
