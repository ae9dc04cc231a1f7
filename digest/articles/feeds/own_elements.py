"""Reduce the items of a feed to their own elements, in vocabularies that every parser knows.

Feeds mix vocabularies: a related story has a link, an image a description, a show an author. A parser that
goes by an element's name takes these for the item's. Here they are removed, or rewritten.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from digest.articles.feeds.links import mended_link
from digest.articles.feeds.media_rss import take_media
from digest.articles.feeds.references import number_names
from digest.articles.feeds.vocabulary import (
    ATOM,
    ATOM_03,
    CONTENT,
    DC,
    DCTERMS,
    FEEDBURNER,
    KNOWN,
    MEDIA,
    RSS,
    XHTML,
    XML_BASE,
    XML_LANG,
    name_of,
)  # fmt: skip
from digest.articles.html.plain_to_html import html_of_plain
from digest.articles.text.names import named

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_TAG = re.compile(r"<[a-zA-Z/!][^<>]*>")
_ABSOLUTE = re.compile(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:|www\.)")
_PAGE = re.compile(
    r"(?:https?:/)?/\S+(?<!\.jpg)(?<!\.jpeg)(?<!\.png)(?<!\.gif)(?<!\.webp)(?<!\.mp3)(?<!\.mp4)", re.I
)
_HOST_FIRST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}/")
_HOLDERS = frozenset(
    ("title", "description", "summary", "content", "encoded", "author", "contributor", "body")
)
_FULL_TEXTS = frozenset(("full-text", "fulltext", "full_text"))
_ITEM_TEXTS = ("description", "encoded", "body", *_FULL_TEXTS)
_LINES = frozenset(("author", "creator", "guid", "category", "subject", "pubDate", "date"))
_PERSON = ("name", "email", "uri")
_ATOMS = (ATOM, ATOM_03)


def own_elements(content: bytes, content_type: str = "") -> bytes | None:
    """Return a feed, in UTF-8, whose items have only their own elements; None if it is not well-formed
    XML."""
    stated = _CHARSET.search(content_type)
    try:
        parser = etree.XMLParser(
            encoding=stated[1] if stated else None, resolve_entities=False, no_network=True,
            remove_comments=True, remove_pis=True, recover=True,
        )  # fmt: skip
        root = etree.fromstring(number_names(content), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return None
    # An undeclared prefix is the only error with which a tree can still be complete.
    if root is None or any(entry.domain != etree.ErrorDomains.NAMESPACE for entry in parser.error_log):
        return None
    feeds = [one for one in (root, *root) if name_of(one)[1] in ("channel", "feed")]
    items = [one for one in root.iter() if name_of(one)[1] in ("item", "entry")]
    if not feeds:
        return None
    authors, base = _take_channel(feeds[0]), _link_of(feeds[0])
    has_base = any(one.get(XML_BASE) is not None for one in root.iter())
    for item in items:
        if name_of(item)[0] in (*_ATOMS, *RSS):
            _reduce(item, authors, None if has_base else base)
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _take_channel(channel: Any) -> list[str]:
    """Return the author of the whole feed, and remove the elements that named it; an editor is not each
    item's author."""
    found: dict[str, list[str]] = {}
    for child in list(channel):
        space, name = name_of(child)
        is_person = (name in ("author", "creator", "owner")) and space not in _ATOMS
        if is_person:
            inner = next((part.text or "" for part in child if name_of(part)[1] == "name"), "")
            written = (inner if len(child) else child.text or "").strip()
            if written:
                found.setdefault("owner" if name == "owner" else "author", []).append(written)
        if (is_person and space not in RSS) or (space not in KNOWN and name not in ("item", "entry")):
            channel.remove(child)
    if name_of(channel)[0] in _ATOMS:
        return []
    stated = next((one.get(XML_LANG) for one in (channel, channel.getparent()) if one is not None), None)
    if stated and not any(name_of(child)[1] == "language" for child in channel):
        etree.SubElement(channel, f"{{{DC}}}language").text = stated
    return found.get("author") or found.get("owner", [])


def _link_of(channel: Any) -> str | None:
    """Return the URL of a feed's site."""
    for child in channel:
        space, name = name_of(child)
        if name == "link" and (
            space in RSS or (space in _ATOMS and child.get("rel", "alternate") == "alternate")
        ):
            address = (child.text or child.get("href") or "").strip()
            if address.startswith(("http://", "https://")):
                return address
    return None


def _reduce(item: Any, authors: list[str], base: str | None) -> None:
    is_atom = name_of(item)[0] in _ATOMS
    media = take_media(item)
    texts = _take_texts(item)
    if not is_atom:
        _flatten(item)
        _keep_own_authors(item, [media.author] if media.author else authors)
    _take_origin(item)
    _drop_boxes(item, is_atom)
    if media.title and not any(_says(child, "title") for child in item):
        _add(item, is_atom, "title", media.title)
    _keep_fullest_text(
        item, texts, is_atom, media.description if media.is_html else html_of_plain(media.description)
    )
    if not is_atom:
        _keep_first_link(item)
    if base:
        _resolve_links(item, base, is_atom)
    _state_language(item)


def _says(child: Any, name: str) -> bool:
    return name_of(child)[1] == name and (bool((child.text or "").strip()) or len(child) > 0)


def _add(item: Any, is_atom: bool, name: str, text: str, **attributes: str) -> None:
    space = name_of(item)[0]
    made = etree.SubElement(item, f"{{{space}}}{name}" if space else name, attributes if is_atom else {})
    made.text = text


def _take_texts(item: Any) -> dict[str, str]:
    """Remove texts other than an item's own description and content; return the longest of each kind."""
    texts: dict[str, str] = {}
    for child in list(item):
        space, name = name_of(child)
        kind = ""
        if name in _FULL_TEXTS or (name == "content" and "turbo.yandex" in space):
            kind = "full"
        elif space in ("itunes", "googleplay") and name in ("summary", "description", "subtitle"):
            kind = "teaser" if name == "subtitle" else "notes"
        elif (space in (DC, DCTERMS) and name in ("description", "abstract")) or (
            space not in KNOWN and name == "abstract"
        ):
            kind = "notes"
        elif space == XHTML and name in ("body", "div"):
            kind = "full"
        if kind:
            inner = etree.tostring(child, encoding="unicode", with_tail=False) if len(child) else child.text
            texts[kind] = max(texts.get(kind, ""), (inner or "").strip(), key=len)
            item.remove(child)
    return texts


def _flatten(item: Any) -> None:
    """Join the text of elements that have no markup in RSS, whatever tags a program wrote into them."""
    for child in item:
        space, name = name_of(child)
        is_person = any(name_of(part)[1] in _PERSON for part in child)
        if len(child) and name in _LINES and (space in RSS or space == DC) and not is_person:
            text = _inner(child)
            child[:] = []
            child.text = " ".join(text.split())


def _take_origin(item: Any) -> None:
    """Rename the original link of Pheedo, whose own links lead through a counter, to FeedBurner's."""
    for child in item:
        space, name = name_of(child)
        if name == "origLink" and "pheedo" in space.lower():
            child.tag = f"{{{FEEDBURNER}}}origLink"


def _drop_boxes(item: Any, is_atom: bool) -> None:
    """Drop foreign elements, and elements that contain ones that are not the item's."""
    for child in list(item):
        space, name = name_of(child)
        is_keyword = space == "itunes" and name == "keywords"
        is_foreign = space not in KNOWN and not is_keyword
        is_box = len(child) > 0 and not (name in _HOLDERS or space == MEDIA)
        is_source = name == "source" and (space in RSS or space in _ATOMS)
        if is_foreign or is_box or is_source or (space in RSS and is_atom):
            item.remove(child)


def _keep_fullest_text(item: Any, texts: dict[str, str], is_atom: bool, described: str) -> None:
    """Replace an item's text by the most complete of those that its source declares as the item's."""
    own = [
        child
        for child in item
        if name_of(child)[1] in (*_ITEM_TEXTS, "summary", "content") and _is_text(child)
    ]
    longest = max((_length(_inner(child)) for child in own), default=0)
    best = max((texts.get("full", ""), texts.get("notes", "")), key=_length)
    best = best or ("" if own else described or texts.get("teaser", ""))
    if _length(best) <= longest:
        return
    html = best if _TAG.search(best) else html_of_plain(best)
    if is_atom:
        _add(item, True, "summary" if not own else "content", html, type="html")
    elif own and not any(name_of(child)[1] == "encoded" for child in own):
        etree.SubElement(item, f"{{{CONTENT}}}encoded").text = html
    else:
        for child in own:
            item.remove(child)
        _add(item, False, "description", html)


def _is_text(child: Any) -> bool:
    return name_of(child)[0] != MEDIA and (bool((child.text or "").strip()) or len(child) > 0)


def _inner(child: Any) -> str:
    return "".join(child.itertext())


def _length(text: str) -> int:
    return len(" ".join(_TAG.sub(" ", text).split()))


def _keep_own_authors(item: Any, authors: list[str]) -> None:
    """Keep an item's own authors; a show's or a feed's author counts for an item without one."""
    people = [child for child in item if name_of(child)[1] in ("author", "creator")]
    stated = [child for child in people if (child.text or "").strip() or len(child)]
    own = [child for child in stated if name_of(child)[0] in KNOWN]
    if not own:
        shows = [
            (child.text or "").strip() for child in stated if name_of(child)[0] in ("itunes", "googleplay")
        ]
        for author in shows[:1] or authors:
            etree.SubElement(item, f"{{{DC}}}creator").text = author
    if len(own) > 1:
        for child in own:
            if "@" in (child.text or ""):  # feedparser cuts one of several wrongly
                child.text = named(child.text)
    for child in people:
        if child not in own:
            item.remove(child)


def _keep_first_link(item: Any) -> None:
    """Keep the first of several links; without one, an element called `url` is it, and a guid that is no
    address is none."""
    own = [child for child in item if name_of(child)[0] in RSS]
    links = [child for child in own if name_of(child)[1] == "link"]
    stated = [link for link in links if (link.text or link.get("href") or "").strip()]
    if not stated:
        links = stated = [child for child in own if name_of(child)[1] == "url" and _is_page(child.text)][:1]
        for link in stated:
            link.tag = "link"
    for link in links:
        if stated and link is not stated[0]:
            item.remove(link)
        elif link.text:
            link.text = mended_link(link.text)
    if not stated:
        for guid in (child for child in item if name_of(child)[1] == "guid"):
            if not (guid.text or "").strip().startswith(("http://", "https://", "/")):
                guid.set("isPermaLink", "false")


def _is_page(address: str | None) -> bool:
    return _PAGE.fullmatch((address or "").strip()) is not None


def _resolve_links(item: Any, base: str, is_atom: bool) -> None:
    """Resolve links against the site: a feed is often served by another host.

    Atom defines the base (RFC 4287 2), so there only rooted links (`/a`) are taken as the site's.
    """
    for child in item:
        space, name = name_of(child)
        if name != "link":
            continue
        if is_atom or space in _ATOMS:
            href = child.get("href") or ""
            if href.startswith("/") and not href.startswith("//"):
                child.set("href", _joined(base, href))
        elif (
            (text := (child.text or "").strip()) and not _ABSOLUTE.match(text) and not _HOST_FIRST.match(text)
        ):
            child.text = _joined(base, text)


def _joined(base: str, reference: str) -> str:
    try:
        urlsplit(base)
        return urljoin(base, reference)
    except ValueError:
        return reference


def _state_language(item: Any) -> None:
    """Move an item's language (xml:lang of its text, its own, or of its title) to where feedparser looks
    for it."""
    if any(name_of(child) == (DC, "language") for child in item):
        return
    if language := next(filter(None, _languages(item)), None):
        etree.SubElement(item, f"{{{DC}}}language").text = language


def _languages(item: Any) -> Iterator[str | None]:
    for names in (("content", "encoded", "summary", "description"), (), ("title",)):
        holders = [child for child in item if name_of(child)[1] in names] if names else [item]
        yield from (holder.get(XML_LANG) for holder in holders)
