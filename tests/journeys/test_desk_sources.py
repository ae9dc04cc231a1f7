"""Sources on the desk: how they fare, paused and resumed, and previewed before they are configured."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from digest.models import Source
from digest.models.row import row_id
from digest.net.http import fetch
from digest.settings import load_settings
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.sources.site import preview_source
from tests.conftest import write_config
from tests.support.desks import BEN, OLGA, Clock, Newsdesk, Visitor, hidden
from tests.support.websites import Website, page

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour</title><link>https://h.example</link>
<description>d</description>{items}</channel></rss>"""
ITEM = "<item><title>Tide {n}</title><link>https://h.example/{n}</link><guid>{n}</guid></item>"
SOURCES = "/desk/sources"


@pytest.fixture
def articles(newsdesk: Newsdesk) -> str:
    """Write the folder of the one source."""
    folder = newsdesk.settings.path("articles")
    folder.mkdir()
    return str(folder)


def run(newsdesk: Newsdesk) -> list[str]:
    """Fetch what is due, and return the names of the sources that were requested."""
    return [report.source for report in fetch_due(newsdesk.app.database, newsdesk.settings, newsdesk.clock())]


def source(newsdesk: Newsdesk) -> Source:
    with newsdesk.app.database.read() as session:
        from digest.store.articles.sources import find_source

        found = find_source(session, "newsroom")
    assert found is not None
    return found


def test_the_last_attempts_are_shown_as_a_strip(newsdesk: Newsdesk, articles: str) -> None:
    settings = newsdesk.settings
    assert "not fetched yet" in newsdesk.sign_in(BEN).get(SOURCES).text
    with open(f"{articles}/one.md", "w") as file:
        file.write("# Tide\n\nHigh water at noon in the old harbour, and low water at dusk.\n")
    run(newsdesk)
    newsdesk.clock.now += settings.sources[0].every
    run(newsdesk)
    newsdesk.settings.path("articles").rename(newsdesk.settings.path("gone"))
    newsdesk.clock.now += settings.sources[0].every
    run(newsdesk)

    shown = newsdesk.sign_in(BEN).get(SOURCES).text

    assert [outcome for _, outcome, *_ in source(newsdesk).recent] == ["new", "same", "failed"]
    assert "The last 3 fetches: 1 with new articles, 1 without, 1 failed" in shown
    assert "failed 1 time in a row" in shown
    assert "Pause" not in shown, "an editor looks only"


def test_thirty_attempts_are_kept(newsdesk: Newsdesk, articles: str) -> None:
    for _ in range(32):
        newsdesk.clock.now += newsdesk.settings.sources[0].every
        assert run(newsdesk) == ["newsroom"]
    recent = source(newsdesk).recent
    assert (len(recent), recent[-1][0]) == (30, newsdesk.clock().isoformat())


def test_a_paused_source_is_not_requested_until_it_is_resumed(newsdesk: Newsdesk, articles: str) -> None:
    olga = newsdesk.sign_in(OLGA)

    olga.do("newsroom/pause", path=SOURCES)

    assert run(newsdesk) == []
    assert fetch_due(newsdesk.app.database, newsdesk.settings, newsdesk.clock(), every=True) == []
    shown = olga.get(SOURCES).text
    assert f"paused by <bdi>{OLGA}</bdi>" in shown
    olga.do("newsroom/fetch", path=SOURCES)
    assert run(newsdesk) == [], "paused is stronger than soon"
    olga.do("newsroom/resume", path=SOURCES)
    assert run(newsdesk) == ["newsroom"]


def test_fetch_now_ends_a_wait_and_a_stop(newsdesk: Newsdesk, articles: str) -> None:
    run(newsdesk)
    with newsdesk.app.database.write() as session:
        row = session.get_one(Source, row_id(source(newsdesk)))
        row.stopped_at = newsdesk.clock()
        session.add(row)
    assert run(newsdesk) == []

    answer = newsdesk.sign_in(OLGA).do("newsroom/fetch", path=SOURCES)

    assert answer.headers["location"] == f"{SOURCES}?said=fetched-soon#source-newsroom"
    assert run(newsdesk) == ["newsroom"]
    assert newsdesk.sign_in(OLGA).do("nobody/pause", path=SOURCES).status_code == 404


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Newsdesk]:
    """Read a feed and a page that is none from a site."""
    feed = page(FEED.format(items=ITEM.format(n=1)).encode(), Content_Type="application/rss+xml")
    broken = page(b"<p>Sorry, <b>too many</b> requests\x07\xff</p>", Content_Type="text/html")
    with Website(feed=feed, broken=broken) as site:
        config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db")
        own = f'url = "{site.url}/feed"\nallow_private = true'
        more = f'[[sources]]\nname = "broken"\nurl = "{site.url}/broken"\nallow_private = true\n'
        text = config.read_text().replace('url = "articles"', own)
        config.write_text(text.replace("[[digests]]", f"{more}[[digests]]"))
        newsdesk = Newsdesk(load_settings(config), Clock())
        yield newsdesk
        newsdesk.close()


def test_the_bytes_of_each_fetch_are_shown_and_what_came_instead_of_a_feed(fed: Newsdesk) -> None:
    run(fed)
    olga, size = fed.sign_in(OLGA), len(FEED.format(items=ITEM.format(n=1)))

    shown = olga.get(SOURCES).text
    sent, broken = (olga.do(f"{name}/ask", path=SOURCES) for name in ("newsroom", "broken"))

    assert f"new articles, 1, {size} bytes" in shown
    assert f" · {size} bytes" in shown
    assert f"status 200 · application/rss+xml · {size} bytes" in sent.text
    assert "&lt;title&gt;Tide 1&lt;/title&gt;" in sent.text
    assert "&lt;p&gt;Sorry, &lt;b&gt;too many&lt;/b&gt; requests\ufffd\ufffd&lt;/p&gt;" in broken.text
    assert 'class="opening lacking"' in shown, "the error stands beside it"


def test_a_folder_has_no_bytes_to_show_and_an_unknown_source_is_refused(
    newsdesk: Newsdesk, articles: str
) -> None:
    olga = newsdesk.sign_in(OLGA)
    for name, said in (("newsroom", "is a folder"), ("nobody", "There is no source")):
        answer = olga.do(f"{name}/ask", path=SOURCES)
        assert answer.status_code == 400
        assert said in answer.text


def test_a_preview_shows_what_an_address_would_bring_and_the_lines_for_it(newsdesk: Newsdesk) -> None:
    feed = FEED.format(items="".join(ITEM.format(n=n) for n in range(9)))
    with Website(feed=page(feed.encode(), Content_Type="application/rss+xml")) as site:
        found = preview_source(
            newsdesk.app.database, newsdesk.settings, f"{site.url}/feed", partial(fetch, allow_private=True)
        )

    assert (found.total, len(found.articles), found.articles[0].title) == (9, 8, "Tide 0")
    assert f'url = "{site.url}/feed"' in found.lines
    assert found.lines.startswith("[[sources]]\nname = ")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:1/feed", "public"),
        ("http://localhost/feed", "in [fetch] private_sources"),
        ("https://nowhere.invalid/feed", ">https://nowhere.invalid/feed does not answer"),
        ("javascript:alert(1)", "alert(1)"),
        ("", "is not an address"),
        ("http://[", "is not an address"),
        ("https://news.example/" + "a" * 500, "is not an address"),
        ("a" * 600, "is not an address"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_with_its_reason(
    newsdesk: Newsdesk, address: str, said: str
) -> None:
    answer = newsdesk.sign_in(OLGA).do("preview", path=SOURCES, address=address)

    assert answer.status_code == 400
    assert said in answer.text
    assert 'role="alert"' in answer.text


NAMED = b"""<html><head><title>Harbour</title>
<link rel="alternate" type="application/rss+xml" title="All news" href="/all.xml">
<link rel="alternate" type="application/rss+xml" title="Ships &amp; tides" href="/ships.xml"></head></html>"""


def open_desk(folder: Path, site: Website, database_url: str) -> Newsdesk:
    """Open a newsroom whose operator allows sources at a site on loopback."""
    config = write_config(folder, database_url)
    allowed = f'[fetch]\nprivate_sources = ["{site.url}"]\n'
    config.write_text(config.read_text().replace("[fetch]\n", allowed))
    return Newsdesk(load_settings(config), Clock())


@pytest.fixture
def harbour() -> Iterator[Website]:
    feeds = {name: FEED.format(items=ITEM.format(n=name)).encode() for name in ("all", "ships")}
    with Website() as site:
        site.pages = {f"/{name}.xml": page(feed) for name, feed in feeds.items()}
        site.pages["/"] = page(NAMED, Content_Type="text/html")
        yield site


@pytest.fixture
def desk(tmp_path: Path, database_url: str, harbour: Website) -> Iterator[Newsdesk]:
    newsdesk = open_desk(tmp_path, harbour, database_url)
    newsdesk.settings.path("articles").mkdir()
    yield newsdesk
    newsdesk.close()


def add(visitor: Visitor, harbour: Website, **fields: str) -> Response:
    given: dict[str, Any] = {
        "address": f"{harbour.url}/ships.xml",
        "page": f"{harbour.url}/",
        "name": "ships",
        **fields,
    }
    return visitor.do("add", path=SOURCES, **given)


def test_an_operator_finds_previews_and_adds_a_feed_and_the_next_run_fetches_it(
    desk: Newsdesk, harbour: Website
) -> None:
    olga = desk.sign_in(OLGA)
    run(desk)

    choices = olga.do("preview", path=SOURCES, address=f"{harbour.url}/").text
    assert re.findall(r"<bdi>(All news|Ships &amp; tides)</bdi>", choices) == [
        "All news",
        "Ships &amp; tides",
    ]
    assert "<b><bdi>Tide all</bdi></b>" in choices
    shown = olga.do("preview", path=SOURCES, address=f"{harbour.url}/ships.xml", page=f"{harbour.url}/").text
    assert "<b><bdi>Tide ships</bdi></b>" in shown
    assert hidden(shown, "page") == f"{harbour.url}/"
    answer = add(olga, harbour, topics="World, sea", title="The Harbour", every="30m")

    assert answer.headers["location"] == f"{SOURCES}/ships?said=source-added"
    assert run(desk) == ["ships"]
    told = olga.get(f"{SOURCES}/ships").text
    assert f"Added at the desk by <bdi>{OLGA}</bdi>" in told
    assert f"Found on <bdi>{harbour.url}/</bdi>" in told
    assert 'value="world, sea"' in told
    assert "1 article</a>" in told
    assert "The last fetch: 1 with new articles" in told
    assert f"<b>{OLGA}</b> added it, {harbour.url}/ships.xml" in told
    assert "ships</option>" in olga.get("/desk/articles").text
    again = olga.do("preview", path=SOURCES, address=f"{harbour.url}/ships.xml").text
    assert "already." in again
    assert "Add the source" not in again


def test_what_cannot_be_added_is_said_and_what_was_typed_stays(desk: Newsdesk, harbour: Website) -> None:
    olga = desk.sign_in(OLGA)
    for fields, said in (
        ({"name": "newsroom"}, 'Config.toml has the name "newsroom"'),
        ({"name": "Ships!"}, "The short name"),
        ({"topics": "wrld"}, "did you mean"),
        ({"address": "http://10.0.0.8/feed"}, "private_sources"),
        ({"address": "/etc/passwd"}, "is not an address"),
    ):
        answer = add(olga, harbour, **{"title": "The Harbour", **fields})
        assert answer.status_code == 400, fields
        assert said in html.unescape(answer.text), fields
        assert 'value="The Harbour"' in answer.text
    assert "ships" not in olga.get(SOURCES).text


def test_two_operators_do_not_add_the_same_source_twice(desk: Newsdesk, harbour: Website) -> None:
    olga, other = desk.sign_in(OLGA), desk.sign_in(OLGA)
    assert add(olga, harbour).status_code == 303
    twice = add(other, harbour, name="boats")
    assert twice.status_code == 400
    assert "the desk has this address" in html.unescape(twice.text).lower()


def test_a_source_is_changed_paused_and_removed_and_its_articles_stay(
    desk: Newsdesk, harbour: Website
) -> None:
    olga = desk.sign_in(OLGA)
    add(olga, harbour)
    run(desk)
    path = f"{SOURCES}/ships"

    olga.do("set", path=path, title="The Harbour", topics="sea", every="2h")
    assert 'name="title" maxlength="100" value="The Harbour"' in olga.get(path).text
    paused = olga.do("pause", path=path, at="page")
    assert paused.headers["location"] == f"{path}?said=source-paused"
    desk.clock.now += timedelta(hours=3)
    assert run(desk) == ["newsroom"]
    olga = desk.sign_in(OLGA)
    assert olga.do("ask", path=path, at="page").text.count("&lt;title&gt;Tide ships&lt;/title&gt;") == 1
    removed = olga.do("remove", path=path)

    assert removed.headers["location"] == f"{path}?said=source-removed"
    told = olga.get(path).text
    assert f"Removed by <bdi>{OLGA}</bdi>" in told
    assert "1 article</a>" in told
    for act in ("paused it", "removed it", "changed its name for readers from none to “The Harbour”"):
        assert f"<b>{OLGA}</b> {act}" in told
    assert 'id="source-ships"' not in olga.get(SOURCES).text
    gone = olga.do("set", path=path, title="x", version="1")
    assert gone.status_code == 409
    assert f"was removed by {OLGA}" in html.unescape(gone.text)


def test_a_source_of_config_toml_shows_its_line_and_is_never_changed_from_here(
    desk: Newsdesk, harbour: Website
) -> None:
    lines = desk.settings.file.read_text().splitlines()
    line = lines.index('name = "newsroom"') + 1
    olga = desk.sign_in(OLGA)

    told = olga.get(f"{SOURCES}/newsroom").text

    assert f"In <code>config.toml</code>, line {line}" in told
    assert "<bdi>&#34;articles&#34;</bdi>" in told
    url = lines.index('url = "articles"') + 1
    assert f"config.toml, line {url}" in told
    assert "/newsroom/set" not in told
    assert "/newsroom/remove" not in told
    for act in ("set", "remove"):
        assert olga.do(act, path=f"{SOURCES}/newsroom", title="x").status_code == 404
    assert desk.settings.file.read_text().splitlines() == lines


def test_config_toml_wins_over_the_desk_which_says_so(desk: Newsdesk, harbour: Website) -> None:
    add(desk.sign_in(OLGA), harbour)
    config = desk.settings.file
    block = (
        f'[[sources]]\nname = "boats"\nurl = "{harbour.url}/ships.xml"\nallow_private = true\n\n[[digests]]'
    )
    config.write_text(config.read_text().replace("[[digests]]", block, 1))
    desk.close()
    later = Newsdesk(load_settings(config), desk.clock)
    olga = later.sign_in(OLGA)

    assert set(run(later)) == {"newsroom", "boats"}
    said = "config.toml has this address, as “boats”".replace("“", "&#34;").replace("”", "&#34;")
    assert f"It is not read: {said}" in olga.get(SOURCES).text
    assert f"is not read: {said}" in olga.get(f"{SOURCES}/ships").text
    assert olga.do("remove", path=f"{SOURCES}/ships").status_code == 303
    assert "not read" not in olga.get(SOURCES).text
    later.close()


def test_an_editor_looks_and_a_login_is_shown_to_nobody(desk: Newsdesk, harbour: Website) -> None:
    olga, ben = desk.sign_in(OLGA), desk.sign_in(BEN)
    secret = harbour.url.replace("http://", "http://ann:hush@") + "/ships.xml?token=hidden"
    harbour.pages["/ships.xml?token=hidden"] = harbour.pages["/ships.xml"]
    add(olga, harbour, address=secret)
    run(desk)
    assert harbour.requests[-1][0].endswith("token=hidden")

    for visitor in (olga, ben):
        for path in (SOURCES, f"{SOURCES}/ships"):
            told = visitor.get(path).text
            assert "hush" not in told
            assert "token=hidden" not in told
    assert "<form" not in ben.get(f"{SOURCES}/ships").text.partition("<main")[2]
    assert ben.get(f"{SOURCES}/nobody").status_code == 404
    assert ben.get(f"{SOURCES}/preview").headers["location"] == SOURCES


def test_many_sources_are_shown_a_hundred_at_a_time_and_found_by_words_and_state(tmp_path: Path) -> None:
    config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db")
    more = [
        f'[[sources]]\nname = "wire-{n:03}"\nurl = "https://wire-{n}.example/feed"\ntopics = ["sea"]\n'
        for n in range(249)
    ]
    config.write_text(config.read_text() + "\n" + "\n".join(more))
    newsdesk = Newsdesk(load_settings(config), Clock())
    olga = newsdesk.sign_in(OLGA)

    def shown(query: str) -> list[str]:
        return re.findall(r'<li class="line" id="source-([^"]+)"', olga.get(f"{SOURCES}{query}").text)

    pages = [shown(query) for query in ("", "?start=100", "?start=200", "?start=900")]
    assert [len(page) for page in pages] == [100, 100, 50, 100]
    assert len({name for page in pages for name in page}) == 250
    assert "Sources 101 to 200 of 250" in olga.get(f"{SOURCES}?start=100").text
    assert shown("?find=WIRE-7.example") == ["wire-007"]
    assert len(shown("?find=sea+wire-00")) == 10
    assert "No source is like this" in olga.get(f"{SOURCES}?find=nobody").text

    answer = olga.do("wire-108/pause", path=SOURCES, find="sea", start="100", state="new")

    assert answer.headers["location"] == (
        f"{SOURCES}?said=source-paused&find=sea&state=new&start=100#source-wire-108"
    )
    assert shown("?state=paused") == ["wire-108"]
    page = olga.get(f"{SOURCES}?state=paused").text
    assert "paused: 1</option>" in page
    assert '<input type="hidden" name="state" value="paused">' in page
    newsdesk.close()
