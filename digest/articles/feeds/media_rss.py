"""Separate an item's images and videos, with their descriptions, from the item's own text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from digest.articles.feeds.vocabulary import MEDIA, RSS, name_of
from digest.articles.html.images import best_of

_KEPT = frozenset(("content", "thumbnail", "group", "category", "keywords"))
# The item's own picture in vocabularies of blog programs and podcasts.
_PICTURES = frozenset((
    "featuredImage", "featured_image", "featuredimage", "post-thumbnail", "imageUrl", "image_url", "images",
    "cover", "enclosureImage",
))  # fmt: skip
_LONGEST_WORDS = 2_000
_ADDRESS = re.compile(r"https?://\S{4,2000}")


@dataclass(slots=True)
class MediaWords:
    """The titles and descriptions of an item's media; HTML only if the feed says so.

    `author` is who is credited with the item itself, not with a picture of it.
    """

    title: str = ""
    description: str = ""
    author: str = ""
    is_html: bool = False


def take_media(item: Any) -> MediaWords:
    """Collect an item's images, each with its description as `alt`; return the texts of the whole group.

    Only Media RSS elements directly in the item, in a group or in another image are its own.
    """
    words = MediaWords()
    for element in list(_media(item)):
        _, name = name_of(element)
        text = (element.text or "").strip()
        if name == "description" and text:
            holder = element.getparent()
            if _is_picture(holder):
                holder.set("alt", text[:_LONGEST_WORDS])
            elif not words.description:
                words.description, words.is_html = text, element.get("type") == "html"
        elif name == "title" and text and not words.title:
            words.title = text
        elif _is_author(element) and element.getparent() is item and not words.author:
            words.author = text
        if name in ("content", "thumbnail") and element.get("url") is None and _ADDRESS.fullmatch(text):
            element.set("url", text)
            element.text = None
        if name not in _KEPT:
            _remove(element)
        else:
            element.tag = f"{{{MEDIA}}}{name}"
    _take_other_pictures(item)
    return words


def _is_author(element: Any) -> bool:
    """Return whether a credit names an author; most name photographers and agencies."""
    return name_of(element)[1] == "credit" and (element.get("role") or "").strip().lower() == "author"


def _media(item: Any) -> Iterator[Any]:
    for child in item:
        if name_of(child)[0] == MEDIA:
            yield child
            yield from (inner for inner in child.iterdescendants() if isinstance(inner.tag, str))


def _is_picture(holder: Any) -> bool:
    kind = f"{holder.get('medium', '')} {holder.get('type', '')}"
    return name_of(holder)[1] == "content" and "video" not in kind and "audio" not in kind


def _take_other_pictures(item: Any) -> None:
    """Rewrite images of other vocabularies (itunes:image, an `image` in the item) as Media RSS."""
    for child in list(item):
        space, name = name_of(child)
        is_shared = name in ("image", "thumbnail", "thumb") and (space == "itunes" or space in RSS)
        if not is_shared and name not in _PICTURES:
            continue
        inner = [part.text or "" for part in child if name_of(part)[1] == "url"]
        stated = next(filter(None, (child.get(one) for one in ("href", "url", "src", "image"))), None)
        address = stated or best_of(child.get("srcset") or "") or (inner or [child.text or ""])[0]
        if address.strip().startswith(("http://", "https://", "/")):
            etree.SubElement(item, f"{{{MEDIA}}}thumbnail", url=address.strip())
        _remove(child)


def _remove(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
