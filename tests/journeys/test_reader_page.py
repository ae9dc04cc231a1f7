"""A reader's own page behind a one-hour link: join, details, address, data, erasure; and undoing a departure."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from digest.mail.rendering.catalogues import Catalogues
from digest.mail.rendering.renderer import Renderer
from digest.models import NoticeKind, ReaderNotice, Subscriber
from digest.resources import bundled
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import notices
from digest.tasks.readers.notice_mail import NoticeMail, compose_notice_of
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.support.newsroom import parse
from tests.support.readers import (
    Clock,
    find_row,
    link,
    make_readers,
    press,
    sign_up_and_confirm,
    snapshot,
)


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(readers, readers.settings, now=clock), follow_redirects=False) as client:
        sign_up_and_confirm(client, readers, clock())
        yield client


def take_notice(readers: Readers, clock: Clock, kind: NoticeKind, life: timedelta) -> str:
    with readers.database.write() as session:
        row = notices.claim_notice(session, 1, clock())
        assert row is not None
        assert row.kind == kind
        notices.set_token(session, row.id or 0, tokens.hash_token(f"token-{row.id}"), clock() + life)
        return f"token-{row.id}"


def own_page(client: TestClient, readers: Readers, clock: Clock) -> str:
    press(client, "/link", address="anna@example.org")
    return f"/me/{take_notice(readers, clock, NoticeKind.LINK, timedelta(hours=1))}"


def test_a_known_and_an_unknown_address_get_the_same_answer_and_one_gets_a_link(
    client: TestClient, readers: Readers
) -> None:
    known = press(client, "/link", address="anna@example.org")
    unknown = press(client, "/link", address="nobody@example.org")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    with readers.database.read() as session:
        assert [row.address for row in session.exec(select(ReaderNotice))] == ["anna@example.org"]


def test_the_page_keeps_details_and_leaves_and_joins(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path = own_page(client, readers, clock)
    assert "anna@example.org" in client.get(path).text
    press(client, path, name="Anna", language="de", timezone="Europe/Berlin")
    assert find_row(readers).state == "ended"
    press(client, path, **{"digest": "world", "cadence-world": "daily", "hour-world": "9", "name": "Anna"})
    row = find_row(readers)
    assert (row.state, row.cadence, row.hour) == ("confirmed", "daily", 9)


def test_the_link_ends_after_an_hour_and_looking_changes_nothing(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path = own_page(client, readers, clock)
    before = snapshot(readers)
    for one in (path, f"{path}/data.json", f"{path}/erase"):
        assert client.get(one).status_code == 200
    assert client.get(f"{path}/data.json").json()["address"] == "anna@example.org"
    assert snapshot(readers) == before
    clock.now += timedelta(hours=1)
    for one in (path, f"{path}/data.json", f"{path}/erase"):
        answer = client.get(one)
        assert answer.status_code == 410
        assert "anna" not in answer.text


def test_an_address_changes_once_the_new_one_confirms_and_the_old_one_is_told(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path = own_page(client, readers, clock)
    press(client, path, f"{path}/address", address="anna@new.example")
    move = f"/address/{take_notice(readers, clock, NoticeKind.MOVE, timedelta(days=1))}"
    before = snapshot(readers)
    assert "anna@new.example" in client.get(move).text
    assert snapshot(readers) == before
    assert press(client, move).status_code == 200
    with readers.database.read() as session:
        assert session.exec(select(Subscriber)).one().address == "anna@new.example"
        told = session.exec(select(ReaderNotice).where(ReaderNotice.kind == NoticeKind.MOVED)).one()
    assert told.address == "anna@example.org"
    assert client.get(move).status_code == 410


def test_a_reader_erases_themselves(client: TestClient, readers: Readers, clock: Clock) -> None:
    path = own_page(client, readers, clock)
    assert press(client, f"{path}/erase").status_code == 200
    assert "anna@example.org" not in "".join(snapshot(readers))


def test_a_departure_is_undone_within_the_hour_and_not_after(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    def leave() -> str:
        found = re.search(r'action="(/undo/[^"]+)"', client.post(link(readers, "unsubscribe")).text)
        assert found is not None
        return found[1]

    back = client.post(leave())
    assert back.status_code == 200
    assert find_row(readers).state == "confirmed"
    preferences = re.search(r'href="(/preferences/[^"]+)"', back.text)
    assert preferences is not None
    assert "Save" in client.get(preferences[1]).text
    undo = leave()
    clock.now += timedelta(minutes=61)
    assert client.post(undo).status_code == 410
    assert find_row(readers).state == "ended"


def test_a_form_without_its_stamp_changes_nothing(client: TestClient, readers: Readers, clock: Clock) -> None:
    path = own_page(client, readers, clock)
    before = snapshot(readers)
    for one in (path, f"{path}/address", f"{path}/erase", link(readers, "preferences"), "/link"):
        assert client.post(one, data={"address": "x@example.org"}).status_code == 403
    assert snapshot(readers) == before


@pytest.mark.parametrize(
    ("written", "status", "until"),
    [
        ("2026-03-20", 200, "2026-03-19T23:00:00+00:00"),
        ("2026-03-01", 400, None),
        ("2031-01-01", 400, None),
        ("20 March", 400, None),
        ("9999-12-31", 400, None),
    ],
)
def test_a_pause_ends_on_a_date_that_the_reader_names(
    client: TestClient, readers: Readers, written: str, status: int, until: str | None
) -> None:
    path = link(readers, "preferences")
    answer = press(client, path, cadence="weekly", **{"pause-date": written})
    row = find_row(readers)
    assert answer.status_code == status
    assert (row.paused_until and row.paused_until.isoformat()) == until


def test_the_page_behind_the_fresh_link_has_the_private_feed(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    found = re.search(
        r'href="https://courier.example(/feed/[^"]+)"', client.get(own_page(client, readers, clock)).text
    )
    assert found is not None
    assert client.get(found[1]).status_code == 200


def test_whoever_confirms_is_welcomed_once_where_the_digest_says_so(
    database: Database, settings: Settings, clock: Clock
) -> None:
    greeting = {"welcome": "mail", "welcome_text": "Good to have you."}
    world = settings.digest("world").model_copy(update=greeting)
    readers = make_readers(database, settings.model_copy(update={"digests": (world,)}))
    with TestClient(create_app(readers, readers.settings, now=clock), follow_redirects=False) as client:
        sign_up_and_confirm(client, readers, clock())
    with database.read() as session:
        (row,) = session.exec(select(ReaderNotice)).all()
        subscriber = session.exec(select(Subscriber)).one()
    assert (row.kind, row.origin) == ("welcome", {"digest": "world"})

    templates = bundled("templates")
    mail = NoticeMail(readers, Renderer(templates / "email"), Catalogues(templates / "languages"))
    message = parse(bytes(compose_notice_of(mail, row, subscriber, "", clock())))
    body = message.get_body(("plain",))
    assert message["Subject"] == "Welcome to World Briefing"
    assert body is not None
    assert "Good to have you." in body.get_content()
    assert link(readers, "preferences") in body.get_content().replace("https://courier.example", "")


def test_nobody_is_welcomed_where_the_digest_does_not_say_so(readers: Readers, client: TestClient) -> None:
    with readers.database.read() as session:
        assert session.exec(select(ReaderNotice)).all() == []


def test_the_page_keeps_how_many_articles_a_reader_wants(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path = own_page(client, readers, clock)
    assert 'value="3">At most 3<' in client.get(path).text
    assert press(client, path, digest="world", **{"most-world": "3"}).status_code == 200
    assert find_row(readers).max_articles == 3
    assert press(client, path, digest="world", **{"most-world": "99"}).status_code == 400
    press(client, path, digest="world", **{"most-world": ""})
    assert find_row(readers).max_articles is None


def test_the_pages_of_a_messages_links_are_in_the_readers_language_unless_another_is_picked(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    press(client, own_page(client, readers, clock), digest="world", language="sv")
    for action in ("preferences", "unsubscribe"):
        path = link(readers, action)
        assert '<html lang="sv"' in client.get(path, headers={"Accept-Language": "de"}).text
        assert '<html lang="fr"' in client.get(f"{path}?lang=fr").text
    assert '<html lang="de"' in client.get("/unsubscribe/unknown", headers={"Accept-Language": "de"}).text


def test_the_page_keeps_the_form_that_a_reader_wants(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path = own_page(client, readers, clock)
    assert '<option value="text">Plain text</option>' in client.get(path).text
    assert press(client, path, digest="world", **{"form-world": "feed"}).status_code == 200
    assert find_row(readers).mail_form == "feed"
    assert '<option value="feed" selected>' in client.get(path).text
    assert press(client, path, digest="world", **{"form-world": "fax"}).status_code == 400
    assert find_row(readers).mail_form == "feed"


def test_the_fresh_link_and_the_feed_outlive_the_key_that_signed_them(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    own = own_page(client, readers, clock)
    feed = re.search(r'href="https://courier.example(/feed/[^"]+)"', client.get(own).text)
    assert feed is not None
    newer = b"a newer secret, long enough"
    answers = {}
    for name, ring in (("rotated", (newer, *readers.signing_keys)), ("withdrawn", (newer,))):
        later = replace(readers, signing_keys=ring)
        with TestClient(create_app(later, later.settings, now=clock), follow_redirects=False) as visitor:
            paths = (own, f"{own}/data.json", feed[1], link(readers, "preferences"))
            answers[name] = [visitor.get(path).status_code for path in paths]
    assert answers == {"rotated": [200] * 4, "withdrawn": [200, 200, 410, 404]}
    clock.now += timedelta(hours=1)
    assert [client.get(path).status_code for path in (own, f"{own}/data.json", f"{own}/erase")] == [410] * 3
