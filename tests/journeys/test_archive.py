"""The archive: anybody may read what was mailed of public digests, and nothing else."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from fastapi.testclient import TestClient

from digest.models import Article, Correction, Edition, EditionState, Variant, VariantArticle
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.support.readers import sign_up
from tests.support.statements import recorded

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class Library:
    """Editions straight into the database: what compiling leaves there."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.made = 0

    def add_article(self, title: str, **more: Any) -> int:
        self.made += 1
        with self.database.write() as session:
            slug = f"https://courier.example/{self.made}"
            known: dict[str, Any] = {"url": slug, "topics": ["world"], "summary": f"{title}, in short."}
            article = Article(
                source="newsroom", canonical_url=slug, content_hash=str(self.made), title=title,
                first_seen_at=NOON, **(known | more),
            )  # fmt: skip
            session.add(article)
            session.flush()
            return article.id or 0

    def add_edition(self, period: str, *lists: list[int], cadence: str = "daily", **more: Any) -> int:
        at = NOON + timedelta(days=int(period[-2:]))
        known: dict[str, Any] = {"digest": "world", "state": EditionState.FINISHED, "frozen_at": at}
        with self.database.write() as session:
            edition = Edition(cadence=cadence, period=period, deadline_at=at, freeze_at=at, **(known | more))
            session.add(edition)
            session.flush()
            for number, ids in enumerate(lists):
                variant = Variant(edition_id=edition.id or 0, key=str(number), language="en")
                session.add(variant)
                session.flush()
                for place, article_id in enumerate(ids):
                    session.add(
                        VariantArticle(variant_id=variant.id or 0, position=place, article_id=article_id)
                    )
            return edition.id or 0

    def change(self, article_id: int, **values: Any) -> None:
        with self.database.write() as session:
            article = session.get_one(Article, article_id)
            for name, value in values.items():
                setattr(article, name, value)
            session.add(article)


@pytest.fixture
def library(database: Database) -> Library:
    return Library(database)


@pytest.fixture
def serve(database: Database, settings: Settings) -> Callable[..., TestClient]:
    def start(**changed: Any) -> TestClient:
        digest = settings.digests[0].model_copy(update=changed)
        own = settings.model_copy(update={"digests": (digest,)})
        readers = Readers(
            database, own, own.web.signing_keys, b"key", lambda: "a" * 26, lambda: "a-random-token"
        )
        return TestClient(create_app(readers, own, now=lambda: NOON), raise_server_exceptions=False)

    return start


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve()


def test_an_edition_shows_the_articles_of_all_its_variants_once_under_their_topics(
    client: TestClient, library: Library
) -> None:
    bridge = library.add_article("Bridge reopens")
    sponge = library.add_article("Sponges are old", topics=["science"])
    song = library.add_article("A lost song", topics=["culture"])
    library.add_edition("2026-03-02", [bridge, sponge], [bridge, song], [song])

    text = client.get("/archive/world/daily/2026-03-02").text

    assert all(
        text.count(f">{title}<") == 1 for title in ("Bridge reopens", "Sponges are old", "A lost song")
    )
    assert text.index("Bridge reopens</span>") < text.index(">Culture<") < text.index("A lost song</span>")
    assert text.index(">Culture<") < text.index(">Science<") < text.index("Sponges are old</span>")
    assert "Get World Briefing by email" in text


def test_what_only_new_readers_got_stands_apart_at_the_end(client: TestClient, library: Library) -> None:
    old, new = library.add_article("Old bridge"), library.add_article("New bridge")
    library.add_edition("2026-03-01", [old])
    library.add_edition("2026-03-02", [new], [old, new])

    text = client.get("/archive/world/daily/2026-03-02").text

    assert (
        text.index("New bridge</span>") < text.index("From earlier editions") < text.index("Old bridge</sp")
    )
    assert "From earlier" not in client.get("/archive/world/daily/2026-03-01").text


def test_the_index_lists_the_latest_first_and_has_pages(client: TestClient, library: Library) -> None:
    bridge = library.add_article("Bridge reopens")
    for day in range(1, 29):
        library.add_edition(f"2026-03-{day:02}", [bridge])
    for day in range(1, 6):
        library.add_edition(f"2026-04-{day:02}", [bridge], cadence="weekly")

    first, second = client.get("/archive/world"), client.get("/archive/world?page=2")

    found = [re.findall(r'href="(/archive/world/[a-z]+/[^"]+)"', page.text) for page in (first, second)]
    assert [len(page) for page in found] == [30, 3]
    assert len({path for page in found for path in page}) == 33
    assert found[0][0] == "/archive/world/daily/2026-03-28"
    assert "?page=2" in first.text
    assert client.get("/archive?page=1").status_code == 200
    for wrong in ("0", "3", "-1", "x", "1" * 30, "²"):
        assert client.get(f"/archive?page={wrong}").status_code == 404


def test_a_list_names_the_first_titles_of_each_edition_as_its_page_orders_them(
    client: TestClient, library: Library
) -> None:
    bridge, ferry, song, lamp = (
        library.add_article(title)
        for title in ("Bridge reopens", "Ferry for sale", "A lost song", "Lamp lit")
    )
    gone = library.add_article("Withdrawn at once", withdrawn_at=NOON)
    changes = {str(song): {"title": "A song found"}}
    library.add_edition("2026-03-02", [gone, ferry, bridge, lamp], [song, ferry, lamp], changes=changes)
    library.add_edition("2026-03-03", [gone])
    library.add_edition("2026-03-04", [lamp])

    text = client.get("/archive/world").text

    assert text.index("Lamp lit") < text.index("A song found") < text.index("Ferry for sale")
    assert text.index("Ferry for sale") < text.rindex("Lamp lit"), "which two lists have in the third place"
    assert text.count("Lamp lit") == 2
    assert "Bridge reopens" not in text, "three titles stand for an edition"
    assert "A lost song" not in text
    assert "Withdrawn at once" not in text
    assert "2026-03-03" not in text, "nothing of it may be shown"


def test_a_list_takes_as_many_statements_for_many_editions_as_for_one(
    client: TestClient, library: Library
) -> None:
    def count() -> int:
        with recorded(library.database.engine) as statements:
            assert client.get("/archive/world").status_code == 200
        return len(statements)

    bridge = library.add_article("Bridge reopens")
    library.add_edition("2026-03-01", [bridge])
    of_one = count()
    for day in range(2, 29):
        library.add_edition(f"2026-03-{day:02}", [bridge])
    assert count() == of_one


@pytest.mark.parametrize(
    "state", [EditionState.DRAFT, EditionState.HELD, EditionState.COMPILING, EditionState.SKIPPED]
)
def test_what_is_not_decided_or_was_not_mailed_is_not_there(
    client: TestClient, library: Library, state: EditionState
) -> None:
    bridge = library.add_article("Bridge reopens")
    library.add_edition("2026-03-02", [bridge], state=state, frozen_at=None)

    assert client.get("/archive/world/daily/2026-03-02").status_code == 404
    assert all("Bridge" not in client.get(path).text for path in ("/archive", "/archive/feed.xml"))


def test_a_private_digest_is_as_unknown_as_one_that_does_not_exist(
    serve: Callable[..., TestClient], library: Library
) -> None:
    library.add_edition("2026-03-02", [library.add_article("Bridge reopens")])
    client = serve(archive="private")

    unknown = client.get("/archive/nowhere")
    for path in ("/archive/world", "/archive/world/daily/2026-03-02", "/archive/world/feed.xml", "/archive"):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (404, unknown.text)
        assert answer.headers == unknown.headers
    assert "world" not in client.get("/sitemap.xml").text
    assert "world" not in client.get("/archive/feed.xml").text
    assert 'href="/archive"' not in client.get("/").text


def test_a_withdrawn_article_is_gone_with_the_next_request(client: TestClient, library: Library) -> None:
    bridge, song = library.add_article("Bridge reopens"), library.add_article("A lost song")
    library.add_edition("2026-03-02", [bridge, song])
    paths = ("/archive/world/daily/2026-03-02", "/archive", "/archive/feed.xml", "/archive/world/feed.xml")
    tags = {path: client.get(path).headers["etag"] for path in paths}

    library.change(bridge, withdrawn_at=NOON + timedelta(days=9))

    for path in paths:
        answer = client.get(path, headers={"If-None-Match": tags[path]})
        assert answer.status_code == 200
        assert "Bridge" not in answer.text
    assert "Articles withdrawn from this edition: 1" in client.get(paths[0]).text
    library.change(song, withdrawn_at=NOON)
    assert "Articles withdrawn from this edition: 2" in client.get(paths[0]).text
    assert "2026-03-02" not in client.get("/archive").text


def test_a_copy_that_still_holds_is_not_sent_again(client: TestClient, library: Library) -> None:
    library.add_edition("2026-03-02", [library.add_article("Bridge reopens")])
    for path in ("/archive/world/daily/2026-03-02", "/archive", "/archive/feed.xml", "/sitemap.xml"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-security-policy" in again.headers
    feed = client.get("/archive/feed.xml")
    since = {"If-Modified-Since": feed.headers["last-modified"]}
    assert client.get("/archive/feed.xml", headers=since).status_code == 304
    assert client.get("/archive/feed.xml", headers={"If-Modified-Since": "no date"}).status_code == 200


def test_a_feed_is_one_that_readers_take(client: TestClient, library: Library) -> None:
    bridge = library.add_article(f"Bridge \x0b {HOSTILE}", summary=HOSTILE, url="javascript:alert(3)")
    library.add_edition("2026-03-02", [bridge])
    library.add_edition("2026-03-03", [bridge])

    answer = client.get("/archive/world/feed.xml")

    assert answer.headers["content-type"] == "application/atom+xml"
    feed = Tree.fromstring(answer.content)
    assert feed.tag == f"{ATOM}feed"
    assert [child.tag.removeprefix(ATOM) for child in feed][:3] == ["id", "title", "updated"]
    links = {link.attrib["rel"]: link.attrib["href"] for link in feed.findall(f"{ATOM}link")}
    assert links == {"self": "https://courier.example/archive/world/feed.xml",
                     "alternate": "https://courier.example/archive/world"}  # fmt: skip
    entries = feed.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == 2
    for entry in entries:
        assert all(entry.findtext(ATOM + name) for name in ("id", "title", "updated", "published"))
        content = entry.findtext(f"{ATOM}content") or ""
        assert "<script" not in content
        assert "<img" not in content
        assert "javascript:" not in content
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "The Harbour Courier"


def test_search_engines_and_previews_are_told_what_a_page_is(client: TestClient, library: Library) -> None:
    picture = "https://media.courier.example/bridge.jpg"
    bridge = library.add_article("Bridge reopens", image_url=picture, image_alt="The bridge")
    library.add_edition("2026-03-02", [bridge])

    text = client.get("/archive/world/daily/2026-03-02").text

    url = "https://courier.example/archive/world/daily/2026-03-02"
    assert f'<link rel="canonical" href="{url}">' in text
    assert f'<meta property="og:url" content="{url}">' in text
    assert f'<meta property="og:image" content="{picture}">' in text
    assert '<meta name="description" content="Bridge reopens">' in text
    assert 'itemtype="https://schema.org/NewsArticle"' in text
    assert url in client.get("/sitemap.xml").text
    assert "Sitemap: https://courier.example/sitemap.xml" in client.get("/robots.txt").text


def test_a_page_asks_nobody_for_a_picture_but_the_publication_and_its_sources(
    client: TestClient, library: Library
) -> None:
    own = library.add_article("Own", image_url="https://media.courier.example:8443/bridge.jpg")
    library.add_edition("2026-03-02", [own])
    library.change(own, url="https://courier.example/own")
    spy = library.add_article("Spy", image_url="https://tracker.example/pixel.gif")
    library.add_edition("2026-03-03", [spy])

    own_page = client.get("/archive/world/daily/2026-03-02")
    assert "img-src 'self' https://media.courier.example:8443;" in own_page.headers["content-security-policy"]
    page = client.get("/archive/world/daily/2026-03-03")
    assert "tracker.example" not in page.text
    assert "img-src 'self';" in page.headers["content-security-policy"]


def test_hostile_articles_are_text_and_bring_no_script(client: TestClient, library: Library) -> None:
    bad = library.add_article(
        HOSTILE, summary=HOSTILE, author=HOSTILE, place=HOSTILE, url="javascript:alert(1)",
        image_url="javascript:alert(2)", image_alt='"><script>', language='"><script>', topics=["world"],
    )  # fmt: skip
    library.add_edition("2026-03-02", [bad, library.add_article(HOSTILE, topics=[HOSTILE])])
    for path in ("/archive/world/daily/2026-03-02", "/archive", "/archive/world"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "<img" not in answer.text
        assert "javascript:" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing_and_knows_no_reader(
    client: TestClient, library: Library, method: str
) -> None:
    library.add_edition("2026-03-02", [library.add_article("Bridge reopens")])
    for path in ("/archive", "/archive/world", "/archive/world/daily/2026-03-02", "/archive/feed.xml"):
        answer = client.request(method, path)
        assert answer.status_code in (200, 405)
        assert "set-cookie" not in answer.headers
        assert not re.search(r"/(unsubscribe|preferences|confirm)/", answer.text)


def test_a_reader_signs_up_below_an_edition(client: TestClient, library: Library) -> None:
    library.add_edition("2026-03-02", [library.add_article("Bridge reopens")])
    page = client.get("/archive/world/daily/2026-03-02").text
    form = page[page.index("<form") : page.index("</form>")]

    assert 'action="/subscribe"' in form
    assert "checked" not in form
    assert "Check your inbox" in sign_up(client, address="a@b.example").text


def test_an_edition_shows_what_its_editors_wrote_and_what_was_corrected_later(
    client: TestClient, library: Library
) -> None:
    bridge = library.add_article("Bridge reopens")
    written = "Good *morning*. <script>alert(1)</script> ![pixel](https://tracker.example/p.gif)"
    library.add_edition("2026-03-02", [bridge], introduction=written)
    notice = library.add_edition("2026-03-03", cadence="correction")
    before = client.get("/archive/world/daily/2026-03-02")
    with library.database.write() as session:
        session.add(Correction(article_id=bridge, edition_id=notice, text="It has **two** lanes.", at=NOON))

    answer = client.get("/archive/world/daily/2026-03-02", headers={"If-None-Match": before.headers["etag"]})

    assert "Good <em>morning</em>." in answer.text
    assert "Correction, 2 March 2026" in answer.text
    assert "It has <strong>two</strong> lanes." in answer.text
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert client.get("/archive/world/correction/2026-03-03").status_code == 404
    assert "correction" not in client.get("/sitemap.xml").text


def test_what_is_near_in_earlier_editions_is_offered_and_goes_when_it_is_withdrawn(
    client: TestClient, library: Library
) -> None:
    words = "The harbour bridge turns again after repairs by engineers of the port authority."
    near = library.add_article("Harbour bridge closes for repairs", text=words)
    far = library.add_article(
        "Sponges are old", text="A sponge grows slowly in the deep sea, say biologists."
    )
    fill = [library.add_article(f"Other {n}", text=f"Entirely different words number {n}.") for n in range(6)]
    new = library.add_article("Harbour bridge reopens after repairs", text=words)
    library.add_edition("2026-03-01", [near, far, *fill])
    library.add_edition("2026-03-02", [new])

    def offered() -> str:
        text = client.get("/archive/world/daily/2026-03-02").text
        return text[text.index("You may also like") :] if "You may also like" in text else ""

    assert "Harbour bridge closes for repairs" in offered()
    assert "Sponges" not in offered()
    assert "You may also like" not in client.get("/archive/world/daily/2026-03-01").text
    library.change(near, withdrawn_at=NOON)
    assert "Harbour bridge closes" not in offered()
