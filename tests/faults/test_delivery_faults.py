"""What the ledger says after a relay has misbehaved: nobody lost, nobody mailed twice without need."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.support.newsroom import Caught, Publication, parse
from tests.support.scripted import Script, Scripted, Wire, answers, greets, steps

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Mailbox:
    """What a scripted server took: recipient and content, in order."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    def take(self, wire: Wire, reply: str | bytes = "250 2.0.0 kept") -> None:
        wire.answer("250 ok")
        recipient = wire.line().decode().partition("<")[2].partition(">")[0]
        wire.send("250 ok")
        wire.answer("354 go")
        self.messages.append((recipient, wire.content()))
        wire.send(reply)

    def takes(self, *replies: str | bytes) -> Script:
        """Accept a message for each reply."""
        return steps(*(lambda wire, reply=reply: self.take(wire, reply) for reply in replies))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=True) as traveller:
        yield traveller


def states(publication: Publication) -> dict[str, int]:
    edition = publication.edition()
    return {key: edition[key] for key in ("accepted", "failed", "uncertain", "open") if edition[key]}


def begin(tmp_path: Path, database_url: str, port: int, readers: int) -> Publication:
    publication = Publication(tmp_path, database_url, port=port)
    publication.begin(readers)
    return publication


def test_a_reply_lost_after_the_final_dot_is_repeated_once_with_the_same_bytes(
    tmp_path: Path, database_url: str
) -> None:
    box = Mailbox()
    with Scripted(steps(greets, box.takes(b"")), steps(greets, box.takes("250 kept"))) as server:
        publication = begin(tmp_path, database_url, server.port, 1)
        publication.run("send", "--now")

    (_, first), (_, again) = box.messages
    assert first == again
    assert parse(first)["Message-ID"] == parse(again)["Message-ID"]
    assert states(publication) == {"accepted": 1}


def test_a_reply_lost_twice_stays_uncertain_and_is_not_repeated_a_second_time(
    tmp_path: Path, database_url: str
) -> None:
    box = Mailbox()
    with Scripted(steps(greets, box.takes(b""))) as server:
        publication = begin(tmp_path, database_url, server.port, 1)
        publication.run("send", "--now")
        publication.run("send")

    assert len(box.messages) == 2
    assert states(publication) == {"uncertain": 1}
    assert publication.facts("audit")["ok"] is True


def test_with_hold_an_uncertain_message_is_never_repeated(tmp_path: Path, database_url: str) -> None:
    box = Mailbox()
    with Scripted(steps(greets, box.takes(b""))) as server:
        publication = begin(tmp_path, database_url, server.port, 1)
        publication.change_settings("[smtp]", '[smtp]\nwhen_uncertain = "hold"')
        publication.run("send", "--now")
        publication.run("send")

    assert len(box.messages) == 1
    assert states(publication) == {"uncertain": 1}


def test_an_unknown_reader_fails_alone(tmp_path: Path, database_url: str) -> None:
    box = Mailbox()

    def script(wire: Wire) -> None:
        greets(wire)
        wire.answer("250 ok", "550 5.1.1 no such mailbox", "250 reset")
        box.takes("250 kept", "250 kept")(wire)

    with Scripted(script) as server:
        publication = begin(tmp_path, database_url, server.port, 3)
        publication.run("send", "--now")

    assert states(publication) == {"accepted": 2, "failed": 1}
    (reason,) = publication.edition()["reasons"]
    assert reason == {"state": "failed", "reason": "rcpt: 550 5.1.1 no such mailbox", "count": 1}


def test_a_failed_readers_articles_come_again_in_the_next_edition(
    tmp_path: Path, database_url: str, clock: time_machine.Traveller
) -> None:
    box = Mailbox()
    fails = steps(greets, answers("250 ok", "550 5.2.2 full"))
    with Scripted(fails, steps(greets, box.takes("250 kept"))) as server:
        publication = begin(tmp_path, database_url, server.port, 1)
        publication.run("send", "--now")
        clock.shift(timedelta(days=1))
        publication.run("send", "--now")

    assert b"Bridge reopens" in box.messages[0][1]


def test_a_greylisted_message_is_deferred_and_delivered_once_later(
    tmp_path: Path, database_url: str, clock: time_machine.Traveller
) -> None:
    box = Mailbox()
    grey = steps(greets, answers("250 ok", "450 4.7.1 greylisted, come again in 5 minutes"))
    with Scripted(grey, steps(greets, box.takes("250 kept"))) as server:
        publication = begin(tmp_path, database_url, server.port, 1)
        assert "deferred 1" in publication.run("send", "--now")
        clock.shift(timedelta(minutes=4))
        publication.run("send")
        assert (box.messages, states(publication)) == ([], {"open": 1})
        clock.shift(timedelta(minutes=2))
        publication.run("send")

    assert len(box.messages) == 1
    assert states(publication) == {"accepted": 1}


def test_a_message_that_was_deferred_before_its_dot_bears_the_date_of_its_own_hand_over(
    tmp_path: Path, database_url: str, clock: time_machine.Traveller
) -> None:
    box = Mailbox()
    grey = steps(greets, answers("250 ok", "450 later"))
    with Scripted(grey, steps(greets, box.takes("250 kept"))) as server:
        publication = begin(tmp_path, database_url, server.port, 1)
        publication.run("send", "--now")
        clock.shift(timedelta(hours=1))
        publication.run("send")

    assert parse(box.messages[0][1])["Date"].datetime.hour == datetime.now(UTC).hour


def test_a_limit_of_messages_per_connection_loses_nothing(
    tmp_path: Path, database_url: str, clock: time_machine.Traveller
) -> None:
    box = Mailbox()
    two = steps(greets, box.takes("250 kept", "250 kept"), answers("421 4.7.0 enough on this connection"))
    with Scripted(two) as server:
        publication = begin(tmp_path, database_url, server.port, 7)
        publication.run("send", "--now")
        for _ in range(4):
            clock.shift(timedelta(minutes=10))
            publication.run("send")

    got = Counter(recipient for recipient, _ in box.messages)
    assert got == {f"r{n}@readers.example": 1 for n in range(7)}
    assert states(publication) == {"accepted": 7}


def test_a_relay_that_drops_every_connection_ends_the_run_with_all_still_open(
    tmp_path: Path, database_url: str
) -> None:
    with Scripted(greets) as server:
        publication = begin(tmp_path, database_url, server.port, 30)
        said = publication.run("send", "--now", code=1)
        assert server.connections < 8

    assert "closes our connections" in said
    assert states(publication) == {"open": 30}


@pytest.mark.parametrize("refusal", ["530 5.7.0 log in first", "550 5.7.1 sender not allowed"])
def test_a_refused_sender_pauses_the_edition_and_marks_nobody(
    tmp_path: Path, database_url: str, refusal: str
) -> None:
    with Scripted(steps(greets, answers(refusal))) as server:
        publication = begin(tmp_path, database_url, server.port, 3)
        publication.run("send", "--now", code=1)

    assert publication.edition()["state"] == "paused"
    assert refusal in publication.edition()["reason"]
    assert states(publication) == {"open": 3}


def test_a_reader_who_leaves_while_the_edition_runs_does_not_get_it(
    tmp_path: Path, database_url: str
) -> None:
    box = Mailbox()
    publication: Publication
    left: list[bytes] = []

    def script(wire: Wire) -> None:
        greets(wire)
        box.take(wire)
        # All are claimed by now; the third's reader goes before that message is marked.
        publication.run("subscribers", "erase", "r2@readers.example")
        box.take(wire)
        wire.answer("250 ok", "250 ok", "354 go")
        left.append(wire.content())

    with Scripted(script) as server:
        publication = begin(tmp_path, database_url, server.port, 3)
        publication.run("send", "--now")

    assert [recipient for recipient, _ in box.messages] == ["r0@readers.example", "r1@readers.example"]
    assert left == [b""], "nothing of the third message has left"
    assert publication.edition()["withheld"] == 1


def test_no_address_and_no_secret_is_in_what_a_failed_run_says(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = "550 5.1.1 <r0@readers.example> unknown"
    with Scripted(steps(greets, answers("250 ok", unknown, "250 reset"))) as server:
        publication = begin(tmp_path, database_url, server.port, 1)
        said = publication.run("send", "--now") + caplog.text

    assert "r0@" not in said


def test_a_rate_holds_over_all_connections(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port, connections=3)
        publication.change_settings("[smtp]", "[smtp]\nrate = 20")
        publication.begin(12)
        began = time.monotonic()
        publication.run("send", "--now")

    assert time.monotonic() - began > 11 / 20
    assert len(relay.messages) == 12


def test_content_that_is_refused_pauses_the_edition_and_nobody_bounces(
    tmp_path: Path, database_url: str
) -> None:
    refusals = [f"550 5.7.515 access denied, not authenticated [q{n}]" for n in range(60)]
    box = Mailbox()
    with Scripted(steps(greets, box.takes(*refusals))) as server:
        first = server.port
        publication = begin(tmp_path, database_url, first, 60)
        said = publication.run("send", "--now", code=1)

    assert len(box.messages) == 20
    assert states(publication) == {"open": 60}
    assert publication.edition()["state"] == "paused"
    assert "world/daily/" in said
    assert "the message was refused 20 times in the same way: dot: 550 5.7.515" in said
    assert "digest resume world/daily/" in said

    with Scripted(steps(greets, box.takes(*["250 kept"] * 60))) as server:
        publication.change_settings(f"port = {first}", f"port = {server.port}")
        publication.run("resume")
        publication.run("send")
    assert states(publication) == {"accepted": 60}


def test_a_connection_is_ended_after_as_many_messages_as_the_settings_say(
    tmp_path: Path, database_url: str
) -> None:
    box = Mailbox()
    connections: list[int] = []

    def script(wire: Wire) -> None:
        wire.greet("SIZE 1000000")
        for _ in range(3):
            box.take(wire)
        connections.append(len(box.messages))
        wire.answer("221 bye")

    with Scripted(script) as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.change_settings("[smtp]", "[smtp]\nmessages_per_connection = 3")
        publication.begin(9)
        publication.run("send", "--now")

    assert connections == [3, 6, 9]
    assert states(publication) == {"accepted": 9}
