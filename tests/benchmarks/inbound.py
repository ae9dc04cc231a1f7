"""Mail that comes in: messages a second by LMTP through to stored and acted on, beside bare aiosmtpd.

    uv run python -m tests.benchmarks.inbound [--messages 4000] [--senders 4]

The bare server is the same library with the same durable write of each message (file and folder are synced)
and nothing behind it. Ours also tells each message apart and acts on it, in the same process, while others
come in, at ticks as the daemon does (a tick of a second, as the whole takes only some): of ten, six are bounces that prove a delivery, two automatic answers, two letters.
"""

import argparse
import asyncio
import os
import smtplib
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP

from digest.bootstrap import Application
from digest.models import Edition, Subscriber
from digest.net.inbound.lmtp import LmtpServer
from digest.tasks.composing.composer import return_paths
from digest.tasks.inbound.intake import take_in
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication

READERS = 200
TICK = 1.0
"""Seconds."""

Message = tuple[str, bytes]


class BareServer(Controller):
    """aiosmtpd with a handler that stores the bytes of each message durably."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self._numbers = folder, iter(range(10**9))
        super().__init__(self, hostname="127.0.0.1", port=port)

    def factory(self) -> LMTP:
        """Make the server of one connection."""
        return LMTP(self, hostname="bare")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Store a message."""
        await asyncio.to_thread(self._store, envelope.original_content)
        return "250 2.0.0 stored"

    def _store(self, content: bytes) -> None:
        with (self.folder / str(next(self._numbers))).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        handle = os.open(self.folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def send(port: int, messages: list[Message], senders: int) -> None:
    """Send messages over so many connections at once."""

    def work(share: list[Message]) -> None:
        with smtplib.LMTP("127.0.0.1", port) as client:
            for recipient, content in share:
                client.sendmail("", [recipient], content)

    threads = [threading.Thread(target=work, args=(messages[n::senders],)) for n in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def mixed(inboxed: Inboxed, count: int) -> list[Message]:
    """Write messages of each kind, as they come to a publication."""
    edition = next(one for one in inboxed.rows(Edition) if one.cadence == "daily")
    write = return_paths(inboxed.settings).write
    paths = {row.address: write(row.public_id, edition.name) for row in inboxed.rows(Subscriber)}
    addresses = sorted(paths)
    made: list[Message] = []
    for number in range(count):
        address = addresses[number % len(addresses)]
        if number % 10 < 6:
            text = inboxed.bounce(
                address, to=paths[address], status="4.2.2", words=f"452 4.2.2 mailbox full ({number})"
            )
            made.append((paths[address], text.encode()))
            continue
        headers = ["Auto-Submitted: auto-replied"] if number % 10 < 8 else []
        text = inboxed.letter(address, "The bridge", f"It was never closed ({number}).", headers=headers)
        made.append(("news@courier.example", text.encode()))
    return made


def timed(act: Callable[[], None]) -> tuple[float, float]:
    """Return how many seconds something takes, by the clock and of this process's processor time."""
    begun, worked = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - begun, time.process_time() - worked


def measure_ours(inboxed: Inboxed, messages: list[Message], senders: int, port: int) -> tuple[float, float]:
    """Return the seconds from the first message to the last one acted on."""
    app = Application(inboxed.settings)
    server = LmtpServer(app.inbox.spool, inboxed.settings.inbound.is_ours, "127.0.0.1", port)
    taken = 0

    def whole() -> None:
        nonlocal taken
        sending = threading.Thread(target=send, args=(port, messages, senders))
        sending.start()
        while sending.is_alive() or app.inbox.spool.names(1):
            sending.join(TICK)
            taken += take_in(app.inbox, app.clock()).total()
        sending.join()

    server.start()
    try:
        seconds = timed(whole)
    finally:
        server.stop()
        app.close()
    assert taken == len(messages), f"{taken} of {len(messages)} were taken in"
    return seconds


def main() -> None:
    """Measure both, one after the other, in the same folder's file system."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=4_000)
    parser.add_argument("--senders", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Caught() as relay:
        folder = Path(name)
        publication = Publication(folder, f"sqlite:///{folder}/digest.db", port=relay.port)
        inboxed = Inboxed(publication)
        publication.begin(READERS)
        publication.run("send", "world", "--now")
        messages = mixed(inboxed, given.messages)
        (folder / "bare").mkdir()
        bare = BareServer(folder / "bare", Caught().port)
        bare.start()
        try:
            bare_seconds = timed(lambda: send(bare.port, messages, given.senders))
        finally:
            bare.stop()
        seconds = measure_ours(inboxed, messages, given.senders, Caught().port)
    ours, theirs = (given.messages / one[0] for one in (seconds, bare_seconds))
    sys.stdout.write(
        f"bare aiosmtpd: {theirs:,.0f} messages/s; ours, acted on: {ours:,.0f}; share {ours / theirs:.2f}; "
        f"of processor time, senders included: {bare_seconds[1] / seconds[1]:.2f}\n"
    )


if __name__ == "__main__":
    main()
