"""Workers beside each other: they share stated connections, and take over what a dead one held while they deliver."""

import asyncio
import contextlib
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from digest import job_queue
from digest.bootstrap import Application
from digest.settings import load_settings
from digest.store.delivery import claims
from digest.store.workers import WorkerLock
from digest.tasks.delivery import loop
from digest.tasks.delivery.deliver import count_due, deliver
from digest.tasks.delivery.recorder import Committed, Recorder
from digest.tasks.delivery.relays import RelayPool
from tests.conftest import NO_RELAY
from tests.support.newsroom import Caught, Publication

READERS = 40
EVERYBODY = {f"r{n}@readers.example": 1 for n in range(READERS)}


def begin(publication: Publication, port: int, connections: str) -> Application:
    """Plan an edition that no relay has taken yet."""
    publication.begin(READERS)
    publication.run("send", "--now", code=1)
    publication.use_relay(port)
    publication.change_settings("connections = 1\n", f"connections = {connections}\n")
    return Application(load_settings(publication.config))


def claim_and_die(app: Application, count: int) -> list[str]:
    """Be a worker that ends in the middle, with claims; give the addresses that it held."""
    dead = WorkerLock.acquire(app.database, host="elsewhere", pid=1, now=app.clock())
    with app.database.write() as session:
        jobs = claims.claim(session.connection(), owner=dead.id, now=app.clock(), size=count)
    dead.die()
    assert len(jobs) == count
    return [job.address for job in jobs]


def test_stated_connections_are_shared_as_soon_as_another_worker_is_seen(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SHARED_EVERY", 0.0)
    workers, seen = [1], {1: [0], 2: [0]}
    poll = RelayPool.poll

    def watched(pool: RelayPool, seconds: float) -> object:
        seen[workers[0]].append(len(list(pool)))
        workers[0] = 2 if len(relay.messages) >= READERS // 2 else 1
        return poll(pool, seconds)

    monkeypatch.setattr(RelayPool, "poll", watched)
    with Caught(delay=0.02) as relay:
        app = begin(publication, relay.port, "6")
        with app.worker() as worker:
            run = app.run(worker)
            run.workers = lambda: workers[0]
            deliver(run)
        app.close()

    assert Counter(relay.recipients) == EVERYBODY
    assert 3 < max(seen[1]) <= 6
    assert max(seen[2][-5:]) <= 3
    publication.run("audit")


def test_what_a_dead_worker_held_is_sent_before_a_run_comes_to_its_end(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SHARED_EVERY", 0.05)
    commit, held = Recorder.commit, list[str]()

    def commit_and_see_another_die(recorder: Recorder, *given: object, **named: object) -> Committed:
        done: Committed = commit(recorder, *given, **named)  # type: ignore[arg-type]
        if not held and len(relay.messages) >= 3:
            held.extend(claim_and_die(app, 5))
        return done

    monkeypatch.setattr(Recorder, "commit", commit_and_see_another_die)
    with Caught(delay=0.05) as relay:
        app = begin(publication, relay.port, "1")
        with app.worker() as worker:
            settled: list[datetime] = []
            monkeypatch.setattr(
                "digest.tasks.delivery.deliver._reap", lambda _run: settled.append(app.clock())
            )
            deliver(app.run(worker))
        app.close()

    assert len(held) == 5
    assert Counter(relay.recipients) == EVERYBODY
    publication.run("audit")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_that_waits_takes_up_what_a_dead_one_held_without_a_tick(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "_WATCHES_EVERY", 0.05)
    publication = Publication(tmp_path, database_url)
    app = begin(publication, NO_RELAY, "1")
    queue, woken = job_queue.JobQueue(app), list[int]()
    other = WorkerLock.acquire(app.database, host="elsewhere", pid=1, now=app.clock())
    with app.database.write() as session:
        claims.claim(session.connection(), owner=other.id, now=app.clock(), size=READERS)

    async def wake() -> None:
        woken.append(count_due(app.database, app.clock()))

    async def watch() -> None:
        ending = asyncio.Event()
        watching = asyncio.create_task(queue._watch_others(ending))
        await asyncio.sleep(1)
        assert not woken, "the other one is alive"
        other.die()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while not woken:
                    await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        ending.set()
        await watching

    monkeypatch.setattr(queue, "_wake_couriers", wake)
    asyncio.run(watch())
    app.close()

    assert woken == [READERS], "once, with all that it held to claim"
