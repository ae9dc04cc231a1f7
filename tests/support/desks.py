"""A desk to work at in tests: a publication's application with editors, and browsers that sign in."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from digest.bootstrap import Application
from digest.models import Article, Role, Subscriber, Subscription, SubscriptionState
from digest.settings import Settings
from digest.tasks.articles.searching import index_due
from digest.tasks.desk.editors import add_editor
from digest.web.app import create_app

PASSWORD = "four words make one"
MARA, BEN, OLGA = "mara@courier.example", "ben@courier.example", "olga@courier.example"
BASE = "https://courier.example"
DAY = timedelta(days=1)


@dataclass
class Clock:
    """A clock that a test sets; the eve of a Monday's edition."""

    now: datetime = field(default=datetime(2026, 11, 22, 18, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


class Newsdesk:
    """A publication with a desk: Mara is a publisher, Ben an editor, Olga an operator."""

    PATH = "/desk/world/daily/2026-11-23"

    def __init__(self, settings: Settings, clock: Clock, *, compiles: bool = True) -> None:
        self.clock = clock
        self.app = Application(settings, clock=clock)
        self.settings = settings
        self.web = create_app(self.app.readers, settings, desk=self.app.desk, now=clock)
        self._numbers = iter(range(1, 10_000))
        for address, role in ((MARA, Role.PUBLISHER), (BEN, Role.EDITOR), (OLGA, Role.OPERATOR)):
            add_editor(self.app.desk, address, role, PASSWORD, clock())
        if compiles:
            self.compile(clock())  # from now on a deadline counts

    def publish(self, title: str, *topics: str, hours: float = 5, **values: Any) -> int:
        """Store an article and return its id."""
        number = next(self._numbers)
        url = f"https://courier.example/story-{number}"
        row = Article(
            source="newsroom", canonical_url=url, url=url, content_hash=str(number), title=title,
            summary=f"In short: {number}.", topics=list(topics) or ["world"],
            first_seen_at=self.clock() - timedelta(hours=hours), **values,
        )  # fmt: skip
        with self.app.database.write() as session:
            session.add(row)
            session.flush()
        index_due(self.app.database)
        assert row.id is not None
        return row.id

    def subscribe(self, address: str, *topics: str, language: str | None = None, name: str = "") -> int:
        """Enter a confirmed reader and return the subscription's id."""
        at = self.clock() - DAY
        with self.app.database.write() as session:
            person = Subscriber(
                public_id=self.app.desk.new_id(), address=address, address_key=address, name=name,
                language=language, created_at=at,
            )  # fmt: skip
            session.add(person)
            session.flush()
            row = Subscription(
                subscriber_id=person.id or 0, digest="world", cadence="daily", created_at=at,
                state=SubscriptionState.CONFIRMED, confirmed_at=at,
                topics={topic: at.isoformat() for topic in topics or ("*",)},
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id or 0

    def visitor(self, **headers: str) -> "Visitor":
        """Return a client that is not signed in."""
        return Visitor(self, headers)

    def path(self, day: int = 0) -> str:
        """Return the path of the daily edition, by the number of days after Monday."""
        return f"/desk/world/daily/2026-11-{23 + day}"

    def sign_in(self, address: str = MARA) -> "Visitor":
        """Return a client that is signed in."""
        visitor = self.visitor()
        answer = visitor.sign_in(address, PASSWORD)
        assert answer.status_code == 303, answer.text
        return visitor

    def compile(self, at: datetime | None = None) -> list[Any]:
        """Compile what is due."""
        self.clock.now = at or datetime(2026, 11, 23, 6, 0, 30, tzinfo=UTC)
        with self.app.worker(checked=False) as worker:
            compiler = self.app.compiler(worker)
            made = [c for digest in self.settings.digests for c in compiler.compile_due(digest, self.clock())]
        self.app.save_state()
        return made

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all rows of all tables."""
        from sqlmodel import SQLModel

        with self.app.database.read() as session:
            return {
                name: sorted(
                    map(tuple, session.connection().execute(text(f'SELECT * FROM "{name}"'))), key=str
                )
                for name in SQLModel.metadata.tables
            }

    def close(self) -> None:
        """Close what was opened."""
        self.app.close()


class Visitor:
    """A browser without scripts: it keeps cookies, and fills the forms that a page shows."""

    def __init__(self, newsdesk: Newsdesk, headers: dict[str, str]) -> None:
        self.client = TestClient(
            newsdesk.web,
            base_url=BASE,
            follow_redirects=False,
            raise_server_exceptions=False,
            headers=headers,
        )
        self._newsdesk = newsdesk

    def sign_in(self, address: str, password: str) -> Response:
        """Fill the sign-in."""
        page = self.client.get("/desk/login").text
        data = {"form": hidden(page, "form"), "address": address, "password": password, "next": "/desk"}
        return self.client.post("/desk/login", data=data)

    def get(self, path: str = Newsdesk.PATH) -> Response:
        """Get a page."""
        return self.client.get(path)

    def token(self, path: str = Newsdesk.PATH) -> dict[str, str]:
        """Return the fields that the forms of a page bring: the anti-forgery token and the version."""
        page = self.get(path).text
        return {"form": hidden(page, "form"), "version": hidden(page, "version")}

    def do(
        self, act: str, seen: dict[str, str] | None = None, path: str = Newsdesk.PATH, **data: Any
    ) -> Response:
        """Post a form of an edition's page, as seen now or before."""
        return self.client.post(f"{path}/{act}", data={**(seen or self.token(path)), **data})


def hidden(page: str, name: str) -> str:
    """Find the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def titles(page: str) -> list[str]:
    """List the articles of a line-up, in order."""
    return re.findall(r'<li class="line[^>]*id="a\d+".*?<h4[^>]*>(.*?)</h4>', page, re.DOTALL)
