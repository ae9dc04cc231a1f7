"""Segments: searches for readers saved by name, used for an export and for a proof to a few readers."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.settings import load_settings
from digest.tasks.readers import on_request
from digest.tasks.readers.lists import segments as lists
from digest.web.newsroom import segments as pages
from tests.conftest import write_config
from tests.support.desks import OLGA, Clock, Newsdesk, Visitor, hidden
from tests.support.newsroom import Caught, parse

SEGMENTS, DAILY = "/desk/readers/segments", "world/daily/2026-11-23"
ANNA, BERT, CARL = "anna@readers.example", "bert@post.example", "carl@post.example"


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    newsdesk.subscribe(ANNA, language="de")
    newsdesk.subscribe(BERT)
    return newsdesk


def save(olga: Visitor, name: str = "Germans", **fields: str) -> str:
    answer = olga.client.post(SEGMENTS, data={**olga.token(SEGMENTS), "name": name, **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def test_a_search_is_saved_by_name_and_leads_to_its_readers(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)

    path = save(olga, language="de", state="confirmed")

    page = olga.get(path).text
    assert f"Last saved by {OLGA}" in page
    link = re.search(r'href="(/desk/readers\?[^"]+)">See its readers', page)
    assert link is not None
    listed = olga.get(link[1].replace("&amp;", "&")).text
    assert ANNA in listed
    assert BERT not in listed
    assert "<bdi>Germans</bdi>" in listed, "the list of readers offers the segment"
    exported = olga.do("export", path="/desk/readers", language="de", state="confirmed")
    assert [row["email"] for row in csv.DictReader(io.StringIO(exported.text))] == [ANNA]


def test_a_name_is_taken_once_and_what_was_typed_stays(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    save(olga, language="de")

    again = olga.client.post(SEGMENTS, data={**olga.token(SEGMENTS), "name": " GERMANS ", "text": "bert"})
    empty = olga.client.post(SEGMENTS, data={**olga.token(SEGMENTS), "name": "  "})

    assert again.status_code == 409
    assert "There is a segment “GERMANS” already" in again.text
    assert 'value="bert"' in again.text
    assert (empty.status_code, "Give the segment a name." in empty.text) == (400, True)


def test_of_two_people_the_second_sees_what_the_first_saved(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    path = save(olga, language="de")
    seen = olga.token(path)
    olga.do("set", path=path, name="Germans", language="de", topic="world")

    late = olga.do("set", seen, path, name="Speakers of German", language="de")
    gone = olga.do("remove", seen, path)

    assert (late.status_code, gone.status_code) == (409, 409)
    assert "Somebody else has changed this segment since you saw it." in late.text
    assert 'value="Speakers of German"' in late.text
    assert "topic “<bdi>world</bdi>”" in late.text
    assert "<h1><bdi>Germans</bdi></h1>" in olga.get(path).text
    assert olga.do("remove", path=path).status_code == 303
    assert olga.get(path).status_code == 404


class TestProofs:
    """Proofs are mailed for real, to a server that keeps them."""

    @pytest.fixture
    def relay(self) -> Iterator[Caught]:
        with Caught() as relay:
            yield relay

    @pytest.fixture
    def newsdesk(self, tmp_path: Path, relay: Caught) -> Iterator[Newsdesk]:
        config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port)
        newsdesk = Newsdesk(load_settings(config), Clock())
        newsdesk.publish("Alps")
        for address in (ANNA, BERT, CARL):
            newsdesk.subscribe(address)
        on_request.suppress(newsdesk.app.readers, CARL, newsdesk.clock(), {"command": "suppress"})
        yield newsdesk
        newsdesk.close()

    def ask(self, olga: Visitor, path: str) -> dict[str, str]:
        page = olga.get(f"{path}/proof?edition={DAILY}").text
        return {name: hidden(page, name) for name in ("form", "version", "draft", "count", "edition")}

    def test_a_proof_goes_to_confirmed_readers_once_their_number_is_confirmed(
        self, newsdesk: Newsdesk, relay: Caught
    ) -> None:
        olga = newsdesk.sign_in(OLGA)
        path = save(olga, "Everybody")
        asked = self.ask(olga, path)
        assert asked["count"] == "2"

        sent = olga.client.post(f"{path}/proof", data=asked)

        assert "The proof is on its way to 2 readers." in sent.text
        assert [recipient for recipient, _ in relay.messages] == [ANNA, BERT]
        message = parse(relay.messages[0][1])
        text = message.get_body(("plain",))
        assert text is not None
        told = text.get_content()
        assert message["Subject"].startswith("[Proof] ")
        assert "Alps" in told
        link = re.search(r"Unsubscribe:\s+https://courier.example(/unsubscribe/\S+)", told)
        assert link is not None
        assert newsdesk.visitor().get(link[1]).status_code == 200
        assert "sent a proof to 2 readers of the segment “Everybody”" in olga.get(f"/desk/{DAILY}").text

    def test_nothing_is_sent_to_another_number_than_was_shown(
        self, newsdesk: Newsdesk, relay: Caught
    ) -> None:
        olga = newsdesk.sign_in(OLGA)
        path = save(olga, "Everybody")
        asked = self.ask(olga, path)
        newsdesk.subscribe("dora@readers.example")

        answer = olga.client.post(f"{path}/proof", data=asked)

        assert answer.status_code == 409
        assert "Send to 3 readers now" in answer.text
        assert relay.messages == []

    def test_a_page_looks_through_a_bounded_number_of_readers_and_keeps_whom_it_found(
        self, newsdesk: Newsdesk, relay: Caught, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "MOST_READ", 1)
        newsdesk.subscribe("dora@readers.example")
        olga = newsdesk.sign_in(OLGA)
        nobody, path = save(olga, "Nobody", text="nobody"), save(olga, "Everybody")

        assert "None of the readers looked through so far" in olga.get(f"{nobody}/proof?edition={DAILY}").text
        shown, onward = [], f"{path}/proof?edition={DAILY}"
        while True:
            page = olga.get(onward).text
            shown.append(hidden(page, "count"))
            link = re.search(r'rel="next" href="([^"]+)"', page)
            if link is None:
                break
            onward = link[1].replace("&amp;", "&")
        fields = ("form", "version", "draft", "count", "edition", "start", "found")
        sent = olga.client.post(f"{path}/proof", data={name: hidden(page, name) for name in fields})

        assert shown == ["1", "2", "2", "3"], "the third reader is suppressed"
        assert "The proof is on its way to 3 readers." in sent.text
        assert [recipient for recipient, _ in relay.messages] == [ANNA, BERT, "dora@readers.example"]

    def test_whoever_was_found_and_has_left_since_is_left_out_of_the_proof(
        self, newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "MOST_READ", 1)
        olga = newsdesk.sign_in(OLGA)
        path = save(olga, "Everybody")
        page = olga.get(f"{path}/proof?edition={DAILY}").text
        link = re.search(r'rel="next" href="([^"]+)"', page)
        assert link is not None
        on_request.suppress(newsdesk.app.readers, ANNA, newsdesk.clock(), {"command": "suppress"})

        page = olga.get(link[1].replace("&amp;", "&")).text

        assert BERT in page
        assert ANNA not in page

    def test_a_proof_goes_to_a_bounded_number(
        self, newsdesk: Newsdesk, relay: Caught, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "MOST_PROOFS", 1)
        olga = newsdesk.sign_in(OLGA)
        path = save(olga, "Everybody")

        page = olga.get(f"{path}/proof?edition={DAILY}").text
        forced = {**olga.token(path), "draft": "0", "count": "2", "edition": DAILY}
        answer = olga.client.post(f"{path}/proof", data=forced)

        assert "A proof goes to 1 at most" in page
        assert answer.status_code == 400
        assert relay.messages == []
