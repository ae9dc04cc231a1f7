"""Read RSS, RDF and Atom feeds, whatever their age and quality, and JSON Feed."""

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import feedparser

from digest.articles.building import build_article
from digest.articles.clean import one_line
from digest.articles.jsonfeed import parse_json_feed
from digest.articles.parsed import ParsedArticle, ParsedFeed, Rejected
from digest.errors import InputError

MAX_BYTES = 10_000_000
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r")
_ENTITY = re.compile(rb"<!ENTITY", re.I)
_HTML = re.compile(rb"^\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.I | re.S)


def parse_feed(content: bytes, *, url: str, content_type: str = "", topics: Sequence[str] = ()) -> ParsedFeed:
    """Read a feed; what cannot be taken is in `rejected`. Raise InputError for what is no feed."""
    if len(content) > MAX_BYTES:
        raise InputError(
            f"{url} is larger than {MAX_BYTES // 1_000_000} MB; a feed should be a few hundred kB"
        )
    if content.lstrip()[:1] == b"{":
        return parse_json_feed(content, url=url, topics=topics)
    if _ENTITY.search(content):
        raise InputError(f"{url} declares XML entities, which a feed never needs; it is not read")
    if _HTML.match(content.removeprefix(b"\xef\xbb\xbf")[:4096]):
        raise InputError(f"{url} is a web page, not a feed; give the address of its RSS or Atom feed")
    if not content.lstrip().startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.translate(None, _CONTROLS)
    parsed = feedparser.parse(
        content,
        response_headers={"content-location": url, "content-type": content_type or "application/xml"},
        sanitize_html=False,
        resolve_relative_uris=True,
    )
    if not parsed.get("version") and not parsed.entries:
        raise InputError(f"{url} is no RSS, Atom or JSON feed; open it in a browser to see what it is")
    return _collect(parsed, url, topics)


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
    return ParsedFeed(one_line(parsed.feed.get("title")), tuple(taken), tuple(rejected))


def _article(entry: Any, url: str, topics: Sequence[str], language: str | None) -> ParsedArticle:
    content = max((c.get("value", "") for c in entry.get("content", [])), key=len, default="")
    summary = entry.get("summary", "")
    link = entry.get("link") or (entry.get("id") if str(entry.get("id", "")).startswith("http") else "")
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
        author=entry.get("author"),
        image=image,
        image_alt=alt,
        language=entry.get("language") or language,
        topics=(*topics, *categories),
        published_at=_time(entry.get("published_parsed") or entry.get("updated_parsed")),
    )


def _image(entry: Any) -> tuple[str | None, str | None]:
    for item in (
        *entry.get("media_content", []),
        *entry.get("media_thumbnail", []),
        *entry.get("enclosures", []),
    ):
        kind = str(item.get("type") or item.get("medium") or "image")
        address = item.get("url") or item.get("href")
        if address and kind.startswith("image"):
            return address, item.get("alt")
    return None, None


def _time(parsed: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, TypeError, OSError):
        return None
