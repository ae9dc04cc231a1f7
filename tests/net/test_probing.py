"""A relay looked at: what it says and offers, and every way in which it can be of no use."""

import time

from digest.models import Outcome, Stage
from digest.net.probing import Probe, probe_relay
from digest.net.smtp import Relay
from tests.support.nameserver import closed_port
from tests.support.scripted import Script, Scripted, Wire, answers, greets, hears, sends, steps

BANNER = "220 mx.example ESMTP; Mon, 23 Nov 2026 06:05:00 +0000"


def probe(*scripts: Script, timeout: float = 5) -> Probe | Outcome:
    with Scripted(*scripts) as server:
        return probe_relay(Relay("127.0.0.1", server.port), timeout)


def heard(commands: list[bytes]) -> Script:
    def script(wire: Wire) -> None:
        commands.append(wire.line())
        wire.send("221 bye")

    return script


def test_a_relay_is_greeted_and_left_and_no_message_begun() -> None:
    commands: list[bytes] = []
    greeted = steps(
        sends(BANNER), answers("250-mx.example\r\n250-SIZE 1000\r\n250 PIPELINING"), heard(commands)
    )
    found = probe(greeted, steps(sends(BANNER), heard(commands)))
    assert isinstance(found, Probe)
    assert found.banner == "mx.example ESMTP; Mon, 23 Nov 2026 06:05:00 +0000"
    assert (found.address, found.extensions) == ("127.0.0.1", {"SIZE": "1000", "PIPELINING": ""})
    assert (found.tls, found.certificate_until) == ("", None)
    assert commands == [b"QUIT\r\n", b"QUIT\r\n"]


def test_a_relay_that_says_nothing_is_not_waited_for_longer_than_was_said() -> None:
    began = time.monotonic()
    found = probe(hears, timeout=0.2)
    assert isinstance(found, Outcome)
    assert (found.stage, found.fault) == (Stage.BANNER, "no reply (timed out)")
    assert time.monotonic() - began < 20


def test_a_relay_that_will_not_greet_twice_has_no_banner_and_is_fit_all_the_same() -> None:
    found = probe(steps(greets, hears), sends("HTTP/1.1 400 Bad Request"))
    assert isinstance(found, Probe)
    assert found.banner == ""


def test_a_relay_that_refuses_or_is_not_there_is_an_outcome() -> None:
    refused = probe(sends("554 not you"))
    assert isinstance(refused, Outcome)
    assert (refused.stage, refused.reply and refused.reply.code) == (Stage.BANNER, 554)
    gone = probe_relay(Relay("127.0.0.1", closed_port()), 1)
    assert isinstance(gone, Outcome)
    assert gone.stage is Stage.CONNECT
