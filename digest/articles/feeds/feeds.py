"""Read RSS, RDF and Atom feeds, whatever their age and quality, and JSON Feed."""

import calendar
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from digest.articles.building import build_article
from digest.articles.feeds.fast_path import ParsedXml, read_wellformed
from digest.articles.feeds.jsonfeed import parse_json_feed
from digest.articles.feeds.xml_bombs import check_xml, parted
from digest.articles.html.cleaning import one_line, paragraphs
from digest.articles.parsed import ParsedArticle, ParsedFeed, Rejected
from digest.articles.text.dates import feed_moment, moment
from digest.errors import InputError
from digest.rules.articles.polling import read_minutes, read_update_period

MAX_BYTES = 10_000_000
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r")
_PARSER_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip
_IANA_ALTERNATE = "http://www.iana.org/assignments/relation/alternate"
_RDF = ("rss090", "rss10")
_BARE = re.compile(rb"&(?!(?:[A-Za-z][A-Za-z0-9]{0,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
# Addresses are looked for in these, there and here, in the square of a word's length.
_LONG_NAME = re.compile(
    rb"(<(?:\w{1,20}:)?(?:[Aa]uthor|[Cc]reator|managing[Ee]ditor|web[Mm]aster|[Pp]ublisher|[Cc]ontributor|name|owner)\b[^<>]{0,300}>"
    rb"\s{0,99}(?:<!\[CDATA\[)?[^<]{600})[^<\]]+"
)
_MAIL = re.compile(r"[^\s<>()@]+@[^\s<>()@]+")
_HTML = re.compile(
    rb"^\s*(?>(?:<!--.*?-->\s*)*)(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body)\b", re.I | re.S
)


def parse_feed(content: bytes, *, url: str, content_type: str = "", topics: Sequence[str] = ()) -> ParsedFeed:
    """Read a feed; what cannot be taken is in `rejected`. Raise InputError for what is no feed."""
    if len(content) > MAX_BYTES:
        raise InputError(
            f"{url} is larger than {MAX_BYTES // 1_000_000} MB; a feed should be a few hundred kB"
        )
    content = content.removeprefix(b"\xef\xbb\xbf")
    if content.lstrip()[:1] in (b"{", b"["):
        return parse_json_feed(content, url=url, topics=topics)
    if not content.lstrip().startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.translate(None, _CONTROLS)
    check_xml(content, url, content_type)
    if is_page(content):
        raise InputError(f"{url} is a web page, not a feed; give the address of its RSS or Atom feed")
    content = _LONG_NAME.sub(rb"\1", _ampersands_mended(content))
    parsed = read_wellformed(content, content_type) or _parse(content, url, content_type)
    if not parsed.version and not parsed.entries:
        raise InputError(f"{url} is no RSS, Atom or JSON feed; open it in a browser to see what it is")
    return _collect(parsed, url, topics)


def _parse(content: bytes, url: str, content_type: str) -> ParsedXml:
    import feedparser  # here: it is large, and articles of a folder need none of it

    try:
        parsed = feedparser.parse(
            io.BytesIO(content),  # given bytes, feedparser first tries whether they name a local file
            response_headers={"content-location": url, "content-type": content_type or "application/xml"},
            sanitize_html=False,
            # Slow, and cleaning resolves against the article's address; only xml:base is feedparser's alone.
            resolve_relative_uris=b"xml:base" in content,
        )
    except _PARSER_ERRORS:
        raise InputError(f"{url} is broken in a way that cannot be read; tell who publishes it") from None
    version = str(parsed.get("version") or "")
    if version in _RDF:
        for entry in parsed.entries:
            entry.setdefault("link", entry.get("id"))  # rdf:about is the link again (RSS 1.0, 5.5)
    return ParsedXml(version, parsed.feed, parsed.entries)


def _ampersands_mended(content: bytes) -> bytes:
    """Escape an & that begins no reference, outside of CDATA: feedparser makes "R&D;" of "R&D"."""
    if b"\0" in content or not _BARE.search(content):
        return content
    return b"".join(part if is_cdata else _BARE.sub(b"&amp;", part) for part, is_cdata in parted(content))


def is_page(content: bytes) -> bool:
    """Tell whether this is a web page, going by its beginning."""
    return _HTML.match(content[:4096].removeprefix(b"\xef\xbb\xbf")) is not None


def _collect(parsed: ParsedXml, url: str, topics: Sequence[str]) -> ParsedFeed:
    taken: list[ParsedArticle] = []
    rejected: list[Rejected] = []
    language = parsed.feed.get("language")
    author = _author(parsed.feed) if parsed.version.startswith("atom") else None
    for number, entry in enumerate(parsed.entries, 1):
        try:
            taken.append(_article(entry, url, topics, language, author))
        except InputError as error:
            name = one_line(entry.get("title") or entry.get("id")) or f"item {number}"
            rejected.append(Rejected(name[:100], str(error)))
    title = one_line(parsed.feed.get("title"))
    return ParsedFeed(title, tuple(taken), tuple(rejected), _pause(parsed.feed))


def _pause(feed: Any) -> timedelta | None:
    asked = (
        read_minutes(str(feed.get("ttl", ""))),
        read_update_period(str(feed.get("sy_updateperiod", "")), str(feed.get("sy_updatefrequency", "1"))),
    )
    return max(filter(None, asked), default=None)


def _article(
    entry: Any, url: str, topics: Sequence[str], language: str | None, author: str | None
) -> ParsedArticle:
    content = max((_html(part) for part in entry.get("content", [])), key=len, default="")
    summary = entry.get("summary", "")
    link = _link(entry)
    if not link:
        raise InputError("it has no link")
    image, alt = _image(entry)
    return build_article(
        title=entry.get("title", ""),
        url=link,
        base_url=url,
        html=content or summary,
        summary=summary if content else "",
        guid=entry.get("id"),
        author=_author(entry) or author,
        image=image,
        image_alt=alt,
        language=entry.get("language") or language,
        topics=(*_categories(entry), *topics),
        published_at=_published(entry),
    )


def _html(part: Any) -> str:
    value = part.get("value", "")
    return paragraphs(value.split("\n\n")) if part.get("type") == "text/plain" else value


def _link(entry: Any) -> str | None:
    """Choose the article's own address; feedparser has put a guid that is a permalink into `link`.

    What is only to be heard or seen, as an episode without a page, is its own address.
    """
    original = str(entry.get("feedburner_origlink") or "")
    if original.startswith(("http://", "https://")):
        return original
    others = (one.get("href") for one in entry.get("links", []) if one.get("rel") == _IANA_ALTERNATE)
    link: str | None = entry.get("link")
    link = next(others, link) if link is None or link == entry.get("id") else link
    return link or next(_episodes(entry), None)


def _episodes(entry: Any) -> Iterator[str]:
    for item in entry.get("enclosures", []):
        address = item.get("url") or item.get("href")
        if address and str(item.get("type")).startswith(("audio/", "video/")):
            yield address


def _categories(entry: Any) -> Iterator[str]:
    """Give what people read as the topic (RFC 4287 4.2.2.3: the label); some put several into one."""
    for tag in entry.get("tags", []):
        yield from str(tag.get("label") or tag.get("term") or "").split(",")


def _author(entry: Any) -> str | None:
    """Give the names: RSS has an address with the name in brackets, which feedparser cuts wrongly."""
    written = [str(author.get("name") or "") for author in entry.get("authors", [])]
    if len(written) < 2 and "@" in str(entry.get("author") or ""):
        written = [str(entry.get("author"))]
    names = [_MAIL.sub(" ", name).strip(" ()<>") for name in written]
    return ", ".join(dict.fromkeys(filter(None, names))) or None


def _image(entry: Any) -> tuple[str | None, str | None]:
    for item in (
        *entry.get("media_content", []),
        *entry.get("media_thumbnail", []),
        *entry.get("enclosures", []),
    ):
        address = item.get("url") or item.get("href")
        kind = str(item.get("type") or item.get("medium") or ("" if _is_film(address) else "image"))
        if address and kind.startswith("image"):
            return address, item.get("alt")
    return None, None


def _is_film(address: object) -> bool:
    return str(address).partition("?")[0].lower().endswith((".mp3", ".m4a", ".mp4", ".mov", ".webm", ".pdf"))


def _published(entry: Any) -> datetime | None:
    # By way of dict: feedparser answers a look-up of one date with the other, and a warning.
    for name in ("published", "updated", "created"):
        written, parsed = dict.get(entry, name), dict.get(entry, f"{name}_parsed")
        found = feed_moment(written) if isinstance(written, str) else None
        if found := found or _calendar_moment(parsed):
            return found
    return None


def _calendar_moment(parsed: Any) -> datetime | None:
    try:
        return moment(datetime.fromtimestamp(calendar.timegm(parsed), UTC)) if parsed else None
    except (ValueError, OverflowError, TypeError, OSError):
        return None
