"""Parse JSON Feed 1.0 and 1.1 (jsonfeed.org), and a list of posts from WordPress's API."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from digest.articles.building import build_article
from digest.articles.feeds.item_boilerplate import without_boilerplate
from digest.articles.feeds.links import leads_to_a_page, mended_link, own_fragment, unnamed
from digest.articles.feeds.wordpress import is_posts_url, read_posts
from digest.articles.html.cleaning import escaped
from digest.articles.html.image_choice import ImageCandidate, candidate
from digest.articles.html.plain_to_html import html_of_plain
from digest.articles.html.titles import Markup, title_line
from digest.articles.parsed import ParsedArticle, ParsedFeed, Rejected
from digest.articles.text.dates import parse_feed_date
from digest.articles.text.names import joined_names, named
from digest.errors import InputError


def parse_json_feed(content: bytes, *, url: str, topics: Sequence[str] = ()) -> ParsedFeed:
    """Parse a JSON feed; raise InputError if it is none."""
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
    return ParsedFeed(title_line(_text(feed.get("title")), Markup.TEXT), tuple(taken), tuple(rejected))


def _article(item: Any, url: str, topics: Sequence[str], feed: dict[str, Any]) -> ParsedArticle:
    if not isinstance(item, dict):
        raise InputError("it is not an object")
    own = _text(item.get("id"))
    link, fragment = _link(item, own, feed)
    tags = [tag for tag in _list(item.get("tags")) if isinstance(tag, str)]
    language = _text(item.get("language") or feed.get("language")) or None
    published_at = _time(item, "date_published", language) or _time(item, "date_modified", language)
    return build_article(
        title=_text(item.get("title")),
        title_markup=Markup.TEXT,
        url=link,
        base_url=_text(feed.get("home_page_url")) or url,
        own_fragment=fragment,
        html=without_boilerplate(_body(item), link, _text(feed.get("home_page_url"))),
        summary=escaped(_text(item.get("summary"))),
        guid=own or None,
        author=_authors(item) or _authors(feed) or None,
        images=tuple(_images(item)),
        language=language,
        topics=(*tags, *topics),
        published_at=published_at,
        unnamed=unnamed(title_line(_text(feed.get("title")), Markup.TEXT), published_at),
    )


def _link(item: dict[str, Any], own: str, feed: dict[str, Any]) -> tuple[str, str]:
    """Return an item's URL, and the fragment that identifies it if that URL is its site's.

    Everything but the id is optional (JSON Feed 1.1, "items"): the URL of attached audio or video comes next,
    then an id that is a URL.
    """
    films = (one for one in _attachments(item) if _kind(one).startswith(("audio/", "video/")))
    attached = next(filter(None, (_text(one.get("url")) for one in films)), "")
    stated = (mended_link(_text(item.get(name))) for name in ("url", "external_url"))
    link = next(filter(leads_to_a_page, stated), "") or attached
    link = link or (own if own.startswith(("http://", "https://")) else "")
    if link:
        return link, ""
    home = _text(feed.get("home_page_url"))
    if not home:
        raise InputError("it has no url, and its feed no home_page_url; give it one")
    return home, own_fragment(own or _text(item.get("title")) or _body(item))


def _body(item: dict[str, Any]) -> str:
    """Return the more complete of an item's HTML and its plain text."""
    html, plain = _text(item.get("content_html")), _text(item.get("content_text"))
    return html if html.strip() else html_of_plain(plain)


def _authors(holder: dict[str, Any]) -> str:
    authors = _list(holder.get("authors")) or [holder.get("author")]
    names = [_text(author.get("name")) for author in authors if isinstance(author, dict)]
    return joined_names([named(name) for name in names])


def _images(item: dict[str, Any]) -> Iterator[ImageCandidate]:
    """Return an item's images: its own, its banner, and attached ones."""
    stated = [item.get("image"), item.get("banner_image")]
    stated += [one.get("url") for one in _attachments(item) if _kind(one).startswith("image/")]
    yield from filter(None, map(candidate, stated))


def _attachments(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in _list(item.get("attachments")) if isinstance(one, dict)]


def _kind(attachment: dict[str, Any]) -> str:
    return _text(attachment.get("mime_type")).lower()


def _time(item: dict[str, Any], name: str, language: str | None) -> datetime | None:
    return parse_feed_date(_text(item.get(name)), language)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
