"""Feeds of every age and quality: what they say is read, what they cannot mean is told, nothing crashes."""

import contextlib
import json
import time
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.articles.feeds.feeds import parse_feed
from digest.articles.html.cleaning import _TAGS
from digest.articles.parsed import ParsedArticle, ParsedFeed
from digest.errors import InputError

URL = "https://paper.example/feed.xml"


def rss(items: str, *, channel: str = "<title>The Paper</title>", encoding: str = "utf-8") -> bytes:
    xml = f"""<?xml version="1.0" encoding="{encoding}"?>
    <rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
      xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
      <channel>{channel}{items}</channel></rss>"""
    return dedent(xml).encode(encoding)


def atom(entries: str, attributes: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="utf-8"?>
    <feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>The Paper</title>{entries}</feed>""".encode()


def one(content: bytes, **options: object) -> ParsedArticle:
    """Parse a feed that has one good item."""
    feed: ParsedFeed = parse_feed(content, url=URL, **options)  # type: ignore[arg-type]
    assert feed.rejected == ()
    (article,) = feed.articles
    return article


def test_an_rss_item_gives_all_that_it_says() -> None:
    article = one(
        rss("""<item><title>Bridge &amp; tunnel</title><link>https://paper.example/bridge?utm_source=rss&amp;id=1</link>
        <guid isPermaLink="false">b-1</guid><pubDate>Mon, 23 Nov 2026 07:00:00 +0100</pubDate>
        <dc:creator>Elsa Ångström</dc:creator><category>World</category><category>Rivers &amp; Lakes</category>
        <description>In short.</description>
        <content:encoded><![CDATA[<p>The <b>whole</b> story.</p>]]></content:encoded>
        <media:content url="https://paper.example/b.jpg" type="image/jpeg"/></item>"""),
        topics=("news",),
    )
    assert article.title == "Bridge & tunnel"
    assert article.url == "https://paper.example/bridge?id=1"
    assert article.canonical_url == "https://paper.example/bridge?id=1"
    assert article.guid == "b-1"
    assert article.author == "Elsa Ångström"
    assert article.topics == ("world", "rivers-lakes", "news")
    assert article.summary == "In short."
    assert article.text == "The whole story."
    assert article.image_url == "https://paper.example/b.jpg"
    assert article.published_at == datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_an_atom_entry_gives_all_that_it_says() -> None:
    article = one(
        atom("""<entry><title type="html">A &lt;em&gt;sponge&lt;/em&gt;</title><id>tag:paper.example,2026:1</id>
        <link rel="self" href="https://paper.example/1.atom"/><link rel="alternate" href="/sponge"/>
        <published>2026-11-23T07:00:00Z</published><updated>2026-11-24T07:00:00Z</updated>
        <author><name>R. Quay</name></author><category term="science"/>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>It has <i>not</i> moved.</p></div></content>
        </entry>""", 'xml:base="https://paper.example/" xml:lang="en-GB"')
    )  # fmt: skip
    assert article.title == "A sponge"
    assert article.url == "https://paper.example/sponge"
    assert article.guid == "tag:paper.example,2026:1"
    assert article.text == "It has not moved."
    assert article.published_at == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert (article.author, article.topics) == ("R. Quay", ("science",))


def test_a_json_feed_gives_all_that_it_says() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1", "title": "The Paper", "language": "en",
        "items": [{
            "id": "j-1", "url": "https://paper.example/j", "title": "Markets", "content_html": "<p>Up.</p>",
            "summary": "Up, mostly.", "date_published": "2026-11-23T07:00:00+01:00", "tags": ["Business"],
            "authors": [{"name": "O. Koval"}], "image": "https://paper.example/j.png",
        }],
    }  # fmt: skip
    article = one(json.dumps(feed).encode())
    assert (article.title, article.text, article.guid) == ("Markets", "Up.", "j-1")
    assert (article.topics, article.author, article.language) == (("business",), "O. Koval", "en")
    assert article.published_at == datetime(2026, 11, 23, 6, tzinfo=UTC)


def item(inner: str, link: str = "<link>https://paper.example/a</link>") -> bytes:
    return rss(f"<item>{link}{inner}</item>")


@pytest.mark.parametrize(
    ("inner", "title"),
    [
        ("<title>Plain</title>", "Plain"),
        ("<title>AT&amp;amp;T</title>", "AT&T"),
        ("<title>&lt;b&gt;Bold&lt;/b&gt; claim</title>", "Bold claim"),
        ("<title><![CDATA[5 < 6 & 7]]></title>", "5 < 6 & 7"),
        ("<title>  two\n   lines </title>", "two lines"),
        ("<title>&#8220;Quoted&#8221;</title>", "“Quoted”"),
        (
            "<title></title><description>The text stands in for it.</description>",
            "The text stands in for it.",
        ),
    ],
)
def test_a_title_is_one_line_of_plain_text(inner: str, title: str) -> None:
    assert one(item(inner)).title == title


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("<pubDate>Mon, 23 Nov 2026 07:00:00 GMT</pubDate>", datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ("<pubDate>23 Nov 2026 07:00 EST</pubDate>", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("<dc:date>2026-11-23T07:00:00+02:00</dc:date>", datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("<pubDate>2026-11-23</pubDate>", datetime(2026, 11, 23, tzinfo=UTC)),
        ("<pubDate>yesterday</pubDate>", None),
        ("<pubDate>Mon, 00 Jan 0000 00:00:00 GMT</pubDate>", None),
        ("", None),
    ],
)
def test_dates_are_read_in_the_forms_that_feeds_use(date: str, moment: datetime | None) -> None:
    assert one(item(f"<title>x</title>{date}")).published_at == moment


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("<link>/relative</link>", "https://paper.example/relative"),
        ("<link>  https://paper.example/blanks\n</link>", "https://paper.example/blanks"),
        ("<guid>https://paper.example/permalink</guid>", "https://paper.example/permalink"),
        ("<link>https://paper.example/a#part</link>", "https://paper.example/a#part"),
    ],
)
def test_links_become_absolute(link: str, url: str) -> None:
    assert one(item("<title>x</title>", link)).url == url


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("", "it has no link"),
        ("<link>javascript:alert(1)</link>", "is not an http(s) address"),
        ("<link>data:text/html,x</link>", "is not an http(s) address"),
        (f"<link>https://paper.example/{'x' * 3000}</link>", "longer than 2000"),
        ("<link>https://paper.example:99999999/x</link>", "a port that does not exist"),
        ("<link>https://paper.example:abc/x</link>", "a port that does not exist"),
    ],
)
def test_an_item_that_cannot_be_taken_is_named_and_the_others_are_taken(link: str, why: str) -> None:
    good = "<item><title>Good</title><link>https://paper.example/good</link></item>"
    feed = parse_feed(rss(f"<item><title>Bad</title>{link}</item>{good}"), url=URL)

    assert [article.title for article in feed.articles] == ["Good"]
    ((name, reason),) = [(item.item, item.why) for item in feed.rejected]
    assert name == "Bad"
    assert why in reason


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16", "koi8-r"])
def test_encodings_are_read(encoding: str) -> None:
    title = "Мост" if encoding == "koi8-r" else "Brücke" if encoding != "utf-16" else "桥 Brücke"
    content = rss(f"<item><title>{title}</title><link>https://p.example/1</link></item>", encoding=encoding)
    assert one(content).title == title


def test_old_and_broken_feeds_are_read_as_far_as_they_go() -> None:
    rdf = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
    <channel rdf:about="https://p.example/"><title>Old</title></channel>
    <item rdf:about="https://p.example/1"><title>One</title><link>https://p.example/1</link></item></rdf:RDF>"""
    assert one(rdf).title == "One"
    cut_off = rss("<item><title>One</title><link>https://p.example/1</link></item>")[:-20]
    assert one(cut_off).title == "One"
    unescaped = rss("<item><title>Salt & pepper</title><link>https://p.example/?a=1&b=2</link></item>")
    assert one(unescaped).url == "https://p.example/?a=1&b=2"
    controls = rss("<item><title>a\x07b</title><link>https://p.example/1</link></item>")
    assert one(controls).title == "ab"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html><html><body>x</body></html>", "is a web page, not a feed"),
        (b"\xef\xbb\xbf\n<html lang=en>", "is a web page, not a feed"),
        (b"", "is not an RSS, Atom or JSON feed"),
        (b"just words", "is not an RSS, Atom or JSON feed"),
        (b'{"items": 3}', "no JSON Feed"),
        (b"{broken", "neither XML nor valid JSON"),
        (b"\x00\x01\x02\xff" * 100, "is not an RSS, Atom or JSON feed"),
    ],
)
def test_what_is_no_feed_is_told_with_what_to_do(content: bytes, says: str) -> None:
    with pytest.raises(InputError) as error:
        parse_feed(content, url=URL)
    assert says in str(error.value)
    assert URL in str(error.value)


def test_a_feed_that_is_a_file_name_opens_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "feed.xml"
    secret.write_bytes(rss("<item><title>Secret</title><link>https://p.example/1</link></item>"))
    with pytest.raises(InputError):
        parse_feed(str(secret).encode(), url=URL)


BILLION = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
) + b"]><rss><channel><title>&m;</title></channel></rss>"  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        BILLION,
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><title>&x;</title></channel></rss>',
        b'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]><rss/>',
    ],
    ids=["bomb", "file", "parameter"],
)
def test_xml_entities_are_refused_at_once(content: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(InputError, match="declares XML entities"):
        parse_feed(content, url=URL)
    assert time.monotonic() - began < 20


HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt&#58;alert(1)">x</a>', "<svg onload=alert(1)>", "<iframe src=https://evil.example></iframe>",
    '<p style="background:url(javascript:x)">x</p>', "<math><mtext></p><script>alert(1)</script>",
    '<img src="data:text/html,<script>alert(1)</script>">', "<object data=x></object>", "<form><input></form>",
    '<a href="java\tscript:alert(1)">x</a>', "<b onclick='alert(1)'>x</b>", "<style>@import 'x'</style>",
    '<base href="https://evil.example/">', '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<!--><script>alert(1)</script>-->",
]  # fmt: skip


def active_parts(html: str) -> list[str]:
    """List the tags, attributes and links of stored HTML that could do anything."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend([tag] if tag not in _TAGS else [])
            for name, value in attrs:
                if name not in ("href", "src", "alt", "width", "height") or not is_harmless(
                    name, value or ""
                ):
                    found.append(f"{tag} {name}={value}")

    Reader().feed(html)
    return found


def is_harmless(name: str, value: str) -> bool:
    return name not in ("href", "src") or (
        value.startswith(("https://", "http://", "mailto:")) and "script:" not in value.lower()
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_active_survives_in_any_field(hostile: str) -> None:
    inside = f"<![CDATA[<p>Before.</p>{hostile}<p>After.</p>]]>"
    article = one(
        item(f"<title>{inside}</title><description>{inside}</description><author>{inside}</author>"
             f"<content:encoded>{inside}</content:encoded><category>{inside}</category>"
             f"<guid isPermaLink='false'>{inside}</guid>")
    )  # fmt: skip
    for name in ("title", "summary", "text", "author", "guid", "url"):
        assert "<script" not in str(getattr(article, name) or "").lower(), name
    assert active_parts(article.html) == []
    assert "Before." in article.text


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_articles_or_one_clear_error(content: bytes) -> None:
    for whole in (content, rss("<item>") + content, b'{"items": [' + content + b"]}"):
        with contextlib.suppress(InputError):
            parse_feed(whole, url=URL)
