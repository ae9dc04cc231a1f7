"""Read JSON Feed 1.0 and 1.1 (jsonfeed.org), and a list of posts as WordPress gives it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from digest.articles.building import build_article
from digest.articles.feeds.wordpress import is_posts_url, read_posts
from digest.articles.html.cleaning import one_line, paragraphs
from digest.articles.parsed import ParsedArticle, ParsedFeed, Rejected
from digest.articles.text.dates import feed_moment
from digest.errors import InputError


def parse_json_feed(content: bytes, *, url: str, topics: Sequence[str] = ()) -> ParsedFeed:
    """Read a JSON feed; raise InputError for what is none."""
    try:
        feed = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(f"{url} is neither XML nor valid JSON") from None
    if isinstance(feed, list) and is_posts_url(url):
        return read_posts(feed, url=url, topics=topics)
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise InputError(f'{url} is JSON, but no JSON Feed: it has no list "items"')
    taken: list[ParsedArticle] = []
    rejected: list[Rejected] = []
    for number, item in enumerate(feed["items"], 1):
        try:
            taken.append(_article(item, url, topics, feed))
        except InputError as error:
            rejected.append(Rejected(f"item {number}", str(error)))
    return ParsedFeed(one_line(_text(feed.get("title"))), tuple(taken), tuple(rejected))


def _article(item: Any, url: str, topics: Sequence[str], feed: dict[str, Any]) -> ParsedArticle:
    if not isinstance(item, dict):
        raise InputError("it is no object")
    own = _text(item.get("id"))
    link = _text(item.get("url") or item.get("external_url")) or (own if own.startswith("http") else "")
    if not link:
        raise InputError("it has no url; an id counts as one only where it is an address")
    tags = [tag for tag in _list(item.get("tags")) if isinstance(tag, str)]
    text = _text(item.get("content_text"))
    return build_article(
        title=_text(item.get("title")),
        url=link,
        base_url=url,
        html=_text(item.get("content_html")) or paragraphs(text.split("\n\n")),
        summary=_text(item.get("summary")),
        guid=own or None,
        author=_authors(item) or _authors(feed) or None,
        image=_text(item.get("image") or item.get("banner_image")) or _attached(item) or None,
        language=_text(item.get("language") or feed.get("language")) or None,
        topics=(*tags, *topics),
        published_at=_time(item, "date_published") or _time(item, "date_modified"),
    )


def _authors(holder: dict[str, Any]) -> str:
    authors = _list(holder.get("authors")) or [holder.get("author")]
    names = [_text(author.get("name")) for author in authors if isinstance(author, dict)]
    return ", ".join(filter(None, names))


def _attached(item: dict[str, Any]) -> str:
    for attachment in _list(item.get("attachments")):
        if isinstance(attachment, dict) and _text(attachment.get("mime_type")).startswith("image/"):
            return _text(attachment.get("url"))
    return ""


def _time(item: dict[str, Any], name: str) -> datetime | None:
    return feed_moment(_text(item.get(name)))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
