"""Lists of feeds as programs export them, damaged ones too: what is whole is kept, and what is not is named."""

import time

import pytest

from digest.articles.feeds.opml import parse_opml

LISTS = {
    "addresses without a scheme, and an ampersand escaped twice": (
        '<opml><body><outline text="Tides" xmlUrl="quay.example/f"/><outline text="Ebb" xmlUrl="//ebb.example/f"/>'
        '<outline text="Flood" xmlUrl="https://flood.example/f?a=1&amp;amp;b=2"/></body></opml>',
        [
            ("Tides", "https://quay.example/f"), ("Ebb", "https://ebb.example/f"),
            ("Flood", "https://flood.example/f?a=1&b=2"),
        ],
    ),
    "pages that FreshRSS scrapes are no feeds": (
        '<opml xmlns:frss="https://freshrss.org/opml"><body><outline text="Tides" type="rss" xmlUrl="https://quay.example/f"/>'
        '<outline text="Page" type="HTML+XPath" xmlUrl="https://page.example/" frss:xPathItem="//li"/></body></opml>',
        [("Tides", "https://quay.example/f")],
    ),
    "a bare ampersand in a name": (
        '<opml><body><outline text="Fish & Ships" xmlUrl="https://quay.example/f"/></body></opml>',
        [("Fish & Ships", "https://quay.example/f")],
    ),
    "bare ampersands in an address": (
        '<opml><body><outline text="Tides" xmlUrl="https://quay.example/f?port=1&copy=2&lang=en"/></body></opml>',
        [("Tides", "https://quay.example/f?port=1&copy=2&lang=en")],
    ),
    "an ampersand that is right, beside one that is bare": (
        '<opml><body><outline text="A &amp; B" xmlUrl="https://quay.example/f?a=1&b=2"/></body></opml>',
        [("A & B", "https://quay.example/f?a=1&b=2")],
    ),
    "outlines without a body": (
        '<opml version="1.0"><outline text="Tides" xmlUrl="https://quay.example/f"/></opml>',
        [("Tides", "https://quay.example/f")],
    ),
    "outlines in the head, and a body that is empty": (
        '<opml><head><outline text="Tides" xmlUrl="https://quay.example/f"/></head><body/></opml>',
        [("Tides", "https://quay.example/f")],
    ),
    "an outline that ends a folder it never opened": (
        '<opml><body><outline text="Tides" xmlUrl="https://quay.example/f"/></outline></body></opml>',
        [("Tides", "https://quay.example/f")],
    ),
    "the end is missing": (
        '<opml><body><outline text="Sea"><outline text="Tides" xmlUrl="https://quay.example/f"/><outline text="Ebb" xml',
        [("Tides", "https://quay.example/f")],
    ),
    "an address in url, of an outline that is a feed": (
        '<opml><body><outline type="rss" text="Tides" url="https://quay.example/f"/>'
        '<outline type="link" text="Page" url="https://quay.example/page"/></body></opml>',
        [("Tides", "https://quay.example/f")],
    ),
    "names of attributes in other letters": (
        '<OPML><BODY><OUTLINE TITLE="Tides" XMLURL="https://quay.example/f"/></BODY></OPML>',
        [("Tides", "https://quay.example/f")],
    ),
    "an old scheme": (
        '<opml><body><outline text="A" xmlUrl="feed://quay.example/f"/>'
        '<outline text="B" xmlUrl="feed:https://quay.example/g"/></body></opml>',
        [("A", "http://quay.example/f"), ("B", "https://quay.example/g")],
    ),
    "attributes without quotes": (
        '<opml><body><outline type=rss text=Tides xmlUrl=https://quay.example/f?a=1&b=2 />'
        "<outline text=Ebb xmlUrl=https://quay.example/g></outline></body></opml>",
        [("Tides", "https://quay.example/f?a=1&b=2"), ("Ebb", "https://quay.example/g")],
    ),
    "one attribute without quotes, and a sign more than in another": (
        '<opml><body><outline text="Sea"><outline text="High > low" type=rss xmlUrl="https://quay.example/f"/></outline></body></opml>',
        [("High > low", "https://quay.example/f")],
    ),
    "quotes inside of an attribute": (
        '<opml><body><outline text="The "best" of tides" title="The "best" of tides" xmlUrl="https://quay.example/f"/>'
        "<outline text='Ann's tides' xmlUrl='https://quay.example/g'/></body></opml>",
        [('The "best" of tides', "https://quay.example/f"), ("Ann's tides", "https://quay.example/g")],
    ),
    "a quote at either end of an attribute": (
        '<opml><body><outline text=""Tides"" xmlUrl="https://quay.example/f" /></body></opml>',
        [('"Tides"', "https://quay.example/f")],
    ),
    "a sign less than inside of an attribute": (
        '<opml><body><outline text="Low < high" xmlUrl="https://quay.example/f"/>'
        '<outline text="I <3 tides" xmlUrl="https://quay.example/g"/></body></opml>',
        [("Low < high", "https://quay.example/f"), ("I <3 tides", "https://quay.example/g")],
    ),
    "an outline in a comment": (
        '<opml><body><!-- <outline text="Old" xmlUrl="https://quay.example/old"/> -->'
        '<outline text="Tides" xmlUrl="https://quay.example/f"/></body></opml>',
        [("Tides", "https://quay.example/f")],
    ),
    "a control character": (
        '<opml><body><outline text="Ti\x0bdes" xmlUrl="https://quay.example/f"/></body></opml>',
        [("Tides", "https://quay.example/f")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_feeds_keeps_what_is_whole(name: str) -> None:
    text, wanted = LISTS[name]

    taken, _ = parse_opml(text.encode(), name="feeds.opml")

    assert [(feed.title, feed.url) for feed in taken] == wanted


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="UTF-8"?>'])
def test_a_list_in_an_old_encoding_that_declares_utf_8_is_read(declared: str) -> None:
    text = f'{declared}<opml><body><outline text="Café" xmlUrl="https://quay.example/f"/></body></opml>'

    taken, _ = parse_opml(text.encode("cp1252"), name="feeds.opml")

    assert [feed.title for feed in taken] == ["Café"]


def test_what_is_damaged_or_no_feed_is_named() -> None:
    cut, _ = LISTS["the end is missing"]
    assert any("damaged" in one.why for one in parse_opml(cut.encode(), name="feeds.opml")[1])
    page, _ = LISTS["an address in url, of an outline that is a feed"]
    assert [one.item for one in parse_opml(page.encode(), name="feeds.opml")[1]] == ["Page"]


def test_an_outline_of_quotes_alone_is_mended_in_linear_time() -> None:
    hostile = (
        b'<opml><body><outline text="Tides" xmlUrl="https://quay.example/f"/>'
        + b"<outline "
        + b'a="' * 20_000
        + b"/></body></opml>"
    )
    started = time.perf_counter()

    taken, _ = parse_opml(hostile, name="feeds.opml")

    assert [feed.title for feed in taken] == ["Tides"]
    assert time.perf_counter() - started < 2
