"""Editions that are killed, and what is then said of them: who got what, how often, and whether the books are right."""

import itertools
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import time_machine
from sqlalchemy import create_engine, text

from tests.faults import dying
from tests.faults.dying import Death
from tests.support.newsroom import Publication, parse
from tests.support.recording import FULL, Recording, Transaction

HEARD = ("EHLO", "MAIL", "RCPT", "DATA", "dot", "reply")
"""The steps at which the server kills its client, when it hears of them."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(dying.PRELOADED))
_PATIENCE = 60


@dataclass(frozen=True)
class Kill:
    """When a run is killed: at a step of its own, at one that the server hears of, or after a time."""

    own: Death | None = None
    heard: str = ""
    number: int = 1
    seconds: float = 0

    def __str__(self) -> str:
        if self.own:
            return f"{self.own.when} {self.own.step} {self.own.number}"
        return f"at {self.heard} {self.number}" if self.heard else f"after {self.seconds:.3f} s"


@dataclass
class Found:
    """What an edition's readers got, and what its books say."""

    readers: int
    connections: int
    kills: int = 0
    missed: int = 0
    runs: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    audit: dict[str, Any] = field(default_factory=dict)
    output: str = ""

    @property
    def missing(self) -> int:
        """Return how many readers got nothing."""
        return self.readers - len(self.messages)

    @property
    def undecided(self) -> int:
        """Return how many deliveries are uncertain: two kills struck the same one in flight."""
        return sum(edition["uncertain"] for edition in self.audit.get("editions", ()))

    @property
    def lost(self) -> int:
        """Return how many readers got nothing although their delivery is not uncertain."""
        return max(0, self.missing - self.undecided)

    @property
    def repeats(self) -> int:
        """Return how many messages were sent beyond one for each reader."""
        return sum(self.messages.values()) - len(self.messages)

    @property
    def is_sound(self) -> bool:
        """Return whether nothing is lost, repeats are within bounds, bytes are unchanged and the audit passes."""
        return not self.trouble

    @property
    def trouble(self) -> str:
        """Describe what is wrong; empty if nothing is."""
        said = []
        if self.lost:
            said.append(f"{self.lost} lost")
        if self.undecided > self.kills * self.connections:
            said.append(f"{self.undecided} undecided")
        if self.repeats > self.kills * self.connections:
            said.append(
                f"{self.repeats} repeats after {self.kills} kills with {self.connections} connections"
            )
        if self.differing:
            said.append(f"{self.differing} repeats that differ")
        if not self.audit.get("ok"):
            said.append("the audit does not hold")
        sums = Counter(dict.fromkeys(("accepted", "uncertain", "failed", "open"), 0))
        for edition in self.audit.get("editions", ()):
            sums.update({key: edition[key] for key in sums})
        if sums["accepted"] + sums["uncertain"] != self.readers or sums["failed"] or sums["open"]:
            said.append(f"the ledger says {dict(sums)}")
        if "Traceback" in self.output:
            said.append(f"a traceback: {last_error(self.output)}")
        return ", ".join(said)


def last_error(output: str) -> str:
    """Return the exception at the end of a traceback, such as `ValueError: 3 is too many`."""
    lines = output[output.rindex("Traceback") :].splitlines()[1:]
    return next((line for line in lines if line and not line.startswith(" ")), "it has no end")


class Newsstand:
    """A publication that is made once and copied for each edition, on SQLite or on a PostgreSQL server."""

    def __init__(
        self, folder: Path, readers: int, postgresql: str | None = None, *, at: datetime | None = None
    ) -> None:
        self.readers = readers
        self.folder = folder / f"first-{'postgresql' if postgresql else 'sqlite'}-{readers}"
        self.folder.mkdir(parents=True)
        self._postgresql = postgresql
        self._numbers = itertools.count()
        self._name = f"first{os.getpid()}r{readers}"
        if postgresql:
            self._admin(f"CREATE DATABASE {self._name}")
        first = Publication(self.folder, self._url(self.folder, self._name), port=9)
        with time_machine.travel(at, tick=True) if at else nullcontext():
            first.begin(readers)

    def _url(self, folder: Path, name: str) -> str:
        return self._postgresql.format(name=name) if self._postgresql else f"sqlite:///{folder}/digest.db"

    def _admin(self, statement: str) -> None:
        assert self._postgresql
        engine = create_engine(self._postgresql.format(name="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    @contextmanager
    def edition(self, connections: int) -> Iterator["Edition"]:
        """Yield a copy of the publication, deleted afterwards unless it is in trouble."""
        folder = Path(tempfile.mkdtemp(prefix="edition-", dir=self.folder.parent))
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        name = f"{self._name}c{next(self._numbers)}"
        if self._postgresql:
            self._admin(f"CREATE DATABASE {name} TEMPLATE {self._name}")
        environment = {
            "DIGEST_DATABASE__URL": self._url(folder, name),
            "DIGEST_SMTP__CONNECTIONS": str(connections),
        }
        found = Edition(folder, environment, self.readers, connections)
        try:
            yield found
        finally:
            found.close()
            if self._postgresql:
                self._admin(f"DROP DATABASE {name} WITH (FORCE)")
            if found.is_well:
                shutil.rmtree(folder)

    def close(self) -> None:
        """Throw it away."""
        if self._postgresql:
            self._admin(f"DROP DATABASE {self._name} WITH (FORCE)")
        shutil.rmtree(self.folder)


class Edition:
    """One edition on its way, with a server of its own that remembers."""

    def __init__(self, folder: Path, environment: dict[str, str], readers: int, connections: int) -> None:
        self.folder = folder
        self.environment = environment
        self.found = Found(readers, connections)
        self.recording = Recording(FULL, reply=self._reply, watch=self._watch)
        self.delay = 0.0
        self.is_well = False
        self._server = self.recording.server()
        self._server.__enter__()
        self.environment["DIGEST_SMTP__PORT"] = str(self._server.port)
        self._guard = threading.Lock()
        self._heard = ""
        self._left = 0
        self._running: BaseProcess | None = None

    def close(self) -> None:
        """End the server."""
        self._server.__exit__(None, None, None)

    def start(self, *arguments: str, death: Death | None = None) -> BaseProcess:
        """Start a command in a process of its own."""
        given = (*arguments, "--config", str(self.folder / "config.toml"))
        output = str(self.folder / "output")
        process = _FORKS.Process(target=dying.run, args=(given, output, self.environment, death))
        process.start()
        self.found.runs += 1
        return process

    def kill(self, kill: Kill) -> bool:
        """Run until a kill; tell whether it came to it before the run's own end."""
        with self._guard:
            self._heard, self._left = kill.heard, kill.number
        before = len(self.recording.transactions)
        process = self._running = self.start("send", "world", "--now", "--quiet", death=kill.own)
        if kill.seconds:
            self._wait_for(before + 1, process)
            process.join(kill.seconds)
            process.kill()
        process.join(_PATIENCE)
        with self._guard:
            self._running, self._heard = None, ""
        assert process.exitcode is not None, f"{kill}: still running after {_PATIENCE} seconds"
        is_killed = process.exitcode == -signal.SIGKILL
        self.found.kills += is_killed
        self.found.missed += not is_killed
        return is_killed

    def stop(self, number: signal.Signals, *, after: int) -> None:
        """Run, and end the run in order once the server has so many messages more."""
        before = len(self.recording.transactions)
        process = self.start("send", "world", "--now", "--quiet")
        self._wait_for(before + after, process)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, number)
        process.join(10)
        assert process.exitcode == 0, f"{number.name}: {process.exitcode} after 10 seconds"

    def finish(self) -> Found:
        """Let it go to its end, and judge it."""
        for _ in range(3):
            process = self.start("send", "world", "--now", "--quiet")
            process.join(_PATIENCE)
            assert process.exitcode == 0, (process.exitcode, (self.folder / "output").read_text()[-2000:])
        return self.judge()

    def judge(self) -> Found:
        """Return what the readers got and what the audit reports."""
        report = self.folder / "audit.json"
        audit = _FORKS.Process(
            target=dying.run,
            args=(
                ("audit", "--json", "--config", str(self.folder / "config.toml")),
                str(report),
                self.environment,
                None,
            ),
        )
        audit.start()
        audit.join(_PATIENCE)
        found = self.found
        found.audit = json.loads(report.read_text())
        report.unlink()
        found.output = (self.folder / "output").read_text()
        by_reader: dict[str, list[Transaction]] = defaultdict(list)
        for transaction in self.recording.transactions:
            by_reader[transaction.rcpt_to].append(transaction)
        found.messages = Counter({reader: len(got) for reader, got in by_reader.items()})
        found.differing = sum(
            one.content != got[0].content
            or one.mail != got[0].mail
            or parse(one.content)["Message-ID"] != parse(got[0].content)["Message-ID"]
            for got in by_reader.values()
            for one in got[1:]
        )
        self.is_well = found.is_sound
        return found

    def _wait_for(self, count: int, process: BaseProcess) -> None:
        end = time.monotonic() + _PATIENCE
        while len(self.recording.transactions) < count and process.is_alive() and time.monotonic() < end:
            time.sleep(0.001)

    def _reply(self, _transaction: Transaction) -> str:
        if self.delay:
            time.sleep(self.delay)
        return "250 2.0.0 kept"

    def _watch(self, step: str) -> None:
        """Kill the client where the server is to."""
        with self._guard:
            if (
                not self._heard
                or self._running is None
                or step != {"DATA": _data(self)}.get(self._heard, self._heard)
            ):
                return
            self._left -= 1
            if self._left == 0:
                self._running.kill()


def _data(edition: Edition) -> str:
    return "BDAT" if "CHUNKING" in edition.recording.extensions else "DATA"


def kill_all(edition: Edition, kills: Sequence[Kill]) -> Found:
    """Kill one edition again and again, let it go to its end, and judge it."""
    for kill in kills:
        edition.kill(kill)
    return edition.finish()
