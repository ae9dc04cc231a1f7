"""The desk looks an edition over before it goes, and shows what it found."""

import pytest

from digest.rules.editions.preflight_facts import LinkCheck
from tests.support.desks import Newsdesk


def test_an_editor_looks_an_edition_over(newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    newsdesk.publish("THE BRIDGE IS OPEN <script>alert(1)</script>")
    newsdesk.publish("Sponges", image_url="http://courier.example/x.jpg", image_alt="A sponge")
    asked: list[str] = []

    def visit(urls: list[str], _own_pages: str) -> dict[str, LinkCheck]:
        asked.extend(urls)
        return {url: LinkCheck(trouble=f"{url} answers 404", is_gone=True) for url in urls}

    monkeypatch.setattr("digest.tasks.editions.preflight.visit", visit)
    mara = newsdesk.sign_in()
    assert "Run checks" in mara.get().text
    before = newsdesk.snapshot()

    answer = mara.do("preflight")

    assert answer.status_code == 200
    assert "Problems were found" in answer.text
    assert "a link is dead" in answer.text
    assert "a picture is not on https" in answer.text
    assert "<script" not in answer.text.replace('<script src="/desk.js"', "")
    assert "http://courier.example/x.jpg" in asked
    assert not any("/unsubscribe/" in url for url in asked)
    after = newsdesk.snapshot()
    assert {name: rows for name, rows in after.items() if rows != before[name]}.keys() <= {"editor_session"}


def test_with_nothing_in_it_there_is_nothing_to_check(newsdesk: Newsdesk) -> None:
    answer = newsdesk.sign_in().do("preflight")
    assert answer.status_code == 400
    assert "Nothing to check yet" in answer.text
