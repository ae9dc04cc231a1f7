"""Parse RSS, RDF and Atom feeds of any age and quality, and JSON Feed."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from lxml import etree

from digest.articles.building import build_article
from digest.articles.feeds.fast_path import TOMBSTONE, ParsedXml, read_wellformed
from digest.articles.feeds.item_boilerplate import without_boilerplate
from digest.articles.feeds.jsonfeed import parse_json_feed
from digest.articles.feeds.links import (
    is_counter,
    is_no_page,
    leads_to_a_page,
    mended_link,
    own_fragment,
    unnamed,
)
from digest.articles.feeds.own_elements import own_elements
from digest.articles.feeds.references import escape_bare, join_surrogates, mend_old_signs
from digest.articles.feeds.stated_ids import in_stated_order, keep_written_ids
from digest.articles.feeds.xml_bombs import check_xml
from digest.articles.html.cleaning import clean_html, one_line
from digest.articles.html.image_choice import ImageCandidate, candidate, images_in
from digest.articles.html.plain_to_html import html_of_plain
from digest.articles.html.titles import Markup, has_markup, title_line
from digest.articles.parsed import ParsedArticle, ParsedFeed, Rejected
from digest.articles.text.charsets import from_utf_16, in_utf_8
from digest.articles.text.dates import parse_feed_date
from digest.articles.text.names import joined_names, named
from digest.errors import InputError
from digest.rules.articles.polling import read_minutes, read_update_period

MAX_BYTES = 10_000_000
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r")
_PARSER_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip
_IANA_ALTERNATE = "http://www.iana.org/assignments/relation/alternate"
_RDF = ("rss090", "rss10")
# feedparser would search these for addresses here and there, in quadratic time.
_LONG_NAME = re.compile(
    rb"(<(?:\w{1,20}:)?(?:[Aa]uthor|[Cc]reator|managing[Ee]ditor|web[Mm]aster|[Pp]ublisher|[Cc]ontributor|name|owner)\b[^<>]{0,300}>"
    rb"\s{0,99}(?:<!\[CDATA\[)?[^<]{600})[^<\]]+"
)
_HTML = re.compile(
    rb"^\s*(?>(?:<!--.*?-->\s*)*)(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body)\b", re.I | re.S
)
_ROOT = re.compile(
    rb"(?:<\?xml[^>]{0,300}\?>\s*)?(?:<\?[^>]{0,300}\?>\s*)*"
    rb"<((?:rss|rdf:RDF|(?:[a-z]{1,9}:)?feed)(?=[\s>])(?=[^>]{0,2000}(?:\sversion=|\sxmlns)))[^>]*>",
    re.I,
)
_IS_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:\?|$)", re.I)
# The beginning of a feed's source in a page.
_SOURCE = re.compile(
    rb"<body\b[^>]{0,300}>\s*<pre\b[^>]{0,300}>(?=\s*(?:&lt;(?:\?xml|rss|feed|rdf:RDF)\b|\{\s*(?:\"|&quot;)))",
    re.I,
)
_LONGEST_FRAME = 4_000
_TAG = re.compile(r"<[a-zA-Z/!][^<>]*>")
_ESCAPED_TWICE = re.compile(
    r"\s*&lt;(p|div|h[1-6]|ul|ol|table|figure|article|section)(?:\s[^<>]*?)?&gt;[^<>]*&lt;/(?:p|div|h[1-6]|ul|ol|table|figure|article|section)&gt;\s*",
    re.I,
)
_ESCAPED_CDATA = re.compile(r"\A\s*<!\[CDATA\[(.*)\]\]>\s*\Z", re.S)


@dataclass(frozen=True, slots=True)
class _Channel:
    """What applies to all of a feed's items."""

    url: str
    title: str
    link: str
    language: str | None
    author: str | None
    is_atom: bool
    topics: Sequence[str]


def parse_feed(content: bytes, *, url: str, content_type: str = "", topics: Sequence[str] = ()) -> ParsedFeed:
    """Parse a feed; items that are refused are in `rejected`. Raise InputError if it is no feed."""
    if len(content) > MAX_BYTES:
        raise InputError(
            f"{url} is larger than {MAX_BYTES // 1_000_000} MB; a feed should be a few hundred kB"
        )
    content = _shown_in_a_page(content.removeprefix(b"\xef\xbb\xbf"))
    if content.lstrip()[:1] in (b"{", b"["):
        return parse_json_feed(content, url=url, topics=topics)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content, content_type = from_utf_16(content, content_type)
    if not content.lstrip().startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.translate(None, _CONTROLS)
    content, content_type = in_utf_8(content, content_type)
    check_xml(content, url, content_type)  # on the whole: a part that is cut off may contain a DTD
    content = _unwrapped(content)
    if is_page(content):
        raise InputError(f"{url} is a web page, not a feed; give the address of its RSS or Atom feed")
    content = mend_old_signs(escape_bare(join_surrogates(content)))
    content = _LONG_NAME.sub(rb"\1", content)
    parsed = _read(content, url, content_type)
    if not parsed.version and not parsed.entries:
        raise InputError(f"{url} is not an RSS, Atom or JSON feed; open it in a browser to see what it is")
    return _collect(parsed, url, topics, _deleted(content))


def _shown_in_a_page(content: bytes) -> bytes:
    """Return the feed whose source a page shows, as a browser saves it or a broken proxy sends it."""
    shown = _SOURCE.search(content[:_LONGEST_FRAME]) if _HTML.match(content[:_LONGEST_FRAME]) else None
    if shown is None:
        return content
    end = content.find(b"</pre", shown.end())
    return unescape(content[shown.end() : end if end > 0 else None].decode("utf-8", "replace")).encode()


def _deleted(content: bytes) -> tuple[str, ...]:
    """Return the ids of the entries that an Atom feed declares deleted (RFC 6721)."""
    if b"deleted-entry" not in content:
        return ()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return ()
    stones = () if root is None else root.iterfind(TOMBSTONE)
    return tuple(filter(None, (str(one.get("ref") or "").strip() for one in stones)))


def _read(content: bytes, url: str, content_type: str) -> ParsedXml:
    """Parse a feed by the fast path, as it is or with its items reduced to their own elements, else by
    feedparser."""
    if (parsed := read_wellformed(content, content_type)) is not None:
        return parsed
    if (reduced := own_elements(content, content_type)) is not None:
        content, content_type = reduced, "application/xml; charset=utf-8"
    return read_wellformed(content, content_type) or _parse(content, url, content_type)


def _unwrapped(content: bytes) -> bytes:
    """Return a feed without anything around it: a page, a server's warning, a proxy's text."""
    start = _ROOT.search(content)
    if start is None:
        return content
    end = content.rfind(b"</" + start[1] + b">")
    return content[start.start() : end + len(start[1]) + 3 if end > 0 else None]


def _parse(content: bytes, url: str, content_type: str) -> ParsedXml:
    import feedparser  # imported here: it is large, and articles of a folder do not need it

    try:
        parsed = feedparser.parse(
            io.BytesIO(content),  # given bytes, feedparser would first check whether they name a local file
            response_headers={"content-location": url, "content-type": content_type or "application/xml"},
            sanitize_html=False,
            # Slow, and cleaning resolves against the article's URL; only xml:base is left to feedparser.
            resolve_relative_uris=b"xml:base" in content,
        )
    except _PARSER_ERRORS:
        raise InputError(f"{url} is broken and cannot be read; tell its publisher") from None
    version = str(parsed.get("version") or "")
    if version in _RDF:
        for entry in parsed.entries:
            entry.setdefault("link", entry.get("id"))  # rdf:about is the link again (RSS 1.0, 5.5)
        return ParsedXml(version, parsed.feed, in_stated_order(parsed.entries, content))
    if version == "atom10":
        keep_written_ids(parsed.entries, content)
    return ParsedXml(version, parsed.feed, parsed.entries)


def is_page(content: bytes) -> bool:
    """Return whether this is a web page, judging by its beginning; a feed inside a page counts as a feed."""
    head = content[:4096].removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(head) is None or _SOURCE.search(head):
        return False
    return _ROOT.search(content) is None


def _collect(parsed: ParsedXml, url: str, topics: Sequence[str], deleted: tuple[str, ...] = ()) -> ParsedFeed:
    taken: list[ParsedArticle] = []
    rejected: list[Rejected] = []
    is_atom = parsed.version.startswith("atom")
    channel = _Channel(
        url=url,
        title=title_line(parsed.feed.get("title"), _markup(parsed.feed, is_atom)),
        link=_site(parsed.feed),
        language=parsed.feed.get("language"),
        author=_author(parsed.feed) if is_atom else None,
        is_atom=is_atom,
        topics=topics,
    )
    for number, entry in enumerate(parsed.entries, 1):
        try:
            taken.append(_article(entry, channel))
        except InputError as error:
            name = one_line(entry.get("title") or entry.get("id")) or f"item {number}"
            rejected.append(Rejected(name[:100], str(error)))
    return ParsedFeed(channel.title, tuple(taken), tuple(rejected), _pause(parsed.feed), deleted)


def _site(feed: Any) -> str:
    """Return the URL of a feed's site; feedparser would accept its id as well."""
    stated = (str(one.get("href")) for one in feed.get("links", []) if one.get("rel") == "alternate")
    return next((address for address in stated if address.startswith(("http://", "https://"))), "")


def _markup(holder: Any, is_atom: bool) -> Markup:
    """Return a title's markup: Atom states it (RFC 4287 3.1.1), RSS does not."""
    if not is_atom:
        return Markup.UNSTATED
    return Markup.TEXT if _type(holder, "title_detail") == "text/plain" else Markup.HTML


def _type(holder: Any, name: str) -> str:
    return str((holder.get(name) or {}).get("type") or "")


def _pause(feed: Any) -> timedelta | None:
    asked = (
        read_minutes(str(feed.get("ttl", ""))),
        read_update_period(str(feed.get("sy_updateperiod", "")), str(feed.get("sy_updatefrequency", "1"))),
    )
    return max(filter(None, asked), default=None)


def _article(entry: Any, channel: _Channel) -> ParsedArticle:
    html, summary, shorter = _texts(entry, channel.is_atom)
    link, own_fragment = _link(entry, channel)
    html, summary = (without_boilerplate(one, link, channel.link) for one in (html, summary))
    language = entry.get("language") or channel.language
    published_at = _published(entry, language)
    return build_article(
        title=entry.get("title", ""),
        title_markup=_markup(entry, channel.is_atom),
        url=link,
        base_url=channel.url,
        own_fragment=own_fragment,
        html=html,
        summary=summary,
        guid=entry.get("id"),
        author=_author(entry) or channel.author,
        images=(*_images(entry), *images_in(clean_html(shorter, link) if "<img" in shorter else "")),
        language=language,
        topics=(*_categories(entry), *channel.topics),
        published_at=published_at,
        unnamed=unnamed(channel.title, published_at),
    )


def _texts(entry: Any, is_atom: bool) -> tuple[str, str, str]:
    """Return an item's body, its summary, and the shorter text that has no place beside them, all HTML.

    The more complete text is the body. feedparser copies the content into a missing summary; such a copy has
    no detail.
    """
    shorter = ""
    content = max((_html(part) for part in entry.get("content", [])), key=len, default="")
    summary = str(entry.get("summary") or "") if entry.get("summary_detail") else ""
    if is_atom and _type(entry, "summary_detail") == "text/plain":
        summary = html_of_plain(summary)
    if not content or (len(summary) > len(content) and _length(summary) > _length(content)):
        content, summary, shorter = summary, "", content
    if not is_atom:
        content = _ESCAPED_CDATA.sub(r"\1", content)
        if _ESCAPED_TWICE.fullmatch(content):
            content = unescape(content)
        if ("\n" in content or "://" in content or "<" in content) and not has_markup(content):
            content = html_of_plain(unescape(content))
    return content, summary, shorter


def _length(html: str) -> int:
    return len(_TAG.sub("", html).strip())


def _html(part: Any) -> str:
    value = part.get("value", "")
    kind = str(part.get("type") or "text/html")
    if not kind.startswith("text/") and not kind.endswith("xml"):
        return ""  # a file as base64 (RFC 4287, 4.1.3.3)
    return html_of_plain(value) if kind == "text/plain" else value


def _link(entry: Any, channel: _Channel) -> tuple[str, str]:
    """Return an article's URL, and the fragment that identifies it if that URL is its site's.

    feedparser has put a guid that is a permalink into `link`. An item with nothing but audio or video, such
    as an episode without a page, has the media's URL.
    """
    original = str(entry.get("feedburner_origlink") or "")
    if original.startswith(("http://", "https://")):
        return original, ""
    others = (one.get("href") for one in entry.get("links", []) if one.get("rel") == _IANA_ALTERNATE)
    link: str | None = entry.get("link")
    link = next(others, link) if link is None or link == entry.get("id") else link
    guid = str(entry.get("id") or "")
    named = guid if guid.startswith(("http://", "https://")) else None
    link = mended_link(link or "")
    if named and is_counter(link) and not is_counter(named):
        return named, ""
    if (other := next(_enclosed(entry), None) or named) and not leads_to_a_page(link):
        return other, ""
    if link and not is_no_page(link):
        return link, ""
    if not channel.link:
        raise InputError("it has no link, and neither has its feed; give it one")
    content = next((str(part.get("value", "")) for part in entry.get("content", [])), "")
    return channel.link, own_fragment(guid or entry.get("title") or entry.get("summary") or content)


def _enclosed(entry: Any) -> Iterator[str]:
    """Return the URLs of enclosures, audio and video first."""
    attached = [item for item in entry.get("enclosures", []) if item.get("url") or item.get("href")]
    for item in sorted(attached, key=lambda one: not str(one.get("type")).startswith(("audio/", "video/"))):
        yield item.get("url") or item.get("href")


def _categories(entry: Any) -> Iterator[str]:
    """Return the categories as readers see them (RFC 4287 4.2.2.3: the label); some feeds put several into
    one."""
    for tag in entry.get("tags", []):
        name = str(tag.get("label") or tag.get("term") or "")
        yield from (one_line(name) if "&" in name or "<" in name else name).split(",")


def _author(entry: Any) -> str | None:
    """Return the authors: RSS has an address with the name in brackets, which feedparser cuts wrongly."""
    written = [str(author.get("name") or "") for author in entry.get("authors", [])]
    if len(written) < 2 and "@" in str(entry.get("author") or ""):
        written = [str(entry.get("author"))]
    return joined_names([named(one_line(name) if _TAG.search(name) else name) for name in written]) or None


def _images(entry: Any) -> Iterator[ImageCandidate]:
    """Return the images that an item states."""
    media = sorted(entry.get("media_content", []), key=lambda one: one.get("isdefault") != "true")
    for item in (*media, *entry.get("media_thumbnail", []), *entry.get("enclosures", [])):
        address = item.get("url") or item.get("href")
        kind = str(item.get("type") or item.get("medium") or ("" if _is_film(address) else "image"))
        if kind == "application/octet-stream" and _IS_PICTURE.search(str(address)):
            kind = "image"
        if kind.startswith("image"):
            found = candidate(
                address, alt=item.get("alt"), width=item.get("width"), height=item.get("height")
            )
            if found is not None:
                yield found


def _is_film(address: object) -> bool:
    return str(address).partition("?")[0].lower().endswith((".mp3", ".m4a", ".mp4", ".mov", ".webm", ".pdf"))


def _published(entry: Any, language: str | None) -> datetime | None:
    # dict(), because feedparser answers a look-up of one date with the other, and a warning.
    for name in ("published", "updated", "created"):
        written = dict.get(entry, name)
        if isinstance(written, str) and (found := parse_feed_date(written, language)):
            return found
    return None
