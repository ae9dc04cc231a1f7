"""Articles on the desk: found, looked at, hidden, pinned, split, and added by their address."""

import re

import pytest

from digest.models import Article, Fold
from digest.store.articles import listing
from digest.tasks.articles import adding
from digest.tasks.articles.searching import index_due
from tests.support.desks import BEN, MARA, Newsdesk, Visitor

ARTICLES = "/desk/articles"
PAGE = """<!doctype html><html lang="en"><head><title>Tide tables – Harbour</title>
<meta property="og:title" content="Tide tables for December"></head><body><article><h1>Tide tables for December</h1>
<p>High water comes to the old harbour at noon on the first of the month, and the pilots will wait for it.</p>
<p>Low water follows at dusk, when the mussel beds lie dry for two hours and the gulls have them to themselves.</p>
</article></body></html>"""


def found(visitor: Visitor, query: str = "") -> list[str]:
    page = visitor.get(f"{ARTICLES}?{query}")
    assert page.status_code == 200, page.text
    return re.findall(r'<h2><a href="/desk/articles/\d+"[^>]*><bdi>([^<]*)', page.text)


def stored(newsdesk: Newsdesk, number: int) -> Article:
    with newsdesk.app.database.read() as session:
        return session.get_one(Article, number)


@pytest.fixture
def shelf(newsdesk: Newsdesk) -> dict[str, int]:
    return {
        "Alps": newsdesk.publish("Alps", "world", text="Snow lies deep at the pass."),
        "Baltic": newsdesk.publish("Baltic", "science", author="Ida Holm"),
        "Crete": newsdesk.publish("Crete", "world", hidden_at=newsdesk.clock()),
    }


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Crete", "Baltic", "Alps"]), ("search=snow+pass", ["Alps"]), ("search=sn%25w", []), ("search=%25", []),
        ("search=deep+sno", ["Alps"]), ("search=sno+deep", []),
        ("topic=science", ["Baltic"]), ("topic=sci", []), ("shown=hidden", ["Crete"]),
        ("shown=not-hidden&topic=world", ["Alps"]), ("shown=pinned", []), ("source=newsroom&search=alp", ["Alps"]),
        ("since=2026-11-23", []), ("since=yesterday", ["Crete", "Baltic", "Alps"]),
    ],
)  # fmt: skip
def test_articles_are_found_by_words_and_filters(
    newsdesk: Newsdesk, shelf: dict[str, int], query: str, titles: list[str]
) -> None:
    assert found(newsdesk.sign_in(BEN), query) == titles


def test_a_search_goes_through_the_store_in_bounded_steps(
    newsdesk: Newsdesk, shelf: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_READ", 2)
    ben = newsdesk.sign_in(BEN)

    page = ben.get(f"{ARTICLES}?topic=world&shown=not-hidden").text

    assert "Only part of the articles has been searched so far." in page
    onward = re.search(r'rel="next" href="/desk/articles\?([^"]+)"', page)
    assert onward is not None
    assert found(ben, onward[1].replace("&amp;", "&")) == ["Alps"]


def test_a_search_says_how_many_articles_it_does_not_know_yet(
    newsdesk: Newsdesk, shelf: dict[str, int]
) -> None:
    ben = newsdesk.sign_in(BEN)
    with newsdesk.app.database.write() as session:
        session.get_one(Article, shelf["Alps"]).title = "Andes"

    assert (
        "1 article that is new or edited is not found by words yet"
        in ben.get(f"{ARTICLES}?search=andes").text
    )
    assert "by words yet" not in ben.get(ARTICLES).text

    index_due(newsdesk.app.database)
    assert found(ben, "search=andes") == ["Andes"]
    assert "by words yet" not in ben.get(f"{ARTICLES}?search=andes").text


def test_an_article_is_hidden_shown_pinned_and_unpinned(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    ben, path = newsdesk.sign_in(BEN), f"{ARTICLES}/{shelf['Alps']}"
    for act, name, is_set in (
        ("hide", "hidden_at", True), ("show", "hidden_at", False), ("pin", "pinned_at", True),
        ("unpin", "pinned_at", False),
    ):  # fmt: skip
        answer = ben.do(act, path=path)
        assert answer.headers["location"] == f"{path}?said=article-{act}"
        assert (getattr(stored(newsdesk, shelf["Alps"]), name) is not None) is is_set


def test_a_page_tells_where_an_article_stood_and_leads_to_its_withdrawal(
    newsdesk: Newsdesk, shelf: dict[str, int]
) -> None:
    newsdesk.subscribe("anna@readers.example")
    assert "No edition has had it yet." in newsdesk.sign_in(BEN).get(f"{ARTICLES}/{shelf['Alps']}").text
    newsdesk.compile()

    page = newsdesk.sign_in(MARA).get(f"{ARTICLES}/{shelf['Alps']}").text

    assert f'href="{Newsdesk.PATH}">world daily 2026-11-23</a>' in page
    assert f'href="{Newsdesk.PATH}/withdraw/{shelf["Alps"]}"' in page
    assert "/withdraw/" not in newsdesk.sign_in(BEN).get(f"{ARTICLES}/{shelf['Alps']}").text
    assert newsdesk.sign_in(BEN).get(f"{ARTICLES}/999").status_code == 404


def test_a_folded_story_is_split(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    with newsdesk.app.database.write() as session:
        session.add(Fold(article_id=shelf["Baltic"], root_id=shelf["Alps"], folded_at=newsdesk.clock()))
    ben, path = newsdesk.sign_in(BEN), f"{ARTICLES}/{shelf['Baltic']}"
    assert "They are two stories" in ben.get(path).text
    assert "Baltic" in ben.get(f"{ARTICLES}/{shelf['Alps']}").text

    ben.do("split", path=path)

    with newsdesk.app.database.read() as session:
        assert session.get_one(Fold, shelf["Baltic"]).split_at is not None
    assert "They are two stories" not in ben.get(path).text


def test_a_page_is_previewed_then_added(newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(url: str, now: object) -> object:
        from digest.articles.documents.detect import parse_document

        return parse_document(PAGE.encode(), name=url, base_url=url, url=url, now=newsdesk.clock())

    monkeypatch.setattr(adding, "_read_page", read)
    ben, address = newsdesk.sign_in(BEN), "https://harbour.example/tides"
    before = newsdesk.snapshot()

    page = ben.do("preview", path=ARTICLES, address=address).text

    assert "Tide tables for December" in page
    assert "High water comes" in page
    assert newsdesk.snapshot() == before
    added = ben.do("add", path=ARTICLES, address=address)
    number = int(added.headers["location"].removeprefix(f"{ARTICLES}/").removesuffix("?said=added"))
    assert stored(newsdesk, number).title == "Tide tables for December"
    assert found(ben, "search=mussel") == ["Tide tables for December"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/story", "/etc/passwd", "file:///etc/passwd", ""])
@pytest.mark.parametrize("act", ["preview", "add"])
def test_only_public_pages_are_read(newsdesk: Newsdesk, act: str, address: str) -> None:
    ben, before = newsdesk.sign_in(BEN), newsdesk.snapshot()

    answer = ben.do(act, path=ARTICLES, address=address)

    assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)
    after = newsdesk.snapshot()
    assert {name: rows for name, rows in after.items() if name != "editor_session"} == {
        name: rows for name, rows in before.items() if name != "editor_session"
    }
