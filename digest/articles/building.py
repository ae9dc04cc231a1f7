"""Make one parsed article out of the parts that a feed, page or file gave."""

import re
from collections.abc import Iterable
from datetime import datetime

from digest.articles.html.cleaning import clean_html, one_line, plain_text, safe_url
from digest.articles.parsed import ParsedArticle
from digest.articles.text.identity import canonical_url, content_hash, slug, undecorated
from digest.articles.text.prose import summarise
from digest.errors import InputError

_LONGEST_URL = 2_000
_LONGEST_TITLE = 300
_LONGEST_PLACE = 120


_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8}){0,3}")


def build_article(
    *,
    title: str,
    url: str,
    html: str = "",
    summary: str = "",
    base_url: str = "",
    guid: str | None = None,
    author: str | None = None,
    image: str | None = None,
    image_alt: str | None = None,
    language: str | None = None,
    place: str | None = None,
    agency: str | None = None,
    topics: Iterable[str] = (),
    published_at: datetime | None = None,
    title_formed: bool = False,
    canonical: str | None = None,
) -> ParsedArticle:
    """Clean every part; raise InputError where there is no link or nothing to show."""
    absolute = safe_url(url, base_url)
    if absolute is None:
        raise InputError(f'the link "{one_line(url)[:100]}" is no http(s) address')
    absolute = undecorated(absolute)
    compared = canonical_url(canonical or absolute)
    if len(absolute) > _LONGEST_URL or len(compared) > _LONGEST_URL:
        raise InputError(f'the link "{absolute[:60]}..." is longer than {_LONGEST_URL} characters')
    body = clean_html(html, absolute)
    text = plain_text(body)
    shown_at = safe_url(image, absolute)
    heading = summarise(one_line(title), _LONGEST_TITLE)
    if not heading and not text:
        raise InputError("neither a title nor a text")
    return ParsedArticle(
        url=absolute,
        canonical_url=compared,
        title=heading or one_line(summarise(text, 90)),
        title_formed=title_formed or not heading,
        content_hash=content_hash(heading, text or one_line(summary)),
        guid=one_line(guid)[:500] or None if guid else None,
        summary=summarise(plain_text(clean_html(summary, absolute)) or text),
        html=body,
        text=text,
        author=one_line(author)[:200] or None if author else None,
        image_url=shown_at if shown_at and len(shown_at) <= _LONGEST_URL else None,
        image_alt=one_line(image_alt) or None if image_alt else None,
        language=_language(language or ""),
        place=one_line(place)[:_LONGEST_PLACE] or None if place else None,
        agency=one_line(agency)[:_LONGEST_PLACE] or None if agency else None,
        topics=tuple(dict.fromkeys(filter(None, (slug(topic) for topic in topics)))),
        published_at=published_at,
    )


def _language(stated: str) -> str | None:
    """Give a language's tag (RFC 5646 2.1); what has not its shape is none."""
    tag = stated.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None
