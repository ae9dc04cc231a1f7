"""A flood of bounces by LMTP while an edition is being delivered: how much slower does it get?

    uv run python -m tests.benchmarks.inbound_flood [--readers 20000] [--bounces 100000] [--senders 4]

Two editions go to as many readers and to Postfix's sink, the second while bounces come in to the same process,
from a process of its own, as fast as they are taken. What was not taken in that time comes in afterwards.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from digest.bootstrap import Application
from digest.net.inbound.lmtp import LmtpServer
from digest.sending import deliver_due
from digest.tasks.inbound.intake import take_in
from tests.benchmarks.inbound import send
from tests.benchmarks.relays import sink
from tests.support.inbox import Inboxed
from tests.support.newsroom import Publication
from tests.support.postfix import free_port

_SOFT = "452 4.2.2 mailbox full"


def begin(folder: Path, port: int, readers: int) -> Inboxed:
    """Make a publication with readers and articles that are taken in."""
    folder.mkdir()
    publication = Publication(folder, f"sqlite:///{folder}/digest.db", port=port, connections=4)
    inboxed = Inboxed(publication)
    publication.begin(readers)
    publication.run("fetch")
    return inboxed


def deliver_edition(app: Application) -> float:
    """Compile an edition, deliver it, and return the messages a second of the delivery."""
    with app.worker() as worker:
        app.compiler(worker).compile_due(app.settings.digest("world"), app.clock(), at_once=True)
        begun = time.perf_counter()
        tally = deliver_due(app, app.run(worker))
        seconds = time.perf_counter() - begun
    return tally.accepted / seconds


def flood(port: int, bounces: int, senders: int) -> None:
    """Send bounces that prove nothing: each is stored, and read later, like any other."""
    inboxed = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: news@courier.example\nSubject: Undelivered\n"
        "Message-ID: <{number}@mx.example>\n\n<r0@readers.example>: " + _SOFT + " ({number})\n"
    )
    send(
        port,
        [("news@courier.example", inboxed.format(number=number).encode()) for number in range(bounces)],
        senders,
    )


def main() -> None:
    """Deliver once in quiet, once in the flood."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--bounces", type=int, default=100_000)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    if given.port:
        flood(given.port, given.bounces, given.senders)
        return
    with tempfile.TemporaryDirectory() as name, sink() as relay:
        for attempt in ("warm", "quiet"):  # the first loads what a process loads once
            quiet = Application(begin(Path(name) / attempt, relay.port, given.readers).settings)
            in_quiet = deliver_edition(quiet)
            quiet.close()
        inboxed = begin(Path(name) / "flooded", relay.port, given.readers)
        app, port = Application(inboxed.settings), free_port()
        is_ours = inboxed.settings.inbound.is_ours
        server = LmtpServer(app.inbox.spool, is_ours, "127.0.0.1", port, lambda: app.delivers)
        server.start()
        try:
            command = [
                sys.executable,
                "-m",
                __spec__.name,
                "--port",
                str(port),
                "--bounces",
                str(given.bounces),
            ]
            with subprocess.Popen([*command, "--senders", str(given.senders)]) as flooding:
                while not app.inbox.spool.names(1):
                    time.sleep(0.01)
                before = len(app.inbox.spool.names(given.bounces))
                flooded = deliver_edition(app)
                stored = len(app.inbox.spool.names(given.bounces)) - before
                flooding.wait()
            taken = 0
            while app.inbox.spool.names(1):
                taken += take_in(app.inbox, app.clock()).total()
        finally:
            server.stop()
            app.close()
    slower = 1 - flooded / in_quiet
    sys.stdout.write(
        f"{given.readers:,} readers: {in_quiet:,.0f} messages/s in quiet, {flooded:,.0f} in the flood"
        f" ({stored:,} bounces stored meanwhile): {100 * slower:.0f} % slower; {taken:,} of {given.bounces:,} read\n"
    )


if __name__ == "__main__":
    main()
