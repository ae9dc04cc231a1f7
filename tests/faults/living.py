"""A publication that lives through anything: a clock of its own, a server that remembers, crashes, restored copies.

Everything happens in this process, by the functions that the commands and pages call. A process that crashes is
one whose transactions no longer commit, from one commit on, and whose lock goes without a word.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from digest.bootstrap import Application
from digest.models import NoticeKind, ReaderNotice
from digest.models.row import row_id
from digest.rules.tokens import tokens
from digest.sending import Sent, send_due
from digest.settings import load_settings
from digest.store import schema
from digest.store.database import Database
from digest.store.readers import notices, subscribers
from tests.faults.commits import watch_commits
from tests.support.newsroom import Publication, parse
from tests.support.readers import Clock
from tests.support.recording import Recording, Transaction

_MEMORY = Path("/dev/shm")
CONNECTIONS = 2
FIRST, LIVE = "first", "live"
_RENDERERS: list[Any] = []
_STORY = re.compile(r"https://courier\.example/story-(\d+)\b")


class CrashError(BaseException):
    """The process has ended; nothing that it does from now on stays."""


@dataclass(frozen=True)
class Crash:
    """At which commit of a process it ends: just before or just after."""

    number: int
    committed: bool


@dataclass
class Place:
    """Where publications live: a folder, a server that remembers, a database that copies are made of."""

    folder: Path
    port: int
    recording: Recording
    settle: Callable[[], None]
    postgresql: str | None = None
    count: int = 0

    def __post_init__(self) -> None:
        self.database = Database(self.url(LIVE))  # one for all lives: to write statements anew takes longest

    def name(self) -> str:
        """Return a name that nothing has yet."""
        self.count += 1
        return f"copy{self.count}"

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return self.postgresql.format(name=name) if self.postgresql else f"sqlite:///{self.folder}/{name}.db"

    def copy(self, name: str, to: str) -> None:
        """Copy a database that nobody has open."""
        if self.postgresql:
            self.run(f"CREATE DATABASE {to} TEMPLATE {name}")
        else:
            for end in (".db", ".db-wal"):
                if (self.folder / (name + end)).exists():
                    shutil.copy(self.folder / (name + end), self.folder / (to + end))

    def drop(self, name: str) -> None:
        """Throw a database away."""
        if self.postgresql:
            self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        else:
            for path in self.folder.glob(f"{name}.db*"):
                path.unlink()

    def run(self, statement: str) -> None:
        """Execute a statement that is about databases."""
        assert self.postgresql
        engine = create_engine(self.postgresql.format(name="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def place(postgresql: str | None = None) -> Iterator[Place]:
    """Yield a place, with an empty database "first" that has its tables."""
    memory = _MEMORY if _MEMORY.is_dir() else None
    recording = Recording()
    with tempfile.TemporaryDirectory(dir=memory) as folder, recording.server() as server:

        def settle() -> None:
            for thread in list(server._threads):
                thread.join(10)
            server._threads.clear()

        found = Place(Path(folder), server.port, recording, settle, postgresql)
        if postgresql:
            found.run(f"CREATE DATABASE {FIRST}")
        database = Database(found.url(FIRST))
        schema.migrate(database)
        database.close()
        yield found
        found.database.close()
        found.drop(LIVE)
        if postgresql:
            found.drop(FIRST)


@dataclass
class Life:
    """One publication: what is done to it, and what its readers' mailboxes hold."""

    place: Place
    clock: Clock
    crashes: int = 0
    links: int = 0
    is_resent: bool = False
    backups: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place.drop(LIVE)
        self.place.copy(FIRST, LIVE)
        self.folder = Path(tempfile.mkdtemp(dir=self.place.folder))
        url = self.place.url(LIVE)
        self.publication = Publication(self.folder, url, port=self.place.port, connections=CONNECTIONS)
        self.publication.change_settings(
            "max_articles = 5", 'max_articles = 5\nbreaking = true\nwelcome = "edition"'
        )
        self.settings = load_settings(self.publication.config)
        self.place.recording.transactions.clear()
        self.place.recording.reply = lambda one: self.replies.get(one.rcpt_to, "250 2.0.0 kept")
        self.app = self._start()

    def _start(self) -> Application:
        """Return what a process that has just started knows."""
        app = Application(self.settings, self.clock)
        app.__dict__["database"] = self.place.database
        if not _RENDERERS:
            _RENDERERS.append(app.renderer)  # to make one takes longer than to send
        app.__dict__["renderer"] = _RENDERERS[0]
        return app

    def _end(self) -> None:
        self.app.close()
        self.app = self._start()

    def close(self) -> None:
        """Throw it away."""
        self.app.close()
        for name in self.backups:
            self.place.drop(name)
        shutil.rmtree(self.folder)

    def do(self, act: Callable[[Application], Any], crash: Crash | None = None) -> Any:
        """Do something in a process of its own, which may crash; None where it did."""
        try:
            with _crashing(crash) if crash else nullcontext():
                return act(self.app)
        except CrashError:
            self.crashes += 1
            return None
        finally:
            self._end()
            self.place.settle()

    def send(self, crash: Crash | None = None, *, at_once: bool = False) -> Sent | None:
        """Run `digest send`."""
        done: Sent | None = self.do(lambda app: send_due(app, at_once=at_once), crash)
        return done

    def back_up(self) -> str:
        """Copy the database."""
        self._end()
        self.backups.append(name := self.place.name())
        self.place.copy(LIVE, name)
        return name

    def restore(self, backup: str) -> None:
        """Put a copy in the database's place; the state file stays as it is."""
        self.app.close()
        self.place.drop(LIVE)
        self.place.copy(backup, LIVE)
        self.app = self._start()

    def fresh_link(self, address: str) -> str:
        """Return the token of a link to a reader's own page, as the mail that they ask for carries it."""
        self.links += 1
        token, now = f"link {self.links}", self.clock()
        with self.app.database.write() as session:
            found = subscribers.find_subscriber(session, address)
            assert found is not None
            notices.add_notice(session, ReaderNotice(
                subscriber_id=row_id(found), kind=NoticeKind.LINK, address=address, requested_at=now,
                token_hash=tokens.hash_token(token), expires_at=now + timedelta(hours=1), due_at=now,
                mail_state="accepted",
            ))  # fmt: skip
        return token

    def mailboxes(self) -> dict[str, dict[str, tuple[frozenset[int], int]]]:
        """Return what each reader got: by the message's id its stories, and how often it came."""
        found: dict[str, dict[str, tuple[frozenset[int], int]]] = {}
        for one in self.place.recording.transactions:
            if not one.reply.startswith("250"):
                continue  # heard in full, and refused
            key, stories = _read(one)
            box = found.setdefault(one.rcpt_to, {})
            if box.get(key, (stories, 0))[0] != stories:
                assert self.is_resent, f"{one.rcpt_to}: {key} came with {box[key][0]}, then with {stories}"
                key += (
                    f" with {sorted(stories)}"  # an edition that was lost and is made again holds what is new
                )
            _, times = box.get(key, (stories, 0))
            box[key] = (stories, times + 1)
        return found


def _read(one: Transaction) -> tuple[str, frozenset[int]]:
    """Read the id and the stories of a message, once."""
    known: tuple[str, frozenset[int]] | None = getattr(one, "read", None)
    if known is None:
        message = parse(one.content)
        body = message.get_body(("plain",))
        assert body is not None
        known = str(message["Message-ID"]), frozenset(map(int, _STORY.findall(body.get_content())))
        one.read = known  # type: ignore[attr-defined]
    return known


@contextmanager
def _crashing(crash: Crash) -> Iterator[None]:
    """Let the process end at one of its commits: no transaction commits from then on."""
    left, is_reached = crash.number, False

    def before() -> None:
        nonlocal left, is_reached
        left -= 1
        is_reached = left <= 0
        if is_reached and not (left == 0 and crash.committed):
            raise CrashError

    def after() -> None:
        if is_reached:
            raise CrashError

    with pytest.MonkeyPatch.context() as patched:
        watch_commits(before, after, patched.setattr)
        yield
