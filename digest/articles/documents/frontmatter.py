"""Read what the header of a document says, with the keys of many generators."""

# ruff: noqa: E501 - names that generators chose stand in one line

import re
from datetime import date, datetime, timedelta
from typing import Any

from digest.articles.documents.permalinks import expanded
from digest.articles.text.dates import parse_date, parse_feed_date
from digest.errors import InputError, NotPublished

Front = dict[str, Any]

_AGO = re.compile(r"(?=\d)(?:(\d{1,4})d)?\s*(?:(\d{1,4})h)?")
_NAMED = re.compile(
    r"(?:^|/)(\d{4})[-_](\d{1,2})[-_](\d{1,2})(?:T(\d\d:\d\d(?::\d\d)?)Z?)?[-_ ][^/]+(?:/_?index\.\w+)?$"
)
_DATE_REMEDY = "write 2026-11-23 or 2026-11-23T07:00"
_PUBLISHED = (
    "published",
    "date",
    "pubdate",
    "publishdate",
    "publish_date",
    "published_at",
    "publisheddate",
    "published_date",
    "datepublished",
    "created",
)
_EXPIRES = ("expirydate", "expiry_date", "expires", "unpublishdate", "expire")
_SUMMARY = (
    "summary",
    "description",
    "excerpt",
    "custom_excerpt",
    "abstract",
    "lead",
    "standfirst",
    "subtitle",
    "dek",
    "teaser",
)
_IMAGE = ("image", "cover", "featured_image", "featuredimage", "cover_image", "coverimage", "hero", "heroimage", "hero_image", "thumbnail",
          "banner", "images", "header", "feature", "og_image", "ogimage", "feature_image", "photo")  # fmt: skip
_TOPICS = ("topics", "tags", "tag", "categories", "category", "keywords", "section")
_URL = (
    "url",
    "canonical_url",
    "canonical",
    "canonicalurl",
    "link",
    "permalink",
    "external_url",
    "original_url",
    "path",
)
_AUTHOR = ("author", "authors", "by", "byline", "creator")
KNOWN_KEYS = frozenset((
    *_PUBLISHED, *_SUMMARY, *_TOPICS, *_URL, *_AUTHOR, "title", "slug", "status", "draft", "layout", "template",
    "language", "lang", "locale", "modified", "updated", "base_header_level", "css", "copyright", "affiliation",
))  # fmt: skip
_SOURCES = ("url", "src", "image", "path", "relative_path", "teaser", "og_image", "href", "file")


def check_published(front: Front, name: str, now: datetime | None) -> None:
    """Raise NotPublished for a draft and, given `now`, for what has expired or waits for its
    `publishDate`."""
    if _is_true(front.get("draft")) or _is_false(front.get("published")):
        raise NotPublished(f"{name}: it is a draft; take out draft or published: false to publish it")
    if str(front.get("status", "")).lower() in ("draft", "private", "pending"):
        raise NotPublished(f"{name}: its status is {_word(front['status'])[:20]}; take it out to publish it")
    if now is None:
        return
    expires = next((read for key in _EXPIRES if (read := parse_date(front.get(key)))), None)
    if expires and expires <= now:
        raise NotPublished(f"{name}: it expired on {expires:%Y-%m-%d}; take out its expiry date to show it")
    waits = parse_date(front.get("publishdate") or front.get("publish_date"))
    if waits and waits > now:
        raise NotPublished(f"{name}: it is published from {waits:%Y-%m-%d %H:%M} UTC on")


def published_at(front: Front, name: str, now: datetime | None) -> datetime | None:
    """Return the published time: from a key of any generator, else from a Jekyll file's name."""
    ago = front.get("published_ago")
    if now is not None and ago is not None:
        return now - _age(words(ago), name)
    value = next((front[key] for key in _PUBLISHED if not isinstance(front.get(key), bool | None)), None)
    if value is None:
        named = _NAMED.search(name)
        return parse_feed_date(f"{'-'.join(named.groups()[:3])} {named[4] or ''}") if named else None
    read = parse_date(value) or (parse_feed_date(value) if isinstance(value, str) else None)
    if read is None:
        raise InputError(f'{name}: published "{words(value)[:40]}" is not a date; {_DATE_REMEDY}')
    return read


def link(front: Front, name: str, title: str, moment: datetime | None) -> str:
    """Return the article's own URL if the front matter has one, as it is or as a generator's pattern."""
    named = [words(front.get(key)) for key in _URL]
    whole = next((one for one in named if one.startswith(("http://", "https://"))), "")
    categories = [topic for key in ("categories", "category") for topic in _list(front.get(key))]
    patterns = (
        expanded(
            one, name=name, title=title, own=words(front.get("slug")), categories=categories,
            published_at=moment,
        )
        for one in named if one
    )  # fmt: skip
    return whole or next(filter(None, patterns), "")


def author(front: Front) -> str:
    """Return the authors' names, written as a text, a list, a mapping, or a list of mappings."""
    return next(
        (found for key in _AUTHOR if (found := _names(front.get(key)))),
        "",
    )


def summary(front: Front) -> str:
    """Return the summary, whatever its key."""
    return next((found for key in _SUMMARY if (found := words(front.get(key)))), "")


def image(front: Front) -> tuple[str | None, str | None]:
    """Return the image's URL and alternative text, nested as themes do it."""
    alt = words(front.get("image_alt") or front.get("imagealt") or front.get("cover_alt") or front.get("alt"))
    for key in _IMAGE:
        value = front.get(key)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, dict):
            inner = {str(name).lower(): item for name, item in value.items()}
            source = next((found for name in _SOURCES if (found := words(inner.get(name)))), "")
            if source:
                return source, words(inner.get("alt") or inner.get("caption")) or alt or None
        elif source := words(value):
            return source, alt or None
    return None, alt or None


def topics(front: Front) -> list[str]:
    """Return the topics, whatever their key."""
    found = [topic for key in _TOPICS for topic in _list(front.get(key))]
    return list(dict.fromkeys(topic.strip() for topic in found if topic.strip()))


def words(value: object) -> str:
    """Return a scalar, or a list of them, as text; anything else is none."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_word(item) for item in value)))
    return _word(value)


def _is_true(value: object) -> bool:
    return value is True or str(value).strip().lower() in ("true", "yes", "on")


def _is_false(value: object) -> bool:
    return value is False or str(value).strip().lower() in ("false", "no", "off")


def _age(text: str, name: str) -> timedelta:
    match = _AGO.fullmatch(text.strip())
    if match is None:
        raise InputError(f'{name}: published_ago "{text[:40]}" is not an age; write "3d 4h"')
    return timedelta(days=int(match[1] or 0), hours=int(match[2] or 0))


def _names(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, (_names(item) for item in value)))
    if isinstance(value, dict):
        return words(value.get("name") or value.get("title"))
    return _word(value)


def _word(value: object) -> str:
    return (
        str(value).strip()
        if isinstance(value, str | int | float | date) and not isinstance(value, bool)
        else ""
    )


def _list(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, dict):
        return [str(key) for key, chosen in value.items() if chosen]
    return [_names(item) for item in value] if isinstance(value, list) else []
