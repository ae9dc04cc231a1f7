"""Read posts from WordPress's REST API (wp/v2/posts with _embed)."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from digest.articles.building import build_article
from digest.articles.html.titles import Markup
from digest.articles.parsed import ParsedArticle, ParsedFeed, Rejected
from digest.articles.text.dates import parse_date
from digest.errors import InputError

_TERMS = ("category", "post_tag")


def posts_url(root: str, *, page: int = 1, per_page: int = 20) -> str:
    """Return the URL of a page of posts below an API's root, which may be a ?rest_route=."""
    query = {"_embed": "1", "per_page": str(per_page)} | ({"page": str(page)} if page > 1 else {})
    join = "&" if "?" in root else "?"
    return f"{root.rstrip('/')}/wp/v2/posts{join}{urlencode(query)}"


def is_posts_url(url: str) -> bool:
    """Return whether a URL was made by posts_url."""
    return "/wp/v2/posts" in url


def read_posts(posts: Sequence[Any], *, url: str, topics: Sequence[str] = ()) -> ParsedFeed:
    """Parse a list of posts; those that are refused are in `rejected`."""
    taken: list[ParsedArticle] = []
    rejected: list[Rejected] = []
    for number, post in enumerate(posts, 1):
        try:
            taken.append(_article(post, url, topics))
        except InputError as error:
            rejected.append(Rejected(f"item {number}", str(error)))
    return ParsedFeed("", tuple(taken), tuple(rejected))


def _article(post: Any, url: str, topics: Sequence[str]) -> ParsedArticle:
    if not isinstance(post, dict) or not isinstance(post.get("link"), str):
        raise InputError("it is not a post of WordPress: it has no link")
    image, alt = _image(post)
    is_hidden = bool(_at(post, "content", "protected"))
    return build_article(
        title=_text(_at(post, "title", "rendered")),
        title_markup=Markup.HTML,
        url=post["link"],
        base_url=url,
        html="" if is_hidden else _text(_at(post, "content", "rendered")),
        summary=_text(_at(post, "excerpt", "rendered")),
        guid=_text(_at(post, "guid", "rendered")) or None,
        author=", ".join(_embedded_names(post, "author")) or None,
        image=image,
        image_alt=alt,
        topics=(*_terms(post), *topics),
        published_at=parse_date(post.get("date_gmt")),
    )


def _image(post: Any) -> tuple[str | None, str | None]:
    media = _at(post, "_embedded", "wp:featuredmedia", 0)
    address = _text(_at(media, "source_url"))
    is_image = _text(_at(media, "media_type")) in ("image", "")
    return (address, _text(_at(media, "alt_text"))) if address and is_image else (None, None)


def _terms(post: Any) -> Iterator[str]:
    groups = _at(post, "_embedded", "wp:term")
    for group in groups if isinstance(groups, list) else []:
        for term in group if isinstance(group, list) else []:
            if _at(term, "taxonomy") in _TERMS and _at(term, "slug") != "uncategorized":
                yield _text(_at(term, "name"))


def _embedded_names(post: Any, kind: str) -> Iterator[str]:
    found = _at(post, "_embedded", kind)
    names = (_text(_at(one, "name")) for one in (found if isinstance(found, list) else []))
    return filter(None, names)


def _at(value: Any, *path: str | int) -> Any:
    """Return the value at a path, or None: a site may have left out any part."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
