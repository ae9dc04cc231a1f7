"""Looking for a feed follows what a page says, and still never dials a private address."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.net import http as fetching
from digest.settings import Settings, SourceSettings
from digest.store.database import Database
from digest.tasks.articles.fetching import FetchReport, fetch_due
from tests.support.websites import Answer, Website, page

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
HEAD = "<!doctype html><html><head>{}</head></html>"


@pytest.fixture
def inside() -> Iterator[Website]:
    with Website("127.0.0.2", feed=page(b"<rss/>")) as inside:
        yield inside


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Website]:
    """127.0.0.1 stands for the public internet here, every other address of this machine is private."""
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    with Website() as outside:
        yield outside


def read(database: Database, settings: Settings, url: str) -> FetchReport:
    sources = (SourceSettings(name="paper", url=url),)
    return fetch_due(database, settings.model_copy(update={"sources": sources}), NOW, only="paper")[0]


def test_a_feed_that_a_page_names_on_a_private_address_is_not_asked(
    database: Database, settings: Settings, inside: Website, outside: Website
) -> None:
    link = f'<link rel="alternate" type="application/rss+xml" href="{inside.url}/feed">'
    base = f'<base href="{inside.url}/"><link rel="alternate" type="application/rss+xml" href="feed">'
    for head in (link, base):
        outside.pages["/"] = page(HEAD.format(head).encode())
        assert "no feed was found" in read(database, settings, f"{outside.url}/").error
    assert inside.requests == []


@pytest.mark.parametrize("path", ["/feed", "/rss.xml", "/atom.xml", "/feed.json", "/index.xml"])
def test_a_common_address_that_leads_to_a_private_one_is_not_followed(
    database: Database, settings: Settings, inside: Website, outside: Website, path: str
) -> None:
    outside.pages["/"] = page(HEAD.format("").encode())
    outside.pages[path] = page(b"", 301, Location=f"{inside.url}/feed")
    assert "no feed was found" in read(database, settings, f"{outside.url}/").error
    assert inside.requests == []


def by_header(root: str) -> Answer:
    return page(HEAD.format("").encode(), 200, Link=f'<{root}>; rel="https://api.w.org/"')


def by_link(root: str) -> Answer:
    return page(HEAD.format(f'<link rel="https://api.w.org/" href="{root}">').encode())


@pytest.mark.parametrize("named", [by_header, by_link])
def test_an_api_on_a_private_address_is_not_asked(
    database: Database, settings: Settings, inside: Website, outside: Website, named: Any
) -> None:
    outside.pages["/"] = named(f"{inside.url}/wp-json/")
    assert "only public addresses are fetched" in read(database, settings, f"{outside.url}/").error
    assert inside.requests == []


def test_older_posts_that_lead_to_a_private_address_are_not_followed(
    database: Database, settings: Settings, inside: Website, outside: Website
) -> None:
    api = "/wp-json/wp/v2/posts?_embed=1&per_page="
    outside.pages["/"] = by_link("/wp-json/")
    outside.pages[f"{api}20"] = page(b'[{"link": "https://paper.example/1", "title": {"rendered": "One"}}]')
    outside.pages[f"{api}100"] = page(b"", 302, Location=f"{inside.url}/feed")
    report = read(database, settings, f"{outside.url}/")

    assert report.added == 1
    assert "only public addresses are fetched" in report.rejected[0].why
    assert inside.requests == []


def test_a_name_that_turns_private_while_a_feed_is_looked_for_is_not_dialled(
    database: Database, settings: Settings, inside: Website, outside: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        if host != "turning.example":
            return list(real(host, port, *rest, **named))
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    # Both listen on the same port, so that only the address tells them apart.
    with Website("127.0.0.2", port=outside.port, feed=page(b"<rss/>")) as twin:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        outside.pages["/"] = page(HEAD.format("").encode())
        report = read(database, settings, f"http://turning.example:{outside.port}/")
        assert "no feed was found" in report.error
        assert twin.requests == []
    assert len(outside.requests) == 1
    assert len(asked) == 6
