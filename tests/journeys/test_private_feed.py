"""A reader's private feed has what the ledger has for them, opens by its token alone, and ends with the subscription."""

from collections.abc import Iterator
from xml.etree import ElementTree as Tree

import pytest
from fastapi.testclient import TestClient

from digest.bootstrap import Application
from digest.rules.tokens import tokens
from digest.settings import load_settings
from digest.store.readers import subscribers
from digest.tasks.readers.private_feed import sign_feed
from digest.web.app import create_app
from tests.support.newsroom import Caught, Publication
from tests.support.readers import snapshot

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def sent(publication: Publication) -> Publication:
    with Caught() as relay:
        publication.use_relay(relay.port)
        publication.write_article("Bridge reopens")
        publication.write_article("Sponges are old", "science")
        publication.run(
            "subscribers", "add", "anna@readers.example", "--language", "sv", "--confirmed", "by phone"
        )
        publication.run(
            "subscribers", "add", "bo@readers.example", "--topics", "science", "--confirmed", "by phone"
        )
        publication.run("send", "--now")
    return publication


@pytest.fixture
def app(sent: Publication) -> Iterator[Application]:
    app = Application(load_settings(sent.config))
    yield app
    app.database.close()


@pytest.fixture
def client(app: Application) -> Iterator[TestClient]:
    with TestClient(create_app(app.readers, app.settings), follow_redirects=False) as client:
        yield client


def feed_of(app: Application, address: str) -> str:
    with app.database.read() as session:
        found = subscribers.find_subscriber(session, address)
        assert found is not None
        return f"/feed/{sign_feed(app.readers, found.public_id, 'world')}"


def told(content: str) -> str:
    (entry,) = Tree.fromstring(content).findall(f"{ATOM}entry")
    return str(entry.findtext(f"{ATOM}summary"))


def test_each_reader_is_told_what_they_have_and_looking_changes_nothing(
    app: Application, client: TestClient
) -> None:
    before = snapshot(app.readers)
    annas, bos = (client.get(feed_of(app, f"{one}@readers.example")) for one in ("anna", "bo"))

    assert annas.headers["content-type"] == "application/atom+xml"
    assert sorted(told(annas.text).split(" · ")) == ["Bridge reopens", "Sponges are old"]
    assert told(bos.text) == "Sponges are old"
    assert 'xml:lang="sv"' in annas.text
    assert "anna@" not in annas.text
    assert snapshot(app.readers) == before


def test_the_feed_is_private_and_a_client_that_has_it_is_told_so(
    app: Application, client: TestClient
) -> None:
    path = feed_of(app, "anna@readers.example")
    answer = client.get(path)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_no_other_token_opens_it_and_it_ends_with_the_subscription(
    app: Application, client: TestClient, sent: Publication
) -> None:
    path = feed_of(app, "anna@readers.example")
    with app.database.read() as session:
        found = subscribers.find_subscriber(session, "anna@readers.example")
        assert found is not None
    for action in (tokens.PREFERENCES, tokens.UNSUBSCRIBE):
        other = tokens.sign(app.readers.signing_keys, action, found.public_id, "world")
        assert client.get(f"/feed/{other}").status_code == 410
    assert client.get(f"/preferences/{path.rpartition('/')[2]}").status_code == 404
    sent.run("subscribers", "leave", "anna@readers.example")
    assert client.get(path).status_code == 410


def test_a_withdrawn_article_leaves_the_feed(app: Application, client: TestClient, sent: Publication) -> None:
    sponges = next(one for one in sent.facts("articles", "list") if one["title"] == "Sponges are old")
    sent.run("articles", "withdraw", str(sponges["id"]))
    assert told(client.get(feed_of(app, "anna@readers.example")).text) == "Bridge reopens"
