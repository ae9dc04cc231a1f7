"""The daemon: it delivers what is open, serves the pages beside it, and ends in order."""

import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from digest.cli.serve import _tell
from digest.scheduler import Ticker
from digest.sending import Sent
from digest.tasks.delivery.run import Tally
from digest.tasks.editions.compiling import Compiled
from tests.support.newsroom import Caught, Publication


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_daemon_delivers_what_is_open_serves_the_pages_and_ends_when_it_is_told(
    tmp_path: Path, database_url: str
) -> None:
    relay, web = Caught(), free_port()
    publication = Publication(tmp_path, database_url, port=relay.port)
    publication.change_settings("[web]", f"[web]\nport = {web}")
    publication.begin(readers=5)
    publication.run("send", "--now", code=1)  # nothing listens yet: the edition stays open

    with relay, publication.start("run") as daemon:
        relay.wait_for(5)
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/health", timeout=10) as answer:
            assert answer.status == 200
        daemon.send_signal(signal.SIGTERM)
        out, err = daemon.communicate(timeout=60)

    assert daemon.returncode == 0, err
    assert f"pages at http://127.0.0.1:{web}/" in out
    assert len(relay.messages) == 5
    assert publication.facts("audit")["ok"] is True


@pytest.mark.parametrize("command", ["run", "worker", "web", "send"])
def test_a_command_that_is_told_to_end_while_it_waits_for_its_database_ends_in_order(
    tmp_path: Path, command: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://digest@127.0.0.1:{silent.getsockname()[1]}/digest"
        publication = Publication(tmp_path, url, port=9)
        with publication.start(command) as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        connection.close()

    assert (process.returncode, err) == (0, "")


def test_the_daemon_hears_that_it_is_to_end_from_its_first_tick_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=9)
    publication.change_settings("[web]", f"[web]\nport = {free_port()}")
    publication.begin(readers=1)
    start, before = Ticker.start, {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}

    def start_and_end(ticker: Ticker) -> None:
        start(ticker)
        assert signal.getsignal(signal.SIGTERM) is not before[signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Ticker, "start", start_and_end)
    try:
        publication.run("run")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_the_daemon_prints_a_line_for_each_edition(capsys: pytest.CaptureFixture[str]) -> None:
    made = Compiled("world", "daily", "2026-11-27", made=True, planned=3, nothing_new=1)
    _tell(Sent(compiled=[made], tally=Tally(accepted=3)), quiet=False)
    _tell(Sent(), quiet=False)

    assert capsys.readouterr().out.splitlines() == [
        f"{made.name}: compiled for 3 readers, nothing new for 1",
        "accepted 3, deferred 0, failed 0, withheld 0, uncertain 0",
    ]
