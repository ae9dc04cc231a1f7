"""Several `digest worker` processes share one PostgreSQL database: one edition, one message a reader."""

import os
import signal
import smtplib
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from digest import sending
from digest.bootstrap import Application
from digest.errors import Unreachable
from digest.job_queue import JobQueue
from digest.models import Letter
from digest.settings import load_settings
from digest.store.database import Database
from tests.conftest import skip_unless_ci
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication
from tests.support.postfix import free_port
from tests.support.postgresql import PostgresqlServer, debian_server

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_PATIENCE = 100.0


@pytest.fixture
def workers(publication: Publication) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Yield what starts a worker; each is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        started.append(publication.start("worker"))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate(timeout=30)


def end(process: subprocess.Popen[str]) -> str:
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out + err


def wait_until_finished(publication: Publication) -> None:
    """Wait until every edition is finished."""
    database = Database(load_settings(publication.config).database_url)
    deadline = time.monotonic() + _PATIENCE
    query = "SELECT count(*) FROM edition WHERE state <> 'finished'"
    while time.monotonic() < deadline:
        with database.read() as session:
            if not session.connection().exec_driver_sql(query).scalar():
                break
        time.sleep(0.2)
    database.close()


def assert_nobody_left_out(publication: Publication, relay: Caught, readers: int, repeats: int) -> None:
    """Check that each reader got the edition, with at most so many repeats in all, and that the sum is whole."""
    counts = Counter(relay.recipients)
    assert set(counts) == {f"r{n}@readers.example" for n in range(readers)}
    assert sum(counts.values()) <= readers + repeats
    publication.run("audit")


def freeze_an_edition(publication: Publication, port: int) -> None:
    """Let an edition be made that no relay takes yet, then name the relay."""
    publication.run("send", "--now", code=1)
    publication.use_relay(port)


def test_workers_deliver_what_is_due_once(
    publication: Publication, workers: Callable[[], subprocess.Popen[str]]
) -> None:
    publication.begin(readers=40)
    with Caught() as relay:
        freeze_an_edition(publication, relay.port)
        first, second = workers(), workers()
        relay.wait_for(40, _PATIENCE)
        wait_until_finished(publication)
        said = end(first) + end(second)

    assert Counter(relay.recipients) == {f"r{n}@readers.example": 1 for n in range(40)}
    assert "Traceback" not in said
    publication.run("audit")


def test_what_a_killed_worker_held_is_taken_up_by_another(
    publication: Publication, workers: Callable[[], subprocess.Popen[str]]
) -> None:
    publication.begin(readers=60)
    with Caught(delay=0.05) as relay:
        freeze_an_edition(publication, relay.port)
        first = workers()
        relay.wait_for(5, _PATIENCE)
        first.kill()
        first.wait(30)
        workers()
        relay.wait_for(60, _PATIENCE)
        wait_until_finished(publication)

    assert_nobody_left_out(publication, relay, readers=60, repeats=1)


def test_a_worker_that_was_frozen_repeats_at_most_what_was_on_the_wire(
    publication: Publication, workers: Callable[[], subprocess.Popen[str]]
) -> None:
    publication.begin(readers=60)
    with Caught(delay=0.02) as relay:
        freeze_an_edition(publication, relay.port)
        first = workers()
        relay.wait_for(3, _PATIENCE)
        os.kill(first.pid, signal.SIGSTOP)
        workers()
        relay.wait_for(40, _PATIENCE)
        os.kill(first.pid, signal.SIGCONT)
        relay.wait_for(60, _PATIENCE)
        wait_until_finished(publication)

    # What was on the wire as it was frozen may be repeated, once.
    assert_nobody_left_out(publication, relay, readers=60, repeats=1)


def test_a_worker_ends_in_order_when_it_is_told(
    publication: Publication, workers: Callable[[], subprocess.Popen[str]]
) -> None:
    publication.begin(readers=60)
    with Caught(delay=0.05) as relay:
        freeze_an_edition(publication, relay.port)
        first = workers()
        relay.wait_for(3, _PATIENCE)
        end(first)
        sent = len(relay.messages)
        publication.run("send")

    assert 3 <= sent < 60
    assert Counter(relay.recipients) == {f"r{n}@readers.example": 1 for n in range(60)}


def test_a_worker_goes_on_by_itself_after_its_database_has_crashed_and_started_again(
    tmp_path: Path, database_url: str
) -> None:
    binaries = debian_server()
    if binaries is None:
        skip_unless_ci("no PostgreSQL server of our own here to restart: install Debian's postgresql")
    assert binaries is not None
    server = PostgresqlServer(binaries)
    publication = Publication(tmp_path, server.url.format(name="postgres"))
    publication.begin(readers=60)
    with Caught(delay=0.05) as relay:
        freeze_an_edition(publication, relay.port)
        with publication.start("worker") as worker:
            try:
                relay.wait_for(5, _PATIENCE)
                server.restart()
                relay.wait_for(60, _PATIENCE)
                wait_until_finished(publication)
            finally:
                worker.terminate()
            said = "".join(worker.communicate(timeout=60))
    assert_nobody_left_out(publication, relay, readers=60, repeats=1)
    server.stop()

    assert worker.returncode == 0
    assert "does not answer" in said
    assert "Traceback" not in said, said


def reach_lmtp(port: int) -> smtplib.LMTP:
    """Return a connection to a worker's LMTP server, once it listens."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return smtplib.LMTP("127.0.0.1", port)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "no worker listens"
            time.sleep(0.1)


def test_a_worker_takes_mail_by_lmtp_and_processes_what_lies_in_its_own_spool(
    publication: Publication, workers: Callable[[], subprocess.Popen[str]]
) -> None:
    port = free_port()
    inboxed = Inboxed(publication)
    publication.change_settings("[inbound]", f"[inbound]\nlmtp_port = {port}")
    publication.begin(readers=1)
    workers()
    workers()  # the second finds the port taken, and works all the same

    with reach_lmtp(port) as client:
        client.sendmail(
            "r0@readers.example",
            ["news@courier.example"],
            inboxed.letter("r0@readers.example", "A letter").encode(),
        )

    deadline = time.monotonic() + _PATIENCE
    while not inboxed.rows(Letter) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [one.subject for one in inboxed.rows(Letter)] == ["A letter"]


def test_a_worker_says_that_it_delivers_to_whoever_makes_room_for_it(publication: Publication) -> None:
    class Asking(Caught):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            seen.append(app.delivers)
            return await super().handle_DATA(server, session, envelope)

    publication.begin(readers=2)
    seen: list[bool] = []
    with Asking() as relay:
        freeze_an_edition(publication, relay.port)
        app = Application(load_settings(publication.config))
        try:
            JobQueue(app)._deliver()
        finally:
            app.close()

    assert (seen, app.delivers) == ([True, True], False)


def test_figures_that_the_database_keeps_from_a_worker_are_told_in_a_line(
    publication: Publication, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def goes_away(*_: object) -> None:
        raise Unreachable("the database x does not answer")

    publication.begin(readers=1)
    app = Application(load_settings(publication.config))
    monkeypatch.setattr(sending, "take_figures", goes_away)
    sending.count_figures(app)
    app.close()

    (record,) = [record for record in caplog.records if record.name == "digest.sending"]
    assert (record.exc_info, record.getMessage()) == (
        None,
        "the figures of yesterday cannot be counted: the database x does not answer",
    )


def test_on_sqlite_a_worker_says_what_to_use_instead(tmp_path: Path, database_url: str) -> None:
    small = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db")
    small.begin(readers=1)

    said = small.run("worker", code=2)

    assert "use `digest run`" in said
