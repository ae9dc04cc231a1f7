"""Read RSS, RDF and Atom feeds, whatever their age and quality, and JSON Feed."""

import calendar
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser

from digest.articles.building import build_article
from digest.articles.clean import one_line, paragraphs
from digest.articles.jsonfeed import parse_json_feed
from digest.articles.moments import moment
from digest.articles.parsed import ParsedArticle, ParsedFeed, Rejected
from digest.errors import InputError
from digest.rules.revisits import read_minutes, read_update_period

MAX_BYTES = 10_000_000
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r")
_PROLOG = 100_000
_COMMENT = re.compile(rb"<!--.*?-->", re.S)
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_ENTITY = re.compile(rb"<!ENTITY", re.I)
_HTML = re.compile(
    rb"^\s*(?:<!--.*?-->\s*)*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body)\b", re.I | re.S
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
    if _declares_entities(content):
        raise InputError(f"{url} declares XML entities, which a feed never needs; it is not read")
    if is_page(content):
        raise InputError(f"{url} is a web page, not a feed; give the address of its RSS or Atom feed")
    if not content.lstrip().startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.translate(None, _CONTROLS)
    parsed = feedparser.parse(
        io.BytesIO(content),  # given bytes, feedparser first tries whether they name a local file
        response_headers={"content-location": url, "content-type": content_type or "application/xml"},
        sanitize_html=False,
        resolve_relative_uris=True,
    )
    if not parsed.get("version") and not parsed.entries:
        raise InputError(f"{url} is no RSS, Atom or JSON feed; open it in a browser to see what it is")
    return _collect(parsed, url, topics)


def is_page(content: bytes) -> bool:
    """Tell whether this is a web page, going by its beginning."""
    return _HTML.match(content[:4096].removeprefix(b"\xef\xbb\xbf")) is not None


def _collect(parsed: Any, url: str, topics: Sequence[str]) -> ParsedFeed:
    taken: list[ParsedArticle] = []
    rejected: list[Rejected] = []
    language = parsed.feed.get("language")
    for number, entry in enumerate(parsed.entries, 1):
        try:
            taken.append(_article(entry, url, topics, language))
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


def _article(entry: Any, url: str, topics: Sequence[str], language: str | None) -> ParsedArticle:
    content = max((_html(part) for part in entry.get("content", [])), key=len, default="")
    summary = entry.get("summary", "")
    link = entry.get("link")  # feedparser has put a guid that is a permalink there
    if not link:
        raise InputError("it has no link")
    image, alt = _image(entry)
    categories = [tag.get("term") or tag.get("label") or "" for tag in entry.get("tags", [])]
    return build_article(
        title=entry.get("title", ""),
        url=link,
        base_url=url,
        html=content or summary,
        summary=summary if content else "",
        guid=entry.get("id"),
        author=_author(entry),
        image=image,
        image_alt=alt,
        language=entry.get("language") or language,
        topics=(*categories, *topics),
        published_at=_published(entry),
    )


def _declares_entities(content: bytes) -> bool:
    """Look before the first element, the only place for a DTD; what a text says about XML is no matter."""
    prolog = _COMMENT.sub(b"", content.replace(b"\0", b"")[:_PROLOG])
    element = _ELEMENT.search(prolog)
    return _ENTITY.search(prolog, 0, element.start() if element else len(prolog)) is not None


def _html(part: Any) -> str:
    value = part.get("value", "")
    return paragraphs(value.split("\n\n")) if part.get("type") == "text/plain" else value


def _author(entry: Any) -> str | None:
    names = [str(author.get("name") or "") for author in entry.get("authors", [])]
    named = [name for name in names if name and "@" not in name]
    return ", ".join(dict.fromkeys(named)) or None


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
    parsed = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
    try:
        return moment(datetime.fromtimestamp(calendar.timegm(parsed), UTC)) if parsed else None
    except (ValueError, OverflowError, TypeError, OSError):
        return None
