"""Mail that comes in while an edition is being delivered is processed meanwhile, by the delivery's process."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from digest.bootstrap import Application
from digest.errors import Unreachable
from digest.models import Subscriber
from digest.sending import Sent, prepare
from digest.tasks.inbound import intake
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class AnsweredLate(Caught):
    """A server that accepts its first message only once what came in by then has been processed."""

    def __init__(self, arrives: Callable[[str], None], is_processed: Callable[[], bool]) -> None:
        super().__init__()
        self._arrives, self._is_processed = arrives, is_processed

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if not self.messages:
            self._arrives(envelope.rcpt_tos[0])
            end = time.monotonic() + 30
            while not self._is_processed() and time.monotonic() < end:
                await asyncio.sleep(0.01)
        return await super().handle_DATA(server, session, envelope)


def test_readers_who_leave_by_mail_while_an_edition_is_delivered_do_not_get_it(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_LOOKS_EVERY", 0.01)
    inboxed = Inboxed(publication)
    publication.begin(8)
    leaving = {
        row.address: inboxed.letter(row.address, to=inboxed.leave_address(row.address))
        for row in inboxed.rows(Subscriber)
    }

    def arrives(first: str) -> None:
        for address, message in leaving.items():
            if address != first:
                inboxed.spool.deliver([message.encode()])

    with AnsweredLate(arrives, lambda: not inboxed.spool.names(1)) as slow:
        publication.use_relay(slow.port)
        publication.run("send", "world", "--now")

    assert 1 <= len(slow.recipients) <= 2  # the second may be on its way
    assert [inboxed.state(one) for one in leaving].count("ended") == 7


def test_what_comes_in_is_left_to_the_delivery_by_the_other_jobs_of_a_worker(
    publication: Publication,
) -> None:
    inboxed = Inboxed(publication)
    inboxed.spool.deliver([inboxed.letter("anna@readers.example", "A letter").encode()])
    app, done = Application(inboxed.settings), Sent()
    try:
        with app.worker() as worker:
            for delivers in (True, False):
                app.delivers = delivers
                prepare(app, worker, app.run(worker), done, digests=[])
                assert bool(inboxed.spool.names(1)) is delivers
    finally:
        app.close()
    assert done.taken == {"letter": 1}


def test_mail_that_could_not_be_processed_for_a_moment_is_processed_at_a_later_look(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    inboxed, ended, looks = Inboxed(publication), threading.Event(), list[str]()
    app = Application(inboxed.settings)

    def drain(*_arguments: object) -> Counter[str]:
        looks.append("look")
        if len(looks) == 1:
            raise Unreachable("the database is locked")
        ended.set()
        return Counter(letter=1)

    monkeypatch.setattr(intake, "_LOOKS_EVERY", 0.01)
    monkeypatch.setattr(intake, "_LOOKS_AFTER_A_FAILURE", 0.01)
    monkeypatch.setattr(intake, "_drain", drain)
    try:
        assert intake.take_in_meanwhile(app.inbox, app.clock, ended) == {"letter": 1}
    finally:
        app.close()
