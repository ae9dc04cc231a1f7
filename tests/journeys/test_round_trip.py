"""The doctor sends one message through relay and inbox, and says where it got lost."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from digest.bootstrap import Application
from digest.models.status import Status
from digest.net.inbound.spool import Spool
from digest.settings import load_settings
from digest.tasks.doctor.findings import Finding
from digest.tasks.inbound.round_trip_check import examine_round_trip
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication, run_command

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Delivering(Caught):
    """A relay that hands what it takes to the inbox, by the address that `recipient` makes of the envelope's."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self.spool = spool
        self.recipient: Callable[[str], str] = str

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        reply = await super().handle_DATA(server, session, envelope)
        content = envelope.original_content.replace(
            envelope.rcpt_tos[0].encode(), self.recipient(envelope.rcpt_tos[0]).encode()
        )
        self.spool.deliver([content], recipient=self.recipient(envelope.rcpt_tos[0]))
        return reply


@pytest.fixture
def relay(publication: Publication) -> Iterator[Delivering]:
    server = Delivering(Spool(publication.folder / "inbox"))
    with server:
        publication.use_relay(server.port)
        yield server


@pytest.fixture
def inboxed(relay: Delivering, publication: Publication) -> Inboxed:
    inboxed = Inboxed(publication)
    publication.run("init")
    return inboxed


def go(inboxed: Inboxed, seconds: float = 30) -> Finding:
    """Go round once."""
    app = Application(inboxed.settings)
    try:
        return examine_round_trip(
            app.inbox, app.composer, app.renderer, app.relay, 12_345, app.clock, timedelta(seconds=seconds)
        )
    finally:
        app.close()


def test_a_message_that_comes_back_is_told(inboxed: Inboxed) -> None:
    found = go(inboxed)

    assert (found.status, found.check) == (Status.OK, "round-trip")
    assert "came back into the inbox" in found.found


def test_the_command_goes_round_when_asked(inboxed: Inboxed, relay: Delivering) -> None:
    offline = "doctor", "--offline", "--config", str(inboxed.publication.config)
    run_command(*offline, code=None)
    assert relay.messages == []

    told, _ = run_command(*offline, "--round-trip", code=None)

    assert "came back into the inbox" in told
    assert len(relay.messages) == 1


def test_a_server_that_drops_what_is_behind_the_delimiter_is_told(
    inboxed: Inboxed, relay: Delivering
) -> None:
    relay.recipient = lambda _: "news@courier.example"

    found = go(inboxed)

    assert found.status is Status.FAIL
    assert "not for the address that it was sent to" in found.found


def test_a_message_that_the_relay_took_and_that_never_came_is_told(
    inboxed: Inboxed, relay: Delivering, publication: Publication
) -> None:
    relay.spool = Spool(publication.folder / "elsewhere")

    found = go(inboxed, seconds=0.1)

    assert found.status is Status.WARN
    assert "took the message, and it has not come" in found.found


def test_a_relay_that_is_away_is_told(inboxed: Inboxed, relay: Delivering) -> None:
    inboxed.publication.change_settings(f"port = {relay.port}", "port = 1")
    inboxed.settings = load_settings(inboxed.publication.config)

    assert "the relay cannot be used" in go(inboxed).found
