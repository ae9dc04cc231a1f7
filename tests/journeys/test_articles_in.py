"""Articles come in by http and from a folder; what is known is known again, and an edit is never mailed twice."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.support.newsroom import Caught, Publication
from tests.support.websites import Website, page

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def rss(*items: tuple[str, str, str]) -> bytes:
    """Write a feed of (guid, title, text)."""
    inner = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title>"
        f"<link>https://paper.example/{guid}</link><description>{text}</description></item>"
        for guid, title, text in items
    )
    return f"<rss version='2.0'><channel><title>Wire</title>{inner}</channel></rss>".encode()


LATER = datetime(2030, 1, 1, tzinfo=UTC)
ONE, TWO = ("1", "Bridge reopens", "After nine winters."), ("2", "Sponges are old", "Older than the sea.")


@pytest.fixture
def site() -> Iterator[Website]:
    with Website(feed=page(rss(ONE), ETag='"v1"')) as site:
        yield site


@pytest.fixture
def publication(publication: Publication, site: Website) -> Publication:
    publication.change_settings('url = "articles"', f'url = "{site.url}/feed"\nallow_private = true')
    return publication


def titles(publication: Publication) -> list[str]:
    return [article["title"] for article in publication.facts("articles", "list")]


def test_a_feed_by_http_is_stored_with_its_texts_and_the_sources_topics(publication: Publication) -> None:
    assert "newsroom: 1 new" in publication.run("fetch")
    (article,) = publication.facts("articles", "list")
    assert (article["title"], article["url"]) == ("Bridge reopens", "https://paper.example/1")
    assert article["topics"] == ["world"]
    assert publication.facts("articles", "show", str(article["id"]))["text"] == "After nine winters."


def test_a_feed_that_has_not_changed_is_asked_for_politely(publication: Publication, site: Website) -> None:
    publication.run("fetch")
    site.pages["/feed"] = page(b"", 304)
    assert "newsroom: nothing changed" in publication.run("fetch", "newsroom")
    assert site.requests[1][1]["if-none-match"] == '"v1"'
    assert titles(publication) == ["Bridge reopens"]


def test_a_source_is_fetched_when_it_is_due_and_at_once_when_it_is_named(
    publication: Publication, site: Website
) -> None:
    publication.run("fetch")
    publication.run("fetch")
    assert len(site.requests) == 1
    publication.run("fetch", "newsroom")
    assert len(site.requests) == 2


def test_an_edit_updates_and_a_new_story_is_added(publication: Publication, site: Website) -> None:
    publication.run("fetch")
    site.pages["/feed"] = page(rss(("1", "Old bridge reopens", "After ten winters."), TWO))
    assert "newsroom: 1 new, 1 updated, 0 unchanged" in publication.run("fetch", "newsroom")
    assert sorted(titles(publication)) == ["Old bridge reopens", "Sponges are old"]


def test_an_edit_is_never_mailed_again(
    tmp_path: Path, database_url: str, publication: Publication, site: Website
) -> None:
    with Caught() as relay, time_machine.travel("2026-11-23T09:00:00Z", tick=True) as clock:
        publication.use_relay(relay.port)
        publication.run("subscribers", "add", "ann@readers.example", "--confirmed", "by phone")
        publication.run("send", "--now")
        clock.shift(timedelta(days=1))
        site.pages["/feed"] = page(rss(("1", "Old bridge reopens", "After ten winters."), TWO))
        publication.run("send", "--now")

    first, second = (m.get_body(("plain",)).get_content() for m in relay.parsed())  # type: ignore[union-attr]
    assert "Bridge reopens" in first
    assert "Sponges are old" in second
    assert "bridge" not in second.lower()


def test_a_source_that_fails_says_so_keeps_its_health_and_does_not_stop_the_others(
    publication: Publication, site: Website
) -> None:
    site.pages["/feed"] = page(b"down", 503)
    publication.config.write_text(
        publication.config.read_text().replace(
            "[[digests]]", '[[sources]]\nname = "folder"\nurl = "articles"\n[[digests]]'
        )
    )
    publication.write_article("Sponges are old")

    said = publication.run("fetch", code=1)

    assert "answers 503; it is tried again later" in said
    assert titles(publication) == ["Sponges are old"]
    health = {row["name"]: row for row in publication.facts("sources")}
    assert "503" in health["newsroom"]["last_error"]
    assert health["newsroom"]["last_success_at"] is None
    assert health["folder"]["last_success_at"]


def test_a_feed_of_a_private_address_is_refused_unless_the_operator_vouches_for_it(
    publication: Publication, site: Website
) -> None:
    publication.change_settings("allow_private = true", "allow_private = false")
    assert "only public addresses are fetched" in publication.run("fetch", code=1)
    assert site.requests == []


def test_single_documents_are_added_by_path(publication: Publication, tmp_path: Path) -> None:
    page_file = tmp_path / "saved.txt"
    page_file.write_text(
        "LONDON (AP) — The ferry is for sale.\n\nNobody asked.\n\nLeave a Reply\n\nYour name\n"
    )
    out = json.loads(publication.run("articles", "add", str(page_file), "--json"))
    assert (out["added"], out["rejected"]) == (1, [])
    (article,) = publication.facts("articles", "list")
    shown = publication.facts("articles", "show", str(article["id"]))
    assert (shown["place"], shown["agency"], shown["title_formed"]) == ("LONDON", "AP", True)
    assert shown["text"] == "The ferry is for sale.\n\nNobody asked."

    assert "there.txt cannot be read" in publication.run(
        "articles", "add", str(tmp_path / "there.txt"), code=1
    )


def test_a_hidden_article_is_in_no_edition_and_a_pinned_one_leads(
    tmp_path: Path, database_url: str, publication: Publication, site: Website
) -> None:
    site.pages["/feed"] = page(rss(ONE, TWO, ("3", "Market stays open", "On Sundays.")))
    publication.run("fetch")
    ids = {article["title"]: str(article["id"]) for article in publication.facts("articles", "list")}
    publication.run("articles", "hide", ids["Sponges are old"])
    publication.run("articles", "pin", ids["Bridge reopens"])

    shown = publication.facts("preview", "world", "--out", str(tmp_path / "look"))

    assert shown["articles"] == [int(ids["Bridge reopens"]), int(ids["Market stays open"])]


def test_editors_hide_pin_find_and_prune_articles(publication: Publication, site: Website) -> None:
    site.pages["/feed"] = page(rss(ONE, TWO, ("3", "Old bridge tested", "Nine winters after it closed.")))
    publication.run("fetch")
    bridge = "https://paper.example/1"

    publication.run("articles", "hide", bridge)
    assert [row["url"] for row in publication.facts("articles", "list", "--hidden")] == [bridge]
    publication.run("articles", "unhide", bridge)
    publication.run("articles", "pin", bridge)
    assert [row["url"] for row in publication.facts("articles", "list", "--pinned")] == [bridge]
    publication.run("articles", "unpin", bridge)
    assert publication.facts("articles", "list", "--pinned") == []

    (near,) = publication.facts("articles", "related", bridge)
    assert near["title"] == "Old bridge tested"
    with time_machine.travel(LATER):
        assert publication.facts("articles", "prune")["dry_run"]
        assert publication.facts("articles", "prune", "--yes") | {"before": ""} == {
            "removed": 0, "emptied": 3, "before": "", "dry_run": False,
        }  # fmt: skip
    assert publication.facts("articles", "show", bridge)["text"] == ""


def test_topics_are_given_by_rule(publication: Publication) -> None:
    publication.change_settings(
        "[[digests]]", '[[topics]]\nname = "roads"\ntitle = ["bridge*"]\n\n[[digests]]'
    )
    publication.run("fetch")
    assert publication.facts("articles", "show", "https://paper.example/1")["topics"] == ["world", "roads"]


def test_one_bad_item_neither_stops_the_rest_nor_fails_the_run_unless_that_is_asked(
    publication: Publication, site: Website
) -> None:
    bad = ("9", "&lt;script&gt;alert(1)&lt;/script&gt;", "")
    site.pages["/feed"] = page(rss(ONE, bad, TWO))

    said = publication.run("fetch")
    assert "newsroom: 2 new" in said
    assert "source newsroom: " in said
    assert "neither a title nor a text" in said

    site.pages["/feed"] = page(rss(bad, ONE, TWO))
    assert "neither a title nor a text" in publication.run("fetch", "newsroom", "--strict", code=1)


def test_a_fetch_that_waits_says_until_when_and_how_to_ask_at_once(
    publication: Publication, site: Website
) -> None:
    good, site.pages["/feed"] = site.pages["/feed"], page(b"down", 503)
    publication.run("fetch", code=1)

    said = publication.run("fetch")
    assert "newsroom: is requested again " in said
    assert "after 1 failed fetch; `digest fetch newsroom` requests it now" in said

    site.pages["/feed"] = good
    publication.run("fetch", "newsroom")
    (line,) = [line for line in publication.run("sources").splitlines() if line.startswith("newsroom")]
    assert "\tfine\t" in line
    assert "\tpast, 20" in line
