"""A page's metadata: JSON-LD, OpenGraph, Dublin Core, microdata and plain HTML, in that order."""

# ruff: noqa: E501 - names that others chose stand in one line

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from urllib.parse import urljoin

from lxml import etree, html

from digest.articles.documents.credits import NO_CREDIT, Credit, is_outside, read_credit
from digest.articles.documents.jsonld import Node, find_article, people, texts
from digest.articles.documents.page_images import find_image
from digest.articles.html.trees import all_of
from digest.articles.text.dates import parse_feed_date
from digest.articles.text.names import given_name_first

_PUBLISHED = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published", "datepublished",
    "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date", "dc.date.created", "parsely-pub-date",
    "sailthru.date", "pubdate", "publishdate", "publish-date", "publish_date", "publication_date", "cxenseparse:recs:publishtime",
    "date", "originalpublicationdate", "displaydate",
)  # fmt: skip
_AUTHORS = (
    "author",
    "article:author",
    "og:article:author",
    "dc.creator",
    "dcterms.creator",
    "parsely-author",
    "sailthru.author",
    "byl",
)
# One person each, often with the surname first (Google Scholar, "Inclusion guidelines").
_CITED = ("citation_author", "citation_authors", "bepress_citation_author", "eprints.creators_name")
_CATALOGUED = re.compile(
    r"[^\W\d_][\w'’-]+, [^\W\d_a-z](?:[a-zà-ÿ][\w'’-]*|\.)(?: [^\W\d_a-z][\w'’-]*\.?){0,2}"
)
_KEYWORDS = (
    "article:tag",
    "og:article:tag",
    "parsely-tags",
    "news_keywords",
    "sailthru.tags",
    "dc.subject",
    "keywords",
)
_CLOCK = re.compile(r"\d[T ]\d{1,2}:\d\d|\d{9,}")
_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d|GMT|UTC)\s*$", re.I)
_HOME = re.compile(r"/|(?:https?:)?//[^/]+/?", re.I)
_MOST_TOPICS = 12


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """A page's own statements about its article; nothing is cleaned yet.

    `page_title` is the title element. `site_headings` are first-level headings that belong to the site: in a
    menu or at the edge of the page, or with a link to the home page.
    """

    title: str = ""
    author: str | None = None
    published_at: datetime | None = None
    shown: Credit = NO_CREDIT
    image: str | None = None
    image_alt: str | None = None
    language: str | None = None
    topics: tuple[str, ...] = ()
    canonical: str | None = None
    base: str | None = None
    page_title: str = ""
    headings: tuple[str, ...] = ()
    subheadings: tuple[str, ...] = ()
    site_headings: tuple[str, ...] = ()
    site: str = ""
    description: str = ""
    body: str = ""


def read_stated(text: str, url: str) -> PageMetadata:
    """Read a page's metadata; what it does not state, or states in an unknown way, stays empty."""
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, huge_tree=True)
    try:
        page = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, ValueError):
        return PageMetadata()
    meta = _meta(page)
    node = find_article(map(_script, page.iter("script")), url)
    base = _absolute(url, next((one.get("href") or "" for one in page.iter("base")), ""))
    headings, site_headings = _headings(page)
    stated = PageMetadata(
        title=_first(
            texts(node.get("headline"), "@value"),
            meta.get("og:title"),
            meta.get("dc.title"),
            texts(node.get("name")),
        ),
        author=_author(page, meta, node),
        published_at=_published(page, meta, node),
        shown=read_credit(page),
        language=_language(page, meta, node),
        topics=_topics(page, meta, node),
        canonical=_canonical(page, meta, node, url),
        base=base,
        page_title=_words(next((one for one in page.iter("title") if not _is_drawn(one)), None)),
        headings=headings,
        subheadings=tuple(_words(one) for one in all_of(page, "h2", "h3") if not is_outside(one))[:8],
        site_headings=site_headings,
        site=_first(
            meta.get("og:site_name"), texts(node.get("publisher"), "name"), meta.get("application-name")
        ),
        description=_first(
            meta.get("og:description"),
            texts(node.get("description"), "@value"),
            meta.get("description"),
            meta.get("dc.description"),
        ),
        body=_first(texts(node.get("articleBody"), "@value")),
    )
    image, alt = find_image(page, node, base or url)
    return replace(stated, image=image, image_alt=alt)


def _headings(page: html.HtmlElement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the first-level headings of the page, and those of the site."""
    own: list[str] = []
    of_site: list[str] = []
    for heading in all_of(page, "h1"):
        links = [*heading.iter("a"), *(one for one in heading.iterancestors() if one.tag == "a")]
        is_home = any(_HOME.fullmatch((link.get("href") or "").strip()) for link in links)
        (of_site if is_home or is_outside(heading) else own).append(_words(heading))
    return tuple(own[:4]), tuple(of_site[:4])


def _is_drawn(element: html.HtmlElement) -> bool:
    return any(holder.tag == "svg" for holder in element.iterancestors())


def _words(element: html.HtmlElement | None) -> str:
    return " ".join(element.text_content().split()) if element is not None else ""


def _meta(page: html.HtmlElement) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in page.iter("meta"):
        name = (
            element.get("property")
            or element.get("name")
            or element.get("itemprop")
            or element.get("http-equiv")
            or ""
        ).lower()
        value = (element.get("content") or "").strip()
        if name and value and len(found.setdefault(name, [])) < 50:
            found[name].append(value)
    return found


def _script(element: html.HtmlElement) -> str:
    return (element.text or "") if "ld+json" in (element.get("type") or "").lower() else ""


def _first(*values: list[str] | None) -> str:
    return next(chain.from_iterable(value or [] for value in values), "")


def _all(meta: dict[str, list[str]], names: tuple[str, ...]) -> Iterator[str]:
    return chain.from_iterable(meta.get(name, []) for name in names)


def _author(page: html.HtmlElement, meta: dict[str, list[str]], node: Node) -> str | None:
    stated = people(node.get("author") or node.get("creator"))
    marked = [" ".join(one.text_content().split()) for one in _marked(page, "author")]
    linked = [" ".join(one.text_content().split()) for one in page.xpath(".//a[@rel='author']")[:3]]
    cited = [given_name_first(name) for one in _all(meta, _CITED) for name in one.split(";")]
    for names in (stated, [_in_order(name) for name in _all(meta, _AUTHORS)], cited, marked, linked):
        whole = [
            name
            for name in dict.fromkeys(names)
            if name and "://" not in name and "@" not in name and len(name) <= 120
        ]
        if whole:
            return ", ".join(whole[:6])
    return None


def _in_order(name: str) -> str:
    """Return a name of a library's catalogue, `Quay, Ann`, as it is spoken."""
    return given_name_first(name) if _CATALOGUED.fullmatch(name) else name


def _marked(page: html.HtmlElement, name: str) -> list[html.HtmlElement]:
    """Return the elements of a microdata property, or of a property inside it."""
    found = page.xpath(".//*[@itemprop=$name]", name=name)[:5]
    return [next(iter(one.xpath(".//*[@itemprop='name']")), one) for one in found if one.tag != "meta"]


def _published(page: html.HtmlElement, meta: dict[str, list[str]], node: Node) -> datetime | None:
    """Choose among all stated times the first with a zone, else with a time of day, else a bare date."""
    stated = [
        *texts(node.get("datePublished"), "@value"),
        *_all(meta, _PUBLISHED),
        *(_time_of(one) for one in page.xpath(".//*[@itemprop='datePublished']")[:3]),
        *(_time_of(one) for one in page.iter("time") if not is_outside(one)),
        *texts(node.get("dateCreated"), "@value"),
    ]
    read = [(text, moment) for text in stated[:40] if text and (moment := parse_feed_date(text))]
    # The day first: a time on another day belongs to something else on the page.
    day = read[0][1].date() if read else None
    near = [(text, moment) for text, moment in read if abs((moment.date() - day).days) <= 1] if day else []
    for is_better in (lambda text: _CLOCK.search(text) and _OFFSET.search(text), _CLOCK.search, bool):
        if chosen := next((moment for text, moment in near if is_better(text)), None):
            return chosen
    return None


def _time_of(element: html.HtmlElement) -> str:
    return (element.get("datetime") or element.get("content") or "").strip()


def _language(page: html.HtmlElement, meta: dict[str, list[str]], node: Node) -> str | None:
    own = page.get("lang") or page.get("{http://www.w3.org/XML/1998/namespace}lang") or page.get("xml:lang")
    stated = _first(
        [own] if own else [], texts(node.get("inLanguage"), "alternateName", "name"), meta.get("content-language"), meta.get("og:locale"),
        meta.get("dc.language"), meta.get("language"),
    )  # fmt: skip
    tag = re.match(r"[a-zA-Z]{2,3}(?:[-_][a-zA-Z0-9]{2,8}){0,2}(?![\w])", stated.strip())
    return tag[0].replace("_", "-") if tag else None


def _topics(page: html.HtmlElement, meta: dict[str, list[str]], node: Node) -> tuple[str, ...]:
    tagged = [
        " ".join(one.text_content().split())
        for one in page.xpath(".//a[contains(concat(' ', @rel, ' '), ' tag ')]")[:20]
    ]
    stated = [
        *texts(node.get("articleSection"), "name"), *_all(meta, ("article:section", "og:article:section", "parsely-section")),
        *texts(node.get("keywords"), "name"), *_all(meta, _KEYWORDS), *tagged,
    ]  # fmt: skip
    names = (name.strip() for value in stated for name in re.split(r"[,;]", value))
    return tuple(dict.fromkeys(name for name in names if name and len(name) <= 60 and ":" not in name))[
        :_MOST_TOPICS
    ]


def _canonical(page: html.HtmlElement, meta: dict[str, list[str]], node: Node, url: str) -> str | None:
    linked = [
        one.get("href")
        for one in page.iter("link")
        if "canonical" in (one.get("rel") or "").lower().split() and one.get("href")
    ]
    stated = _first(
        linked, meta.get("og:url"), texts(node.get("mainEntityOfPage") or node.get("url"), "@id", "url")
    )
    return _absolute(url, stated)


def _absolute(url: str, stated: str) -> str | None:
    try:
        absolute = urljoin(url, stated) if stated else ""
    except ValueError:
        return None
    return absolute if absolute.startswith(("http://", "https://")) else None
