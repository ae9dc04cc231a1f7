"""Kill -9 at each step of taking mail in, and see that each message is acted on exactly once.

    uv run python -m tests.faults.inbound_kills [--calls 12]

A process of its own takes the mail in and kills itself before, or just after, the nth call of a step; others go
on where it ended. `--calls` is how many calls of each step are tried.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlmodel import Session

from digest.bootstrap import Application
from digest.models import Answer, Bounce, InboundMessage, Letter
from digest.net.inbound.spool import Spool
from digest.settings import load_settings
from digest.tasks.inbound.intake import take_in
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication

STEPS: dict[str, tuple[type, str]] = {
    "names": (Spool, "names"),
    "read": (Spool, "read"),
    "commit": (Session, "commit"),
    "remove": (Spool, "remove"),
}
READERS = 3


def begin(folder: Path) -> Inboxed:
    """Make a publication that has mailed an edition, with a bounce, a question and a letter of each reader."""
    folder.mkdir(exist_ok=True)
    with Caught() as relay:
        publication = Publication(folder, f"sqlite:///{folder}/digest.db", port=relay.port)
        inboxed = Inboxed(publication)
        publication.begin(READERS)
        publication.run("send", "world", "--now")
    for number in range(READERS):
        address = f"r{number}@readers.example"
        words = f"452 4.2.2 mailbox full {number}"
        for message in (
            inboxed.bounce(address, status="4.2.2", words=words),
            inboxed.letter(address, "help"),
            inboxed.letter(address, "The bridge", "It was never closed."),
        ):
            inboxed.spool.deliver([message.encode()])
    return inboxed


def kill_at(inboxed: Inboxed, step: str, call: int, *, after: bool) -> bool:
    """Process mail until the nth call of a step kills the process; return whether it was reached."""
    command = [sys.executable, "-m", __spec__.name, "--die", str(inboxed.publication.config), step, str(call)]
    done = subprocess.run([*command, "after" if after else "before"], capture_output=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode == -signal.SIGKILL


def check(inboxed: Inboxed) -> None:
    """Process the rest, twice, and check that each message was acted on once."""
    for _ in range(2):
        inboxed.publication.run("receive", "--now")
    assert inboxed.spool.names(9) == []
    assert len(inboxed.rows(InboundMessage)) == 3 * READERS
    assert len(inboxed.rows(Bounce)) == len(inboxed.rows(Letter)) == READERS
    answers = sorted(one.kind for one in inboxed.rows(Answer))
    assert answers == ["answer"] * READERS + ["forward"] * READERS, answers


def _die(config: str, step: str, call: int, *, after: bool) -> None:
    owner, name = STEPS[step]
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*given, **named)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    app = Application(load_settings(Path(config)))
    inbox = app.inbox
    setattr(owner, name, counted)
    take_in(inbox, app.clock())


def main() -> None:
    """Kill at every call of every step, before and after it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--die", nargs=4)
    given = parser.parse_args()
    if given.die:
        config, step, call, when = given.die
        _die(config, step, int(call), after=when == "after")
        return
    killed = 0
    with tempfile.TemporaryDirectory() as name:
        for step in STEPS:
            for call in range(1, given.calls + 1):
                for after in (False, True):
                    inboxed = begin(Path(name) / f"{step}-{call}-{after}")
                    killed += kill_at(inboxed, step, call, after=after)
                    check(inboxed)
    sys.stdout.write(f"{killed} processes were killed; every message was acted on exactly once\n")


if __name__ == "__main__":
    main()
