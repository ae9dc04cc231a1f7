"""Return paths on the wire: each delivery's own where an inbox is named, and whose it is can be told from it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlmodel import select

from digest.models import Subscriber
from digest.rules.tokens.tokens import find_returned, read_return
from digest.settings import Settings, load_settings
from digest.store.database import Database
from digest.tasks.composing.composer import return_paths
from tests.support.newsroom import Publication, parse
from tests.support.recording import FULL, Recording, Transaction, by_recipient
from tests.support.scripted import Script, Scripted
from tests.support.standards import check_envelope

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
INBOXES = {
    "plus": 'address = "news@courier.example"',
    "the longest base": f'address = "{"n" * 32}@courier.example"',
    "another sign": 'address = "news@courier.example"\ndelimiter = "-"',
    "a domain of its own": 'address = "news@courier.example"\ndelimiter = "in.courier.example"',
    "a domain beyond ascii": 'address = "news@bücher.example"',
}


def begin(tmp_path: Path, database_url: str, port: int, inbound: str, readers: int = 6) -> Publication:
    publication = Publication(tmp_path, database_url, port=port, connections=2)
    publication.change_settings("[web]", f"[inbound]\n{inbound}\n\n[web]")
    publication.begin(readers)
    return publication


def whose(settings: Settings, mail_from: str, named: tuple[str, ...]) -> str | None:
    """Return whose return path this is, as the reader of bounces does."""
    token = return_paths(settings).find_token(mail_from)
    if token is None:
        return None
    database = Database(settings.database_url)
    with database.read() as session:
        readers = [
            one
            for one in session.exec(select(Subscriber))
            if one.public_id.startswith(read_return(token) or "-")
        ]
    database.close()
    found = [
        one for one in readers if find_returned(settings.web.signing_keys, token, one.public_id, [named])
    ]
    return found[0].address if found else None


@pytest.mark.parametrize("kind", INBOXES)
def test_each_delivery_has_a_return_path_that_tells_whose_it_is(
    tmp_path: Path, database_url: str, kind: str
) -> None:
    recording = Recording()
    with recording.server() as server:
        publication = begin(tmp_path, database_url, server.port, INBOXES[kind])
        publication.run("send", "--now")

    settings = load_settings(publication.config)
    period = publication.edition()["period"]
    found = by_recipient(recording)
    assert len(found) == len({one.mail_from for one in found.values()}) == 6
    for recipient, transaction in found.items():
        path = transaction.mail_from
        check_envelope(path, recipient)
        assert re.search(r"(^|[+-])[a-z2-7]{31}@", path)
        for came_as in (path, path.upper()):
            assert whose(settings, came_as, ("world", "daily", period)) == recipient
            assert whose(settings, came_as, ("world", "daily", "2001-01-01")) is None
        assert path.encode() not in transaction.content


def test_a_repeat_has_the_same_return_path_and_another_edition_another(
    tmp_path: Path, database_url: str
) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=True) as clock:
        recording = Recording(reply=lambda _: "")
        with Scripted(dropping(recording), recording.script()) as server:
            publication = begin(tmp_path, database_url, server.port, INBOXES["plus"], readers=1)
            publication.run("send", "--now")
            clock.shift(timedelta(days=1))
            publication.write_article("Ferry is sold")
            publication.run("send", "--now")

    first, again, other = recording.transactions
    assert first.mail_from == again.mail_from != other.mail_from
    assert first.content == again.content


def dropping(recording: Recording) -> Script:
    """Lose the first reply to a final dot, and answer from then on."""

    def script(wire) -> None:  # type: ignore[no-untyped-def]
        recording.reply = lambda _transaction: _lose(wire)
        recording.script()(wire)

    def _lose(wire) -> str:  # type: ignore[no-untyped-def]
        recording.reply = lambda _transaction: "250 2.0.0 kept"
        wire.socket.close()
        raise ConnectionError

    return script


@pytest.mark.parametrize(
    ("inbound", "path"),
    [
        ("", "news@courier.example"),
        ('address = "bounces@courier.example"\nreturn_path = "plain"', "bounces@courier.example"),
        (f'address = "{"b" * 64}@courier.example"\nreturn_path = "plain"', f"{'b' * 64}@courier.example"),
    ],
)
def test_without_an_inbox_or_where_it_is_wanted_all_have_one_return_path(
    tmp_path: Path, database_url: str, inbound: str, path: str
) -> None:
    recording = Recording(("PIPELINING",))
    with recording.server() as server:
        publication = begin(tmp_path, database_url, server.port, inbound, readers=3)
        publication.run("send", "--now")

    assert {one.mail_from for one in recording.transactions} == {path}


def test_an_asking_has_a_return_path_of_its_own_too(tmp_path: Path, database_url: str) -> None:
    recording = Recording()
    with recording.server() as server:
        publication = begin(tmp_path, database_url, server.port, INBOXES["plus"], readers=0)
        for address in ("ann@readers.example", "ben@readers.example"):
            publication.run("subscribers", "add", address)
        publication.run("send")

    settings = load_settings(publication.config)
    for recipient, transaction in by_recipient(recording).items():
        assert whose(settings, transaction.mail_from, ("world", "asking")) == recipient
    assert len(recording.transactions) == 2


def test_a_return_path_is_still_known_after_a_change_of_secret(tmp_path: Path, database_url: str) -> None:
    recording = Recording(FULL)
    with recording.server() as server:
        publication = begin(tmp_path, database_url, server.port, INBOXES["plus"], readers=1)
        publication.run("send", "--now")
    old = "a secret of the tests, long enough"
    publication.change_settings(
        f'secret = "{old}"', f'secret = "another one, which is new"\nold_secrets = ["{old}"]'
    )

    (transaction,) = recording.transactions
    period = publication.edition()["period"]
    named = ("world", "daily", period)
    assert whose(load_settings(publication.config), transaction.mail_from, named) == "r0@readers.example"
    publication.change_settings(f'["{old}"]', "[]")
    assert whose(load_settings(publication.config), transaction.mail_from, named) is None


def test_the_message_itself_does_not_tell_its_return_path(tmp_path: Path, database_url: str) -> None:
    recording = Recording()
    with recording.server() as server:
        publication = begin(tmp_path, database_url, server.port, INBOXES["plus"], readers=1)
        publication.run("send", "--now")

    (transaction,) = recording.transactions
    assert isinstance(transaction, Transaction)
    assert parse(transaction.content)["Return-Path"] is None
