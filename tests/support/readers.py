"""A publication's readers and pages for tests: predictable ids and tokens, a clock, links, rows."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi.testclient import TestClient
from sqlmodel import SQLModel, select

from digest.models import Subscriber, Subscription
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import confirmations
from digest.tasks.readers.readers import Readers

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA = {"digest": "world", "address": "anna@example.org", "cadence": "weekly", "consent": "yes"}
TO_BASE32 = str.maketrans("0123456789", "abcdefghij")


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.now


def make_readers(database: Database, settings: Settings) -> Readers:
    """Make the use cases with ids and tokens that a test can know."""
    ids = itertools.count()
    return Readers(
        database, settings, settings.web.signing_keys, b"the suppression key",
        lambda: f"{next(ids):026}".translate(TO_BASE32), lambda: f"a-random-token-{next(ids)}",
    )  # fmt: skip


def take_token(readers: Readers, now: datetime) -> str:
    """Return the token of the next confirmation mail that is due."""
    with readers.database.write() as session:
        asking = confirmations.claim_confirmation(session, 1, now)
        assert asking is not None
        return readers.give_token(session, asking.id or 0)


def link(readers: Readers, action: str, digest: str = "world") -> str:
    """Make the link of the one reader, as a message carries it."""
    with readers.database.read() as session:
        found = session.exec(select(Subscriber)).one()
        return f"/{action}/{tokens.sign(readers.signing_keys, action, found.public_id, digest)}"


def find_row(readers: Readers, digest: str = "world") -> Subscription:
    """Find the one subscription to a digest."""
    with readers.database.read() as session:
        return session.exec(select(Subscription).where(Subscription.digest == digest)).one()


def snapshot(readers: Readers) -> list[str]:
    """Return every row of every table."""
    with readers.database.read() as session:
        return [
            f"{table.name} {tuple(row)!r}"
            for table in SQLModel.metadata.sorted_tables
            for row in session.execute(select(table))  # type: ignore[call-overload]
        ]


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's forms."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return dict(found)


def form_of(client: TestClient, path: str) -> dict[str, str]:
    """Open a page and return the hidden fields of its forms."""
    return hidden_fields(client.get(path).text)


def sign_up(client: TestClient, *, headers: Mapping[str, str] | None = None, **typed: Any) -> Any:
    """Sign up by the form, as a browser does; `typed` are fields beside or in place of Anna's.

    The application's clock may stand still, so the form is the one that is shown after a form from elsewhere.
    """
    shown = client.post("/subscribe", data={**ANNA, **typed}, headers=headers)
    again = hidden_fields(shown.text)
    if "form" not in again or shown.status_code != 200:
        return shown
    return client.post("/subscribe", data={**ANNA, **typed, "form": again["form"]}, headers=headers)


def press(client: TestClient, path: str, to: str = "", **typed: Any) -> Any:
    """Open a page and post its form with other fields, to the same address or another one."""
    return client.post(to or path, data={"form": form_of(client, path).get("form", ""), **typed})


def sign_up_and_confirm(client: TestClient, readers: Readers, now: datetime = NOW, **typed: Any) -> None:
    """Sign up and confirm by the pages."""
    sign_up(client, **typed)
    path = f"/confirm/{take_token(readers, now)}"
    assert press(client, path).status_code == 200
