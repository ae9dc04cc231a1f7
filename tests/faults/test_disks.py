"""Databases that fail under a run: nothing goes without a committed claim, and the next run goes on by itself."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.engine.default import DefaultDialect

from tests.faults.commits import watch_commits
from tests.support.newsroom import Caught, Publication

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
READERS = 30


def begin(tmp_path: Path, database_url: str, relay: Caught) -> Publication:
    publication = Publication(tmp_path, database_url, port=relay.port, connections=2)
    publication.begin(READERS)
    return publication


def check(publication: Publication, relay: Caught, *, most_repeats: int = 0) -> None:
    """Every reader has it, none twice but where a commit was lost after the reply; the books hold."""
    assert {*relay.recipients} == {f"r{n}@readers.example" for n in range(READERS)}
    assert len(relay.messages) - READERS <= most_repeats
    assert publication.facts("audit")["ok"] is True


@sqlite_only
@pytest.mark.parametrize("number", [1, 2, 5, 9, 14, 20])
@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("database or disk is full", "has no space left: free some on its disk"),
        ("disk I/O error", "is on a disk that reports errors: check the disk"),
    ],
)
def test_a_disk_that_fails_at_the_nth_commit_stops_the_run_and_the_next_goes_on(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, number: int, why: str, told: str
) -> None:
    with Caught() as relay:
        publication = begin(tmp_path, database_url, relay)
        original: Any = DefaultDialect.do_commit
        left = [number]

        def commit(self: Any, connection: Any) -> None:
            left[0] -= 1
            if left[0] <= 0:
                connection.rollback()
                raise sqlite3.OperationalError(why)
            original(self, connection)

        with monkeypatch.context() as patched:
            patched.setattr(DefaultDialect, "do_commit", commit)
            said = publication.run("send", "world", "--now", code=1)
        assert told in said
        assert "Traceback" not in said
        publication.run("send", "world", "--now")
        publication.run("send", "world", "--now")

        check(publication, relay, most_repeats=2)


@sqlite_only
def test_a_database_that_is_locked_for_a_second_is_waited_for(tmp_path: Path, database_url: str) -> None:
    with Caught(delay=0.01) as relay:
        publication = begin(tmp_path, database_url, relay)

        def lock() -> None:
            relay.wait_for(5)
            other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            time.sleep(1)
            other.execute("ROLLBACK")
            other.close()

        locking = threading.Thread(target=lock)
        locking.start()
        publication.run("send", "world", "--now")
        locking.join()

        check(publication, relay)


@sqlite_only
def test_a_database_that_stays_locked_stops_the_run_and_the_next_goes_on(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.store.database._BUSY_MS", 300)
    with Caught(delay=0.01) as relay:
        publication = begin(tmp_path, database_url, relay)
        ended = threading.Event()

        def lock() -> None:
            relay.wait_for(5)
            other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
            other.execute("BEGIN IMMEDIATE")
            ended.wait(30)
            other.execute("ROLLBACK")
            other.close()

        locking = threading.Thread(target=lock)
        locking.start()
        said = publication.run("send", "world", "--now", code=1)
        here = len(relay.messages)
        ended.set()
        locking.join()

        assert "is locked by another program" in said
        assert here < READERS, "nothing goes without a committed claim"
        publication.run("send", "world", "--now")
        check(publication, relay, most_repeats=2)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("number", [1, 4, 9, 15])
def test_postgresql_that_ends_our_sessions_at_a_commit_stops_the_run_and_the_next_goes_on(
    tmp_path: Path, database_url: str, postgresql: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    import psycopg

    with Caught() as relay:
        publication = begin(tmp_path, database_url, relay)
        left = [number]
        admin = postgresql.format(name="postgres").replace("+psycopg", "")

        def end_sessions() -> None:
            left[0] -= 1
            if left[0] == 0:  # as a restart of the server does, to every session at once
                with psycopg.connect(admin, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                        [make_url(database_url).database],
                    )

        with monkeypatch.context() as patched:
            watch_commits(end_sessions, replace=patched.setattr)
            said = publication.run("send", "world", "--now", code=1)
        assert "the database " in said
        assert "Traceback" not in said
        publication.run("send", "world", "--now")
        publication.run("send", "world", "--now")

        check(publication, relay, most_repeats=2)
