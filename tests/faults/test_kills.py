"""kill -9 at every step and at any moment: nobody is left out, at most one message a connection is repeated."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.dying import WHENS, Death
from tests.faults.killing import HEARD, Edition, Found, Kill, Newsstand, kill_all
from tests.support.newsroom import Caught, Publication

READERS = 80
OWN = ("freeze", "claim", "mark", "record", "commit")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def newsstand(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Newsstand]:
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    stand = Newsstand(tmp_path_factory.mktemp("newsstand"), READERS, url)
    yield stand
    stand.close()


@pytest.mark.parametrize("connections", [1, 4, 16])
def test_ten_kills_in_a_row_at_steps_of_its_own_lose_nobody(newsstand: Newsstand, connections: int) -> None:
    kills = [Kill(own=Death("freeze", when)) for when in WHENS]
    kills += [Kill(own=Death(step, when, 2)) for step, when in zip(OWN[1:], (*WHENS, *WHENS), strict=False)]
    kills += [Kill(own=Death("finish", when)) for when in WHENS]
    with newsstand.edition(connections) as edition:
        found = kill_all(edition, kills)

    assert found.trouble == ""
    assert (found.kills, found.missed) == (len(kills), 0)


@pytest.mark.parametrize("connections", [1, 4, 16])
def test_kills_at_each_step_that_the_server_hears_of_lose_nobody(
    newsstand: Newsstand, connections: int
) -> None:
    kills = [Kill(heard=step, number=1 if step == "EHLO" else 3) for step in HEARD]
    with newsstand.edition(connections) as edition:
        edition.delay = 0.002
        found = kill_all(edition, kills)

    assert found.trouble == ""
    assert (found.kills, found.missed) == (len(kills), 0)


@pytest.mark.parametrize("connections", [1, 4])
def test_kills_at_any_moment_lose_nobody(newsstand: Newsstand, connections: int) -> None:
    with newsstand.edition(connections) as edition:
        edition.delay = 0.005
        found = kill_all(edition, [Kill(seconds=seconds) for seconds in (0.001, 0.02, 0.05)])

    assert found.trouble == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("connections", [1, 4, 16])
def test_a_terminated_run_ends_in_order_and_repeats_nothing(
    newsstand: Newsstand, connections: int, number: signal.Signals
) -> None:
    with newsstand.edition(connections) as edition:
        edition.delay = 0.02
        edition.stop(number, after=10)
        assert len(edition.recording.transactions) < READERS
        found = edition.finish()

    assert found.trouble == ""
    assert (found.repeats, found.undecided) == (0, 0)


def test_signals_again_and_again_repeat_nothing(newsstand: Newsstand) -> None:
    with newsstand.edition(4) as edition:
        edition.delay = 0.01
        for _ in range(4):
            edition.stop(signal.SIGTERM, after=5)
        found = edition.finish()

    assert found.trouble == ""
    assert (found.repeats, found.undecided) == (0, 0)


@pytest.mark.parametrize("runs", [2, 8])
def test_many_runs_at_once_make_one_edition_and_one_message_a_reader(newsstand: Newsstand, runs: int) -> None:
    with newsstand.edition(2) as edition:
        found = all_at_once(edition, runs)

    assert found.trouble == ""
    assert (found.repeats, found.undecided) == (0, 0)
    assert sorted(one["cadence"] for one in found.audit["editions"]) == ["daily", "weekly"]


def all_at_once(edition: Edition, runs: int) -> Found:
    processes = [edition.start("send", "world", "--now", "--quiet") for _ in range(runs)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * runs
    return edition.judge()


def test_a_command_of_its_own_process_ends_in_order_on_sigterm(tmp_path: Path) -> None:
    with Caught(delay=0.01) as relay:
        publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port, connections=2)
        publication.begin(60)
        process = publication.start("send", "world", "--now")
        relay.wait_for(20)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

        assert len(relay.messages) < 60
        publication.run("send", "world", "--now")

    assert sorted(relay.recipients) == sorted(f"r{n}@readers.example" for n in range(60))
