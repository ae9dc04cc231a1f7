"""Sources on the desk: how they fare, paused and resumed, and previewed before they are configured."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from digest.models import Source
from digest.models.row import row_id
from digest.net.http import fetch
from digest.settings import load_settings
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.sources.site import preview_source
from tests.conftest import write_config
from tests.support.desks import BEN, OLGA, Clock, Newsdesk
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
