"""The short way through a feed that keeps to its format gives what feedparser gives."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.articles.feeds import feeds
from digest.articles.feeds.fast_path import ParsedXml, read_wellformed
from digest.articles.feeds.own_elements import own_elements
from digest.articles.parsed import ParsedFeed

URL = "https://quay.example/feed"
UTF_8 = "application/xml; charset=utf-8"
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
    'xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:itunes="http://www.itunes.com/DTDs/PodCast-1.0.dtd" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:own="https://own.example/ns"'
)  # fmt: skip
TEXTS = [
    "", " ", "Bridge reopens", "  Two\n  lines ", "R&amp;D &amp;amp; more", "<![CDATA[<p>One <b>bold</b>.</p>]]>", "é", "caf\u00c3\u00a9",
    "Привет", "&#8220;said&#8221;", "&#146;", "&lt;p&gt;Escaped&lt;/p&gt;", "a<!-- no -->b", "<b>inline</b>", "1 &lt; 2", "x<![CDATA[ & ]]>y",
    "Ada Lund", "ada@quay.example (Ada Lund)", "ada@quay.example",
]  # fmt: skip
LINKS = [
    "https://quay.example/a", "https://quay.example/b?x=1&amp;y=2", "/relative", "http://quay.example", "https://quay.example/ü", "#", "",
    "urn:uuid:1", "tag:quay.example,2026:1", "7", " https://quay.example/c ", "https://quay.example/?", "https://[::1/", "mailto:a@b.example",
]  # fmt: skip
DATES = [
    "Mon, 23 Nov 2026 07:00:00 +0100", "2026-11-23T07:00:00Z", "23.11.2026", "yesterday", "", "2026-11-31T07:00:00Z", "Mon, 23 Nov 2026 07:00 EST",
]  # fmt: skip


def one(form: str, values: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(lambda value: form.format(value))


def either(forms: list[str], values: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(forms).flatmap(lambda form: one(form, values))


RSS_PARTS = st.one_of(
    either([f"<{name}>{{}}</{name}>" for name in ("title", "description", "content:encoded", "author", "dc:creator", "category",
            "dc:subject", "media:title", "dc:title", "media:description", "slash:comments", "own:text", "summary", "itunes:summary",
            "itunes:author", "dc:language", "comments", "source", "wfw:commentRss", "tags", "dc:publisher")], TEXTS),
    either(["<link>{}</link>", "<guid>{}</guid>", '<guid isPermaLink="false">{}</guid>', '<guid isPermaLink="true">{}</guid>',
            '<atom:link href="{}"/>', "<feedburner:origLink>{}</feedburner:origLink>", '<enclosure url="{}" type="image/JPEG" length="1"/>',
            '<enclosure url="{}"/>', '<enclosure base="/x/" url="{}"/>', '<media:content base="https://o.example/" url="{}"/>', '<media:content url="{}" medium="image"><media:title>Seen</media:title></media:content>',
            '<media:group><media:content url="{}"/></media:group>', '<media:thumbnail url="{}" width="1"/>',
            "<media:thumbnail>{}</media:thumbnail>", '<source url="{}">Paper</source>'], LINKS),
    either([f"<{name}>{{}}</{name}>" for name in ("pubDate", "dc:date", "lastBuildDate")], DATES),
    st.sampled_from(['<category domain="d"/>', '<category domain="d">x</category>', "<item/>", "<!-- no -->", "text",
                     '<media:credit role="author">Ann</media:credit>', '<title type="html">x</title>', '<title lang="de">x</title>',
                     '<own:box><link>https://o.example/</link><author>Box</author></own:box>', '<itunes:image href="https://quay.example/s.jpg"/>',
                     '<own:full-text>Two\n\nparagraphs of a longer text.</own:full-text>', '<link>https://quay.example/second</link>',
                     '<description xml:lang="fr">Oui</description>', '<related><link>https://o.example/</link></related>',
                     '<image><url>https://quay.example/i.png</url></image>', "<itunes:summary>One\ntwo https://o.example/.</itunes:summary>"]),
)  # fmt: skip
CHANNEL_PARTS = st.sampled_from([
    "<title>Quay</title>", "<title>Other</title>", "<language>de</language>", "<ttl>60</ttl>", "<sy:updatePeriod>daily</sy:updatePeriod>",
    "<sy:updateFrequency>2</sy:updateFrequency>", "<image><title>I</title><url>u</url></image>", "<textInput><title>T</title></textInput>",
    '<atom:link rel="self" href="/f"/>', "<dc:language>fr</dc:language>", "<itunes:author>Ann</itunes:author>", "<own:x>1</own:x>",
    "<dc:title>D</dc:title>", "<dc:creator>Bo</dc:creator>", "<itunes:owner><itunes:name>Cy</itunes:name></itunes:owner>",
    '<atom:link href="https://quay.example/x"/>', "<link>/relative</link>", "<own:box><title>B</title></own:box>", "<managingEditor>a@b.example</managingEditor>", "<link>https://quay.example/</link>", "<copyright>C</copyright>",
])  # fmt: skip
ATOM_PARTS = st.one_of(
    either([f"<{name}{kind}>{{}}</{name}>" for name in ("title", "summary", "content") for kind in ("", ' type="html"', ' type="text"',
            ' type="xhtml"', ' type="image/png"')], TEXTS),
    either(["<author><name>{}</name></author>", "<author><name>Ann</name><email>{}</email></author>", "<author>{}</author>",
            "<contributor><name>{}</name></contributor>", "<rights>{}</rights>", "<media:title>{}</media:title>"], TEXTS),
    either(["<id>{}</id>", '<link href="{}"/>', '<link rel="alternate" type="text/html" href="{}"/>', '<link rel="enclosure" type="image/png" href="{}"/>',
            '<link rel="alternate" type="application/json" href="{}"/>', "<link>{}</link>", '<link rel="self" href="{}"/>',
            '<content src="{}"/>', "<feedburner:origLink>{}</feedburner:origLink>"], LINKS),
    either(["<published>{}</published>", "<updated>{}</updated>", "<created>{}</created>"], DATES),
    st.sampled_from(['<category term="a"/>', '<category term="a" label="A" scheme="s"/>', '<category label="B"/>', '<content type="xhtml"><div '
                     'xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></content>', "<source><title>S</title></source>", '<content type="html" xml:lang="de">x &amp;amp; y</content>',
                     '<title xml:lang="it">x</title>', "<own:object><title>O</title><id>o</id></own:object>",
                     '<media:group><media:title>T</media:title><media:description>Long\n\ntext</media:description></media:group>']),
)  # fmt: skip
FEED_PARTS = st.sampled_from([
    "<title>Quay</title>", '<title type="html">Q</title>', "<author><name>Paper</name></author>", "<subtitle>s</subtitle>", "<id>urn:x</id>",
    '<link href="https://quay.example/"/>', "<updated>2026-11-23T07:00:00Z</updated>", "<icon>/i</icon>", "<author><email>a@b.example</email></author>",
])  # fmt: skip


def joined(parts: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(parts, max_size=most).map("".join)


def both(content: str, content_type: str = "") -> tuple[ParsedFeed | None, ParsedFeed]:
    """Read a feed the short way, and by feedparser once its items are reduced to their own words.

    The reduced feed has to be read alike both ways, too.
    """
    short = read_wellformed(content.encode(), content_type)
    own = own_elements(content.encode(), content_type)
    whole = collected(feeds._parse(own or content.encode(), URL, UTF_8 if own else content_type))
    reduced = read_wellformed(own, UTF_8) if own else None
    assert reduced is None or collected(reduced) == whole
    return collected(short) if short else None, whole


def collected(parsed: ParsedXml) -> ParsedFeed:
    return feeds._collect(parsed, URL, ())


@given(joined(CHANNEL_PARTS, 3), st.lists(joined(RSS_PARTS, 6), max_size=2), joined(CHANNEL_PARTS, 1))
def test_rss_by_the_short_way_is_what_feedparser_gives(before: str, items: list[str], after: str) -> None:
    inner = before + "".join(f"<item>{item}</item>" for item in items) + after
    short, whole = both(f'<?xml version="1.0"?><rss version="2.0" {SPACES}><channel>{inner}</channel></rss>')
    assert short in (None, whole)


@example('<link href="https://quay.example/"/>', ["<content>Bridge reopens</content>"], "")
@given(
    joined(FEED_PARTS, 3),
    st.lists(joined(ATOM_PARTS, 6), max_size=2),
    st.sampled_from(["", ' xml:lang="pt_BR"']),
)
def test_atom_by_the_short_way_is_what_feedparser_gives(before: str, entries: list[str], lang: str) -> None:
    inner = before + "".join(f"<entry>{entry}</entry>" for entry in entries)
    short, whole = both(f'<feed xmlns="http://www.w3.org/2005/Atom" {SPACES}{lang}>{inner}</feed>')
    assert short in (None, whole)


ITEM = (
    "<title>One</title><link>https://quay.example/1</link><guid isPermaLink='false'>1</guid><dc:creator>Ann</dc:creator>"
    "<category>Sea</category><description>Short.</description><content:encoded><![CDATA[<p>Long.</p>]]></content:encoded>"
    "<pubDate>Mon, 23 Nov 2026 07:00:00 +0100</pubDate><slash:comments>3</slash:comments>"
    "<media:content url='https://quay.example/i.jpg' medium='image'><media:title>Seen</media:title></media:content>"
)


def test_a_usual_feed_goes_the_short_way() -> None:
    short, whole = both(
        f'<rss version="2.0" {SPACES}><channel><title>Quay</title><item>{ITEM}</item></channel></rss>'
    )
    assert short == whole
    (article,) = whole.articles
    assert (article.title, article.text, article.author, article.topics) == ("One", "Long.", "Ann", ("sea",))


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ('<?xml version="1.0" encoding="iso-8859-1"?><rss version="2.0"><channel/></rss>', ""),
        ('<rss version="2.0"><channel/></rss>', "text/xml; charset=windows-1251"),
        ('<!DOCTYPE rss><rss version="2.0"><channel/></rss>', ""),
        ('<rss version="2.0"><channel><item><own:x/></item></channel></rss>', ""),
        ('<rss version="2.0"><channel><item>', ""),
        ('<rss version="2.0"><channel xml:base="/x/"/></rss>', ""),
        ("<rss><channel><title>&nbsp;</title></channel></rss>", ""),
        ('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', ""),
    ],
)  # fmt: skip
def test_what_the_short_way_does_not_know_is_left_to_feedparser(content: str, content_type: str) -> None:
    assert read_wellformed(content.encode(), content_type) is None


def test_items_with_nothing_but_a_text_are_told_apart() -> None:
    entries = "".join(
        f"<entry><content>{text}</content></entry>" for text in ("Bridge reopens", "Ferry returns")
    )
    short, _ = both(
        f'<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://quay.example/"/>{entries}</feed>'
    )
    assert short is not None
    assert len({article.url for article in short.articles}) == 2
