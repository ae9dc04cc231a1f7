"""Fetching: polite to those who are asked, robust against what they answer, and always told how it went."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.errors import InputError
from digest.models import Source
from digest.models.article import ArticleFilter
from digest.settings import Settings, SourceSettings, load_settings
from digest.store.articles.listing import list_articles
from digest.store.articles.sources import find_source
from digest.store.database import Database
from digest.tasks.articles.fetching import FetchReport, fetch_due
from digest.tasks.sources.health import list_backed_off, list_sources, pause_source
from tests.support.websites import Website, page

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def feed(*titles: str, channel: str = "") -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>https://paper.example/{title}</link></item>" for title in titles
    )
    return f'<rss version="2.0"><channel><title>Paper</title>{channel}{items}</channel></rss>'.encode()


@pytest.fixture
def site() -> Iterator[Website]:
    with Website(feed=page(feed("one"))) as site:
        yield site


class Fetching:
    """Sources on loopback, fetched at any time one likes."""

    def __init__(self, database: Database, settings: Settings, *urls: str) -> None:
        self.database, self._settings = database, settings
        self.point(*urls)

    def point(self, *urls: str) -> None:
        names = ("paper", "second", "third", "fourth")
        sources = tuple(
            SourceSettings(name=name, url=url, allow_private=True)
            for name, url in zip(names, urls, strict=False)
        )
        self.settings = self._settings.model_copy(update={"sources": sources})

    def at(self, now: datetime, **options: Any) -> list[FetchReport]:
        return fetch_due(self.database, self.settings, now, **options)

    def first(self, now: datetime = NOW, **options: Any) -> FetchReport:
        return self.at(now, **options)[0]

    def health(self, name: str = "paper") -> Source:
        with self.database.read() as session:
            found = find_source(session, name)
        assert found is not None
        return found

    def titles(self) -> set[str]:
        with self.database.read() as session:
            return {row["title"] for row in list_articles(session, ArticleFilter(), 0)}


@pytest.fixture
def fetching(database: Database, settings: Settings, site: Website) -> Fetching:
    return Fetching(database, settings, f"{site.url}/feed")


def test_a_source_is_asked_again_after_its_time(fetching: Fetching, site: Website) -> None:
    assert fetching.first().added == 1
    assert fetching.at(NOW + HOUR / 2) == []
    assert len(fetching.at(NOW + HOUR)) == 1
    assert len(site.requests) == 2


def test_what_has_not_changed_is_neither_sent_nor_read_again(fetching: Fetching, site: Website) -> None:
    site.pages["/feed"] = page(feed("one"), ETag='"v1"')
    fetching.first()
    site.pages["/feed"] = page(b"", 304, ETag='"v2"')
    report = fetching.first(NOW + HOUR)

    assert (report.is_same, report.error) == (True, "")
    assert site.requests[1][1]["if-none-match"] == '"v1"'
    assert fetching.health().etag == '"v2"'


def test_the_same_bytes_again_are_not_parsed(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    fetching.first()
    monkeypatch.setattr(
        "digest.tasks.sources.feeds.parse_feed", lambda *_, **__: pytest.fail("it was parsed")
    )
    assert fetching.first(NOW + HOUR).is_same


@pytest.mark.parametrize("status", [301, 308])
def test_a_permanent_redirect_is_remembered_and_said(fetching: Fetching, site: Website, status: int) -> None:
    site.pages["/new"] = site.pages["/feed"]
    site.pages["/feed"] = page(b"", status, Location="/new")

    assert fetching.first().remark == f"has moved for good to {site.url}/new, which is read from now on"
    assert fetching.first(NOW + HOUR).remark == ""
    assert [path for path, _ in site.requests] == ["/feed", "/new", "/new"]


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_passing_redirect_is_not_remembered(fetching: Fetching, site: Website, status: int) -> None:
    site.pages["/new"] = site.pages["/feed"]
    site.pages["/feed"] = page(b"", status, Location="/new")
    fetching.first()
    fetching.first(NOW + HOUR)
    assert [path for path, _ in site.requests] == ["/feed", "/new", "/feed", "/new"]


def test_a_permanent_redirect_behind_a_passing_one_is_not_remembered(
    fetching: Fetching, site: Website
) -> None:
    site.pages["/new"] = site.pages["/feed"]
    site.pages["/feed"] = page(b"", 302, Location="/between")
    site.pages["/between"] = page(b"", 301, Location="/new")
    fetching.first()
    assert fetching.health().feed_url is None


def test_a_permanent_redirect_to_what_is_no_feed_is_not_remembered(fetching: Fetching, site: Website) -> None:
    site.pages["/sold"] = page(b"<html><body>This name is for sale</body></html>")
    site.pages["/feed"] = page(b"", 301, Location="/sold")
    assert "is a web page" in fetching.first().error
    assert fetching.health().feed_url is None


def test_a_source_that_is_gone_is_not_asked_again(fetching: Fetching, site: Website) -> None:
    site.pages["/feed"] = page(b"", 410)
    assert "gone for good" in fetching.first().error
    assert fetching.health().stopped_at == NOW
    assert fetching.at(NOW + timedelta(days=30)) == []


def test_a_source_that_is_gone_is_asked_by_name_or_at_a_new_address(
    fetching: Fetching, site: Website
) -> None:
    good, site.pages["/feed"] = site.pages["/feed"], page(b"", 410)
    fetching.first()
    assert "gone" in fetching.first(NOW + HOUR, only="paper").error
    site.pages["/new"] = good
    fetching.point(f"{site.url}/new")

    assert fetching.first(NOW + HOUR).added == 1
    assert fetching.health().stopped_at is None


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7200", 2 * HOUR), ("Tue, 24 Nov 2026 10:00:00 GMT", 3 * HOUR), ("99999999", 24 * HOUR),
        ("1", HOUR / 4), ("soon", HOUR / 4), ("Mon, 23 Nov 2026 10:00:00 GMT", HOUR / 4),
    ],
)  # fmt: skip
def test_who_is_busy_is_left_alone_as_long_as_they_ask(
    fetching: Fetching, site: Website, value: str, wait: timedelta
) -> None:
    site.pages["/feed"] = page(b"", 503, Retry_After=value)
    fetching.first()
    assert fetching.health().next_fetch_at == NOW + wait


def test_failures_in_a_row_make_the_pause_grow_to_a_day(fetching: Fetching, site: Website) -> None:
    good, site.pages["/feed"] = site.pages["/feed"], page(b"", 500)
    now, waits = NOW, []
    for _ in range(9):
        fetching.first(now)
        health = fetching.health()
        assert health.next_fetch_at is not None
        waits.append((health.next_fetch_at - now) / HOUR)
        now = health.next_fetch_at
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, 24, 24]
    assert (health.failures, health.last_error) == (
        9,
        f"{site.url}/feed answers 500; it is tried again later",
    )

    site.pages["/feed"] = good
    assert fetching.first(now).added == 1
    assert fetching.health().failures == 0


@pytest.mark.parametrize(
    ("headers", "channel", "wait"),
    [
        ({"Cache_Control": "public, max-age=7200"}, "", 2),
        ({"Cache_Control": "max-age=60"}, "", 1),
        ({"Cache_Control": "max-age=31536000"}, "", 24),
        ({"Cache_Control": "max-age=lots"}, "", 1),
        ({}, "<ttl>180</ttl>", 3),
        ({}, "<ttl>often</ttl>", 1),
        ({}, '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">daily</sy:updatePeriod>', 24),
    ],
)  # fmt: skip
def test_a_source_is_asked_no_more_often_than_it_wishes(
    fetching: Fetching, site: Website, headers: dict[str, str], channel: str, wait: int
) -> None:
    site.pages["/feed"] = page(feed("one", channel=channel), 200, **headers)
    fetching.first()
    assert fetching.health().next_fetch_at == NOW + wait * HOUR


def test_one_bad_source_never_stops_the_rest(fetching: Fetching, site: Website) -> None:
    site.pages["/bad"] = page(b"\x00\xff<<<not xml")
    site.pages["/two"] = page(feed("two"))
    fetching.point(f"{site.url}/bad", "http://[::1", f"{site.url}/feed", f"{site.url}/two")
    reports = fetching.at(NOW)

    assert [report.source for report in reports] == ["paper", "second", "third", "fourth"]
    assert [bool(report.error) for report in reports] == [True, True, False, False]
    assert fetching.titles() == {"one", "two"}


def test_an_unchanged_file_is_not_parsed_again(fetching: Fetching, tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_bytes(feed("one"))
    fetching.point(str(path))
    assert (fetching.first().added, fetching.first(NOW + HOUR).is_same) == (1, True)
    path.write_bytes(feed("one", "two"))
    assert fetching.first(NOW + 2 * HOUR).added == 1


def linked(*links: str, body: str = "") -> Any:
    return page(f"<!doctype html><html><head>{''.join(links)}</head><body>{body}</body></html>".encode())


def link(href: str, title: str = "", kind: str = "application/rss+xml") -> str:
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'


def test_a_sites_own_feed_is_found_and_remembered(fetching: Fetching, site: Website) -> None:
    site.pages["/"] = linked(link("/comments/feed", "Paper » Comments"), link("feed", "Paper"))
    fetching.point(f"{site.url}/")

    assert fetching.first().remark == f"has its feed at {site.url}/feed, which is read from now on"
    fetching.first(NOW + HOUR)
    assert [path for path, _ in site.requests] == ["/", "/feed", "/feed"]


def test_a_found_feed_that_is_gone_is_looked_for_again(fetching: Fetching, site: Website) -> None:
    site.pages["/"] = linked(link("/feed"))
    fetching.point(f"{site.url}/")
    fetching.first()
    site.pages["/"] = linked(link("/news.atom"))
    site.pages["/news.atom"] = page(feed("one", "two"))
    site.pages["/feed"] = page(b"", 404)

    assert fetching.first(NOW + HOUR).added == 1
    assert fetching.health().feed_url == f"{site.url}/news.atom"


def test_a_found_feed_that_is_down_is_asked_again_and_not_looked_for(
    fetching: Fetching, site: Website
) -> None:
    site.pages["/"] = linked(link("/feed"))
    fetching.point(f"{site.url}/")
    fetching.first()
    site.pages["/feed"] = page(b"", 500)

    assert "answers 500" in fetching.first(NOW + HOUR).error
    assert fetching.health().feed_url == f"{site.url}/feed"


def test_a_feed_that_no_page_names_is_found_where_feeds_often_are(fetching: Fetching, site: Website) -> None:
    site.pages["/"] = linked()
    site.pages["/atom.xml"] = site.pages.pop("/feed")
    fetching.point(f"{site.url}/")
    assert fetching.first().added == 1
    assert [path for path, _ in site.requests] == ["/", "/feed", "/rss.xml", "/atom.xml"]


def test_a_site_without_a_feed_is_told_with_a_remedy(fetching: Fetching, site: Website) -> None:
    site.pages = {"/": linked()}
    fetching.point(f"{site.url}/?key=hush")
    site.pages["/?key=hush"] = linked()
    error = fetching.first().error
    assert "no feed was found on its site; give a feed's address, or add single pages" in error
    assert "hush" not in error
    assert len(site.requests) == 6


def post(number: int) -> str:
    return (
        f'{{"id": {number}, "date_gmt": "2026-11-0{number}T07:00:00", "link": "https://paper.example/p{number}",'
        f'"guid": {{"rendered": "https://paper.example/?p={number}"}},'
        f'"title": {{"rendered": "Post &#8211; {number}"}}, "content": {{"rendered": "<p>Text {number}</p>"}}}}'
    )


def test_wordpress_without_a_feed_is_read_by_its_api_with_older_posts_the_first_time(
    fetching: Fetching, site: Website
) -> None:
    api = "/wp-json/wp/v2/posts?_embed=1&per_page="
    site.pages = {
        "/": linked('<link rel="https://api.w.org/" href="/wp-json/">'),
        f"{api}20": page(f"[{post(5)}]".encode()),
        f"{api}100": page(f"[{post(5)}, {post(4)}]".encode(), X_WP_TotalPages="3"),
        f"{api}100&page=2": page(f"[{post(3)}]".encode(), X_WP_TotalPages="3"),
        f"{api}100&page=3": page(b"{}", 400),
    }
    fetching.point(f"{site.url}/")
    report = fetching.first()

    assert report.added == 3
    assert [item.item for item in report.rejected] == ["page 3 of older posts"]
    assert fetching.titles() == {"Post – 3", "Post – 4", "Post – 5"}
    site.requests.clear()
    assert fetching.first(NOW + HOUR).is_same
    assert [path for path, _ in site.requests] == [f"{api}20"]


def test_many_sources_of_one_host_are_asked_one_at_a_time(
    database: Database, settings: Settings, site: Website
) -> None:
    for name in "abcd":
        site.pages[f"/{name}"] = page(feed(name))
    fetching = Fetching(database, settings, *(f"{site.url}/{name}" for name in "abcd"))
    assert [report.added for report in fetching.at(NOW)] == [1, 1, 1, 1]
    assert site.most_at_once == 1


def test_progress_is_told_for_each_source(fetching: Fetching, site: Website) -> None:
    told: list[tuple[int, int]] = []
    fetching.point(f"{site.url}/feed", f"{site.url}/absent")
    fetching.at(NOW, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_the_pause_between_two_requests_to_a_host_is_a_setting(tmp_path: Path) -> None:
    from tests.conftest import write_config

    path = write_config(tmp_path, "sqlite:///x.db")
    path.write_text(path.read_text().replace('[fetch]\nspacing = "0s"\n', ""))
    assert load_settings(path).fetch.spacing == timedelta(seconds=1)


def test_a_private_feed_that_a_page_or_a_redirect_names_at_another_port_is_not_asked(
    fetching: Fetching, site: Website
) -> None:
    with Website(feed=page(feed("inside"))) as inside:
        link = f'<link rel="alternate" type="application/rss+xml" href="{inside.url}/feed">'
        site.pages = {
            "/": page(f"<!doctype html><html><head>{link}</head><body>Hello.</body></html>".encode()),
            "/moved": page(b"", 302, Location=f"{inside.url}/feed"),
        }
        fetching.point(f"{site.url}/", f"{site.url}/moved")
        reports = fetching.at(NOW)

        assert all(report.error for report in reports)
        assert inside.requests == []


def test_a_source_that_waits_for_a_back_off_is_listed_with_its_time(
    fetching: Fetching, site: Website
) -> None:
    site.pages["/feed"] = page(b"", 500)
    fetching.first()
    (waiting,) = list_backed_off(fetching.database, fetching.settings, NOW + HOUR / 6)
    assert (waiting.source, waiting.until, waiting.failures) == ("paper", NOW + HOUR / 4, 1)
    assert list_backed_off(fetching.database, fetching.settings, NOW + HOUR) == []

    site.pages["/feed"] = page(feed("one"))
    fetching.first(NOW + HOUR)
    assert list_backed_off(fetching.database, fetching.settings, NOW + HOUR) == []
    (row,) = list_sources(fetching.database, fetching.settings)
    assert (row["state"], row["failures"]) == ("fine", 0)
    assert row["last_error"].startswith(f"{site.url}/feed answers 500")


def test_a_paused_source_is_not_fetched_by_its_name_either(fetching: Fetching, site: Website) -> None:
    fetching.first()
    pause_source(fetching.database, fetching.settings, "paper", "olga", NOW)
    with pytest.raises(InputError, match=r'"paper" is paused \(olga, 2026-11-24\): `digest sources resume'):
        fetching.at(NOW + HOUR, only="paper")
