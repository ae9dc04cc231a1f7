"""A database restored from a backup: links that live for ever work, others lead to new ones, no welcome comes twice."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from digest.bootstrap import Application
from digest.models import NoticeKind, Subscriber, Subscription
from digest.rules.tokens import tokens
from digest.settings import load_settings
from digest.store.readers import confirmations, notices
from digest.tasks.readers.reader_page import LINK_LIFE, request_link, request_move
from digest.tasks.readers.readers import sign_undo
from digest.tasks.readers.sign_up import Choices, ask
from digest.web.app import create_app
from tests.journeys.test_restored import back_up, restore
from tests.journeys.test_welcome import join
from tests.support.newsroom import Caught, Publication
from tests.support.readers import press

ANNA, BEN, CARL = "anna@example.org", "ben@example.org", "carl@example.org"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Running:
    """A publication's application with its pages, on the database as it is now."""

    def __init__(self, config: Path) -> None:
        self.app = Application(load_settings(config))
        self.readers, self.now = self.app.readers, self.app.clock
        self.client = TestClient(create_app(self.readers, self.readers.settings), follow_redirects=False)

    def ask(self, address: str) -> str:
        """Ask an address to confirm; return the path in the message."""
        ask(self.readers, address, "world", Choices(), {}, self.now())
        with self.readers.database.write() as session:
            asking = confirmations.claim_confirmation(session, 1, self.now())
            assert asking is not None
            return f"/confirm/{self.readers.give_token(session, asking.id or 0)}"

    def mail(self, kind: NoticeKind) -> str:
        """Return the token in the next notice."""
        token = self.readers.new_token()
        with self.readers.database.write() as session:
            row = notices.claim_notice(session, 1, self.now())
            assert row is not None
            assert row.kind == kind
            notices.set_token(session, row.id or 0, tokens.hash_token(token), self.now() + LINK_LIFE)
        return token

    def sign(self, address: str, action: str) -> str:
        with self.readers.database.read() as session:
            found = session.exec(select(Subscriber).where(Subscriber.address == address)).one()
            return f"/{action}/{tokens.sign(self.readers.signing_keys, action, found.public_id, 'world')}"

    def states(self) -> dict[str, str]:
        """Return the state of each reader by address."""
        with self.readers.database.read() as session:
            query = select(Subscriber.address, Subscription.state).join(Subscription)
            return dict(session.exec(query).all())


class Life:
    """A database, its copy, and the application that runs on either."""

    def __init__(self, config: Path) -> None:
        self._config, self._folder = config, config.parent
        self.running = Running(config)

    def back_up(self) -> None:
        """Copy the database while the application runs."""
        old, new = (sqlite3.connect(self._folder / name) for name in ("digest.db", "backup.db"))
        old.backup(new)
        old.close()
        new.close()

    def restore(self) -> Running:
        """Put the copy in the place of the database, and start on it."""
        self.running.app.database.close()
        for file in self._folder.glob("digest.db*"):
            file.unlink()
        (self._folder / "backup.db").rename(self._folder / "digest.db")
        self.running = Running(self._config)
        return self.running


@pytest.fixture
def life(publication: Publication) -> Iterator[Life]:
    publication.run("init", str(publication.folder))
    life = Life(publication.config)
    yield life
    life.running.app.database.close()


def confirm(running: Running, address: str) -> None:
    assert press(running.client, running.ask(address)).status_code == 200


def test_links_that_live_for_ever_work_for_readers_whom_the_copy_has(life: Life) -> None:
    confirm(life.running, ANNA)
    leave, change = life.running.sign(ANNA, "unsubscribe"), life.running.sign(ANNA, "preferences")
    life.back_up()
    life.running.client.post(leave)
    undo = sign_undo(life.running.readers, leave.split("/")[2], life.running.now())
    now = life.restore()

    assert now.states() == {ANNA: "confirmed"}
    assert press(now.client, change, cadence="weekly").status_code == 200
    assert now.client.post(f"/undo/{undo}").status_code == 200
    assert now.client.post(leave).status_code == 200
    assert now.states() == {ANNA: "ended"}


def test_a_link_of_a_reader_who_is_lost_opens_nobody_elses(life: Life) -> None:
    confirm(life.running, ANNA)
    life.back_up()
    confirm(life.running, BEN)
    leave, change = life.running.sign(BEN, "unsubscribe"), life.running.sign(BEN, "preferences")
    now = life.restore()
    confirm(now, CARL)  # has the number in the database that Ben had

    assert now.client.get(change).status_code == 404
    assert now.client.post(f"{change}/link").status_code in (403, 404)
    assert now.client.get(leave).status_code == 200
    assert now.client.post(leave).status_code == 200
    assert now.states() == {ANNA: "confirmed", CARL: "confirmed"}


def test_links_that_were_mailed_since_the_copy_say_so_and_lead_to_new_ones(life: Life) -> None:
    confirm(life.running, ANNA)
    life.back_up()
    request_link(life.running.readers, ANNA, {}, life.running.now())
    own = life.running.mail(NoticeKind.LINK)
    request_move(life.running.readers, own, "anna@new.example", {}, life.running.now())
    move = life.running.mail(NoticeKind.MOVE)
    asked = life.running.ask(BEN)
    now = life.restore()

    for path, onward in ((f"/me/{own}", "/link"), (f"/address/{move}", "/link"), (asked, "/")):
        answer = now.client.get(path)
        assert (answer.status_code, f'class="onward"><a href="{onward}"' in answer.text) == (410, True), path
        assert "example.org" not in answer.text.replace("name@example.org", "")
    assert press(now.client, now.ask(BEN)).status_code == 200
    assert now.states() == {ANNA: "confirmed", BEN: "confirmed"}


def test_links_that_the_copy_has_unused_work_once_more(life: Life) -> None:
    confirm(life.running, ANNA)
    request_link(life.running.readers, ANNA, {}, life.running.now())
    own = life.running.mail(NoticeKind.LINK)
    request_move(life.running.readers, own, "anna@new.example", {}, life.running.now())
    move, asked = f"/address/{life.running.mail(NoticeKind.MOVE)}", life.running.ask(BEN)
    life.back_up()
    assert press(life.running.client, move).status_code == 200
    assert press(life.running.client, asked).status_code == 200
    used = life.running.states()
    now = life.restore()

    assert now.states() == {ANNA: "confirmed", BEN: "pending"}
    assert now.client.get(f"/me/{own}").status_code == 200
    for path in (move, asked):
        assert press(now.client, path).status_code == 200
    assert now.states() == used
    assert now.client.get(move).status_code == 410


def welcoming(publication: Publication, relay: Caught, welcome: str) -> None:
    """Confirm one reader, who is yet to be welcomed, and take a copy."""
    publication.change_settings("[digests.cadences]", f'welcome = "{welcome}"\n[digests.cadences]')
    publication.use_relay(relay.port)
    publication.write_article("The bridge reopens")
    join(publication, relay, "anna@readers.example")
    back_up(publication)


def test_a_first_edition_is_not_sent_again_and_its_articles_count(publication: Publication) -> None:
    with Caught() as relay:
        welcoming(publication, relay, "edition")
        publication.run("send")
        restore(publication)
        assert "restored from a backup" in publication.run("send", code=1)

        publication.run("resume", "--sent-until", datetime.now(UTC).isoformat())
        for _ in range(2):
            publication.run("send", "--now")

        assert relay.recipients == ["anna@readers.example"] * 2  # asked, welcomed
    audited = publication.facts("audit")
    assert audited["ok"] is True
    welcome = next(one for one in audited["editions"] if one["cadence"] == "welcome")
    assert (welcome["withheld"], welcome["open"]) == (1, 0)


def test_a_first_edition_is_sent_again_where_the_operator_says_so(publication: Publication) -> None:
    with Caught() as relay:
        welcoming(publication, relay, "edition")
        publication.run("send")
        restore(publication)
        publication.run("resume", "--resend")
        publication.run("send")
        _, first, again = relay.parsed()
    assert first["Subject"] == again["Subject"]


def test_a_welcome_is_not_sent_again(publication: Publication) -> None:
    with Caught() as relay:
        welcoming(publication, relay, "mail")
        publication.run("send")
        restore(publication)
        publication.run("resume", "--sent-until", datetime.now(UTC).isoformat())
        publication.run("send")
        publication.run("send")

        assert relay.recipients == ["anna@readers.example"] * 2  # asked, welcomed
