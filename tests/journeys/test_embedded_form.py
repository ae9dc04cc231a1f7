"""The form for the publication's own site: what `digest embed` prints signs up, by a page with one button."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from digest.bootstrap import Application
from digest.models import Subscriber
from digest.settings import load_settings
from digest.web.app import create_app
from tests.support.newsroom import Publication
from tests.support.readers import hidden_fields

SECOND = """[[digests]]
name = "tide"
title = "Tide Tables"
[digests.cadences]
weekly = "Mon 07:00"
"""
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://blog.example"}


class Form(HTMLParser):
    """The fields of a form as a browser would send them, everything ticked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.action = ""
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "form":
            self.action = found["action"] or ""
        if tag == "input":
            self.fields.setdefault(found["name"] or "", []).append(found.get("value") or "")


@pytest.fixture
def client(publication: Publication) -> Iterator[TestClient]:
    app = Application(load_settings(publication.config))
    with TestClient(create_app(app.readers, app.settings), follow_redirects=False) as client:
        yield client
    app.database.close()


def test_the_form_signs_up_after_one_button_on_a_page_of_ours(
    publication: Publication, client: TestClient
) -> None:
    form = Form(publication.run("embed"))
    assert form.action == "https://courier.example/subscribe"
    assert "script" not in form.tags
    data = {**form.fields, "address": ["anna@example.org"]}

    asked = client.post("/subscribe", data=data, headers=ELSEWHERE)
    fields = hidden_fields(asked.text)
    assert "One more step" in asked.text
    assert not emails(client, publication)
    done = client.post("/subscribe", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert "Check your inbox" in done.text
    assert emails(client, publication) == ["anna@example.org"]


def emails(client: TestClient, publication: Publication) -> list[str]:
    app = Application(load_settings(publication.config))
    with app.database.read() as session:
        found = [one.address for one in session.exec(select(Subscriber))]
    app.database.close()
    return found


def test_a_language_and_digests_are_chosen_and_styles_can_be_left_out(publication: Publication) -> None:
    publication.config.write_text(publication.config.read_text() + SECOND)
    both = publication.run("embed", "--language", "ar", "--plain")
    assert 'lang="ar" dir="rtl"' in both
    assert "<style>" not in both
    assert 'type="checkbox" name="digest" value="tide"' in both
    assert not re.search(r"\b(Subscribe|Your email|Leave this)\b", both)
    one = publication.run("embed", "--digest", "tide")
    assert 'type="hidden" name="digest" value="tide"' in one
    assert "<style>" in one


def test_what_is_not_offered_is_an_error_that_names_it(publication: Publication) -> None:
    assert '"tlh" is not a language of this installation' in publication.run(
        "embed", "--language", "tlh", code=2
    )
    publication.run("embed", "--digest", "none", code=2)
