"""How fast readers are served: limits a domain, servers that ask to slow down, several relays, a warm-up."""

import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import dkim
import pytest
import time_machine

from tests.support.newsroom import Caught, Publication
from tests.support.scripted import Scripted, Wire

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def write_readers(publication: Publication, *addresses: str) -> None:
    publication.write_article("Bridge reopens")
    csv = publication.folder / "readers.csv"
    csv.write_text("email\n" + "\n".join(addresses) + "\n")
    publication.run("subscribers", "import", str(csv), "--confirmed", "on paper")


def test_a_slow_domain_keeps_its_rate_and_no_other_waits_for_it(tmp_path: Path, database_url: str) -> None:
    slow = [f"a{n}@slow.example" for n in range(8)]
    quick = [f"b{n}@quick.example" for n in range(60)]
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port, connections=2)
        publication.change_settings("[web]", '[smtp.domains."slow.example"]\nrate = 4\n\n[web]')
        write_readers(publication, *slow, *quick)
        began = time.monotonic()
        publication.run("send", "--now")
        took = time.monotonic() - began

    order = [recipient.partition("@")[2] for recipient in relay.recipients]
    assert took > 7 / 4
    assert sorted(order) == ["quick.example"] * 60 + ["slow.example"] * 8
    last_slow = len(order) - 1 - order[::-1].index("slow.example")
    assert order[:last_slow].count("quick.example") > 30, "most went while the slow domain had its pauses"
    assert publication.edition()["accepted"] == 68


def test_a_domain_gets_no_more_at_once_than_is_stated(tmp_path: Path, database_url: str) -> None:
    at_once: list[int] = []

    class Watching(Caught):
        open = 0

        async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # type: ignore[no-untyped-def]  # noqa: N802
            envelope.rcpt_tos.append(address)
            Watching.open += 1
            at_once.append(Watching.open)
            return "250 ok"

        async def handle_DATA(self, server, session, envelope) -> str:  # type: ignore[no-untyped-def]  # noqa: N802
            Watching.open -= 1
            return "250 ok"

    with Watching() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port, connections=6)
        publication.change_settings("[web]", '[smtp.domains."one.example"]\nconnections = 1\n\n[web]')
        write_readers(publication, *(f"a{n}@one.example" for n in range(12)))
        publication.run("send", "--now")

    assert max(at_once) == 1
    assert publication.edition()["accepted"] == 12


def test_a_domain_that_asks_to_slow_down_is_served_more_slowly(tmp_path: Path, database_url: str) -> None:
    asked: list[float] = []

    def script(wire: Wire) -> None:
        wire.greet("SIZE 1000000")
        while True:
            wire.answer("250 ok")
            recipient = wire.line().decode()
            if "busy.example" in recipient:
                asked.append(time.monotonic())
                if len(asked) == 4:
                    wire.send("450 4.7.1 rate limit exceeded")
                    wire.answer("250 reset")
                    continue
            wire.send("250 ok")
            wire.answer("354 go")
            wire.content()
            wire.send("250 kept")

    with Scripted(script) as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        write_readers(publication, *(f"a{n}@busy.example" for n in range(7)))
        publication.run("send", "--now")

    waits = [after - before for before, after in pairwise(asked)]
    assert max(waits[:3]) < 0.4
    assert min(waits[3:]) > 0.4
    assert publication.edition()["accepted"] == 6
    assert publication.edition()["open"] == 1


def test_messages_go_over_every_relay_and_one_that_is_away_stops_nobody(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as first, Caught() as second:
        publication = Publication(tmp_path, database_url, port=first.port)
        more = (
            f'[smtp.relays.second]\nhost = "127.0.0.1"\nport = {second.port}\n\n'
            '[smtp.relays.away]\nhost = "127.0.0.1"\nport = 9\n\n[web]'
        )
        publication.change_settings("[web]", more)
        publication.begin(40)
        said = publication.run("send", "--now", code=1)

    assert "the relay 127.0.0.1:9 cannot be reached (connect: connection refused); the others go on" in said
    assert len(first.messages) + len(second.messages) == 40
    assert first.messages
    assert second.messages
    assert publication.edition()["accepted"] == 40


def test_a_warm_up_lets_its_days_messages_go_and_no_more(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.change_settings(
            "[web]", "[smtp.warm_up]\nbegins_on = 2026-11-23\nmessages = [5, 7]\n\n[web]"
        )
        with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC)):
            publication.begin(20)
            publication.run("send", "--now")
            publication.run("send")
            assert len(relay.messages) == 5
            status = publication.facts("status")
            assert status["slowed_by"] == ["warm-up: 5 of the 5 messages that today allows have gone"]
        with time_machine.travel(datetime(2026, 11, 24, 9, tzinfo=UTC)):
            publication.run("send")
            assert len(relay.messages) == 12
        with time_machine.travel(datetime(2026, 11, 25, 9, tzinfo=UTC)):
            publication.run("send")
            assert publication.facts("status")["slowed_by"] == []
    assert len(relay.messages) == 20


@pytest.mark.parametrize("few", [1_000, 5])
@pytest.mark.parametrize("kind", ["rsa", "both"])
def test_every_message_is_signed_in_threads_or_processes_and_verifies_as_it_arrived(
    kind: str, few: int, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.tasks.delivery.signing_pool.FEW", few)
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port, connections=3)
        made = [publication.facts("dkim", "--out", str(tmp_path / "rsa.pem"), "--selector", "r1")]
        settings = '[dkim]\nselector = "r1"\nkey_file = "rsa.pem"\n'
        if kind == "both":
            ed25519 = ("--ed25519", "--out", str(tmp_path / "ed.pem"), "--selector", "e1")
            made.append(publication.facts("dkim", *ed25519))
            settings += 'ed25519_selector = "e1"\ned25519_key_file = "ed.pem"\n'
        publication.change_settings("[web]", f"{settings}\n[web]")
        publication.begin(30)
        publication.run("send", "--now")

    records = {f"{record['name']}.".encode(): record["value"].encode() for keys in made for record in keys}
    assert len(relay.messages) == 30
    for _, content in relay.messages:
        verifier = dkim.DKIM(content)
        signatures = 2 if kind == "both" else 1
        for index in range(signatures):
            assert verifier.verify(index, dnsfunc=lambda name, timeout=5: records.get(name))
        assert content.count(b"DKIM-Signature:") == signatures
