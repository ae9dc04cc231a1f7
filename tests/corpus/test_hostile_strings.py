"""Five thousand hostile strings through every field of every input: none comes out as more than text.

Each string stands in each field once, many documents' worth of them in one. What is stored is judged by an
allow-list that the tests have for themselves (`tests.support.judging`).
"""

import functools
import json
import quopri
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from lxml import etree, html
from sqlmodel import select

from digest.articles import building
from digest.articles.documents import pages
from digest.articles.documents.detect import parse_document
from digest.articles.feeds.feeds import parse_feed
from digest.articles.feeds.opml import parse_opml
from digest.articles.html.cleaning import clean_html
from digest.articles.parsed import ParsedArticle, ParsedFeed
from digest.errors import DigestError
from digest.mail.rendering.content import Card, Elsewhere, Section
from digest.mail.rendering.renderer import Renderer
from digest.models import Article, Form
from digest.store.database import Database
from digest.tasks.articles.storing import store_articles
from tests.support.hostile import COUNT, hostile_strings
from tests.support.judging import faults_of, harmful, leads_out, opens_a_tag
from tests.support.samples import CONTENT, NOW

STRINGS = hostile_strings()
BASE = "https://quay.example"
SENTENCE = "The bridge over the strait reopened on Monday after nine winters of repair, and the town came."
_REMEMBERED: dict[str, Any] = {}
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@pytest.fixture(autouse=True)
def _remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clean one string once for all inputs: they share the function, and it is a pure one."""
    for name in ("clean_html", "plain_text", "one_line"):
        monkeypatch.setattr(
            building, name, _REMEMBERED.setdefault(name, functools.cache(getattr(building, name)))
        )


def batches(size: int, strings: Sequence[str] = STRINGS) -> Iterator[list[str]]:
    rest = iter(strings)
    while batch := list(islice(rest, size)):
        yield batch


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def judge(articles: Sequence[ParsedArticle]) -> int:
    faults = [fault for article in articles for fault in faults_of(article)]
    assert faults[:3] == []
    return len(articles)


def judge_feed(feed: ParsedFeed) -> int:
    assert not harmful(feed.title)
    for rejected in feed.rejected:
        assert not harmful(rejected.item + rejected.why)
    return judge(feed.articles) + len(feed.rejected)


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def rss_item(s: str, n: int) -> str:
    text, value = escape(s), quoteattr(s)
    link = f"{BASE}/a" if n % 2 else text
    return (
        f"<item><title>{text}</title><link>{link}</link><guid isPermaLink='false'>{text}</guid><author>{text}</author><dc:creator>{text}</dc:creator>"
        f"<category domain={value}>{text}</category><description>{text}</description><content:encoded>{cdata(s)}</content:encoded>"
        f"<enclosure url={value} type='image/png' length='1'/><media:content url={value} medium='image'><media:description>{text}</media:description></media:content>"
        f"<media:thumbnail url={value}/><pubDate>{text}</pubDate><dc:language>{text}</dc:language><comments>{text}</comments><source url={value}>{text}</source>"
        f"<itunes:author>{text}</itunes:author><feedburner:origLink>{text}</feedburner:origLink></item>"
    )


def rss(batch: list[str]) -> str:
    head, items = escape(batch[0]), "".join(rss_item(s, n) for n, s in enumerate(batch))
    names = "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'"
    return f"<rss version='2.0' {names}><channel><title>{head}</title><link>{head}</link><language>{head}</language><ttl>{head}</ttl>{items}</channel></rss>"


def atom_entry(s: str, n: int) -> str:
    text, value = escape(s), quoteattr(s)
    link = quoteattr(f"{BASE}/{n}") if n % 2 else value
    kind = ("html", "text", "xhtml")[n % 3]
    return (
        f"<entry xml:lang={value}><title type='{kind}'>{text}</title><link rel='alternate' href={link}/><link rel='enclosure' type='image/png' href={value}/><id>{text}</id>"
        f"<author><name>{text}</name><uri>{text}</uri></author><category term={value} label={value}/><published>{text}</published>"
        f"<summary type='html'>{text}</summary><content type='html'>{cdata(s)}</content><rights>{text}</rights></entry>"
    )


def atom(batch: list[str]) -> str:
    entries = "".join(atom_entry(s, n) for n, s in enumerate(batch))
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title type='html'>{escape(batch[0])}</title><author><name>{escape(batch[0])}</name></author>{entries}</feed>"


def rdf(batch: list[str]) -> str:
    items = "".join(
        f"<item rdf:about={quoteattr(s)}><title>{escape(s)}</title><link>{BASE}/a</link><description>{escape(s)}</description><dc:creator>{escape(s)}</dc:creator>"
        f"<dc:subject>{escape(s)}</dc:subject><dc:date>{escape(s)}</dc:date></item>"
        for n, s in enumerate(batch)
    )
    return f"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>{escape(batch[0])}</title></channel>{items}</rdf:RDF>"


@pytest.mark.parametrize("write", [rss, atom, rdf])
def test_a_feed_in_xml(write: Callable[[list[str]], str]) -> None:
    broken = [s for s in STRINGS if _NO_XML.search(s)]
    whole = [s for s in STRINGS if not _NO_XML.search(s)]
    read = sum(
        judge_feed(parse_feed(encoded(write(batch)), url=f"{BASE}/feed"))
        for strings in (whole, broken)
        for batch in batches(250, strings)
    )
    assert read == COUNT


def json_item(s: str, n: int) -> dict[str, Any]:
    return {
        "id": s, "url": f"{BASE}/a" if n % 2 else s, "title": s, "content_html": s, "content_text": s, "summary": s, "image": s, "banner_image": s, "language": s,
        "tags": [s], "authors": [{"name": s, "url": s}], "date_published": s, "external_url": s, "attachments": [{"url": s, "mime_type": "image/png"}],
    }  # fmt: skip


def post(s: str, n: int) -> dict[str, Any]:
    embedded = {
        "author": [{"name": s}], "wp:term": [[{"taxonomy": "category", "name": s, "slug": s}]],
        "wp:featuredmedia": [{"source_url": s, "media_type": "image", "alt_text": s}],
    }  # fmt: skip
    whole = {name: {"rendered": s} for name in ("title", "content", "excerpt", "guid")}
    return {"link": f"{BASE}/a" if n % 2 else s, "date_gmt": s, "_embedded": embedded, **whole}


def test_a_feed_in_json() -> None:
    feed = {
        "title": STRINGS[0],
        "language": STRINGS[1],
        "items": [json_item(s, n) for n, s in enumerate(STRINGS)],
    }
    assert judge_feed(parse_feed(json.dumps(feed).encode(), url=f"{BASE}/feed.json")) == COUNT


def test_posts_of_wordpress() -> None:
    posts = json.dumps([post(s, n) for n, s in enumerate(STRINGS)]).encode()
    assert judge_feed(parse_feed(posts, url=f"{BASE}/wp-json/wp/v2/posts?_embed=1")) == COUNT


def read(content: str, name: str, **options: Any) -> list[ParsedArticle]:
    """Read a document; what is refused is told in one harmless line."""
    why = ""
    try:
        return [parse_document(encoded(content), name=name, base_url=BASE, **options)]
    except DigestError as error:
        why = str(error)
    assert why
    assert not harmful(why)
    return []


def stating_page(s: str) -> str:
    value = quoteattr(s)
    node = {
        "@type": "NewsArticle", "headline": s, "author": {"name": s}, "datePublished": s, "image": {"url": s}, "articleSection": s, "keywords": [s], "inLanguage": s,
        "publisher": {"name": s}, "description": s, "mainEntityOfPage": s, "articleBody": f"{SENTENCE} {s} {SENTENCE}",
    }  # fmt: skip
    script = json.dumps(node).replace("</", "<\\/")
    meta = "".join(
        f"<meta property={name!r} content={value}>"
        for name in (
            "og:title", "og:description", "og:image", "og:image:alt", "og:site_name", "og:url", "og:locale", "article:published_time", "article:author", "article:tag", "article:section",
            "author", "keywords", "description", "twitter:image", "dc.title", "dc.creator", "date",
        )
    )  # fmt: skip
    return (
        f"<!doctype html><html lang={value}><head><title>{escape(s)}</title>{meta}<link rel=canonical href={value}><base href={value}><script type='application/ld+json'>{script}</script>"
        f"</head><body><h1>{escape(s)}</h1><span itemprop=author>{escape(s)}</span><time datetime={value}>{escape(s)}</time><a rel=tag href={value}>{escape(s)}</a><img itemprop=image src={value} alt={value}></body></html>"
    )


def test_what_a_page_states_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    # The body is of the next test: finding it takes twenty times as long as all else.
    monkeypatch.setattr(pages, "_extracted", lambda *_: None)
    options: tuple[dict[str, str], ...] = ({}, {"url": f"{BASE}/a"})
    assert (
        sum(judge(read(stating_page(s), "a.html", **options[n % 2])) for n, s in enumerate(STRINGS))
        > COUNT * 0.9
    )


def test_the_body_of_a_page() -> None:
    found = 0
    for batch in batches(100):
        shown = "".join(f"<p title={quoteattr(s)}>{SENTENCE} {s}</p>" for s in batch)
        found += judge(
            read(
                f"<!doctype html><html><head><title>{batch[0]}</title></head><body><article>{shown}</article></body></html>",
                "a.html",
            )
        )
    assert found >= COUNT // 100 // 2


def test_a_fragment_of_html() -> None:
    article = read(f"# x\n\n{SENTENCE}", "a.md")[0]
    for number, s in enumerate(STRINGS):
        judge(
            [
                replace(
                    article,
                    html=clean_html(f"<p>{SENTENCE}</p>{s}<p>end</p>" if number % 2 else s, f"{BASE}/a"),
                )
            ]
        )


def test_a_plain_text() -> None:
    found = 0
    for n, batch in enumerate(batches(25)):
        body = "\n\n".join(f"{SENTENCE} {s}" for s in batch)
        found += judge(
            read(
                f"{batch[0]}\n\nBy {batch[n % 7]}\n\n{batch[n % 11]} — {body}\n\n{batch[3]}\n\nLeave a Reply\n",
                f"{batch[0]}.txt",
            )
        )
    assert found > COUNT // 25 * 0.95  # a few begin as a web page does


@pytest.mark.parametrize(
    "form", ["{s}\n\n{S}", "{s} — {S}", "PARIS ({s}) — {S}", "By {s}\n\n{S}", "{S}\n\n{s}"]
)
def test_each_place_of_a_short_plain_text(form: str) -> None:
    for s in STRINGS[:: len(STRINGS) // 500]:
        judge(read(form.replace("{s}", s).replace("{S}", f"{SENTENCE}\n\n{SENTENCE}"), "a.txt"))


def test_the_body_of_a_markdown_file() -> None:
    found = 0
    for batch in batches(10):
        found += judge(
            read(
                f"---\ntitle: x\n---\n\n{SENTENCE}\n\n"
                + "\n\n".join(f"{SENTENCE} {s}\n\n{s}" for s in batch),
                "a.md",
            )
        )
    assert found > COUNT // 10 * 0.95  # the rest is no UTF-8


FRONT = (
    "author", "summary", "image", "image_alt", "language", "tags", "categories", "slug", "excerpt", "cover", "keywords",
)  # fmt: skip


def test_front_matter() -> None:
    found = 0
    for n in range(COUNT):
        lines = [
            f"{key} = {json.dumps(_plain(STRINGS[(n + k * 37) % COUNT]))}" for k, key in enumerate(FRONT)
        ]
        lines.append(f"title = {json.dumps('Bridge ' + _plain(STRINGS[n]))}")
        found += judge(read("+++\n" + "\n".join(lines) + f"\n+++\n\n{SENTENCE}", "a.md"))
    assert found > COUNT * 0.95  # the rest holds what TOML does not take


@pytest.mark.parametrize(
    "key", ["title", "date", "url", "canonical_url", "published_ago", "status", "expires"]
)
def test_a_key_of_front_matter_whose_fault_is_told(key: str) -> None:
    for s in STRINGS[:: len(STRINGS) // 250]:
        title = "" if key == "title" else "title: x\n"
        judge(read(f"---\n{title}{key}: {json.dumps(_plain(s))}\n---\n\n{SENTENCE}", "a.md", now=NOW))
        judge(read(f"---\n{title}{key}: {s}\n---\n\n{SENTENCE}", f"{s}.md", now=NOW))


def _plain(s: str) -> str:
    return s.encode("utf-8", "replace").decode()


def test_a_list_of_feeds() -> None:
    outlines = "".join(
        f"<outline text={quoteattr(s)} title={quoteattr(s)} xmlUrl={quoteattr(s if n % 2 else f'{BASE}/{n}')} category={quoteattr(s)}><outline text={quoteattr(s)} xmlUrl='{BASE}/{n}/x'/></outline>"
        for n, s in enumerate(STRINGS)
    )
    taken, rejected = parse_opml(
        encoded(f"<opml version='2.0'><body>{outlines}</body></opml>"), name="list.opml"
    )
    assert 2 * COUNT <= len(taken) + len(rejected) <= 2 * COUNT + 1, "and damage of the file, told once"
    for outline in taken:
        assert not harmful(outline.title)
        assert not opens_a_tag(outline.title)
        assert leads_out(outline.url)
        assert not [topic for topic in outline.topics if re.search(r"[\s<>&\"'`\x00-\x1f]", topic)]
    for item in rejected:
        assert not harmful(item.item + item.why)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_database_holds(database: Database) -> None:
    feed = parse_feed(encoded(atom(STRINGS[:: len(STRINGS) // 300])), url=f"{BASE}/feed")
    with database.write() as session:
        store_articles(session, "quay", feed.articles, NOW)
    with database.read() as session:
        rows = session.exec(select(Article)).all()
        assert len(rows) > 100
        for row in rows:
            for name, value in row.model_dump().items():
                if isinstance(value, str):
                    assert not harmful(value, "\n\t" if name in ("html", "text") else ""), (name, value)


def card(article: ParsedArticle, number: int) -> Card:
    return Card(
        id=number, form=(Form.FULL, Form.SUMMARY)[number % 2], title=article.title, url=article.url, html=article.html, text=article.text,
        summary=article.summary, author=article.author, image_url=article.image_url, image_alt=article.image_alt or "", language=article.language or "",
        place=article.title, topics=("world",), also_at=(Elsewhere(article.title, article.url),),
    )  # fmt: skip


def test_what_a_message_shows() -> None:
    """A template expression is text to the renderer, and so is all else: both parts show it, and do nothing."""
    items = [json_item(s, 1) for s in STRINGS[:: len(STRINGS) // 1_000]]
    articles = parse_feed(json.dumps({"items": items}).encode(), url=f"{BASE}/feed.json").articles
    assert any("{{" in article.title for article in articles)
    renderer = Renderer(Path(__file__).parents[2] / "templates" / "email")
    for start in range(0, len(articles), 100):
        cards = tuple(card(article, number) for number, article in enumerate(articles[start : start + 100]))
        content = replace(
            CONTENT,
            lead=None,
            sections=(Section(cards[0].title, cards),),
            subject=cards[1].title,
            preheader=cards[2].title,
        )
        rendering = renderer.render(content)
        text, page = (
            quopri.decodestring(b"".join(part for part in pieces if isinstance(part, bytes))).decode()
            for pieces in (rendering.text, rendering.html)
        )
        shown: Any = html.document_fromstring(page)
        for kind, whole in (("text", text), ("html", shown.text_content())):
            bare = "".join(whole.split())
            assert [one.title for one in cards if "".join(one.title.split()) not in bare] == [], kind
        for element in shown.iter(etree.Element):
            assert element.tag not in {
                "script",
                "iframe",
                "object",
                "embed",
                "form",
                "svg",
                "math",
                "base",
                "link",
                "template",
            }
            for name, value in element.attrib.items():
                assert not name.startswith("on")
                if name in {"href", "src", "background", "action"}:
                    assert not re.match(r"\s*(?:javascript|vbscript|data|file|blob):", value, re.I)
