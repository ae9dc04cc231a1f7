"""Find who wrote a page, and when, in the words that it shows around its headline."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from lxml import html

from digest.articles.html.trees import all_of, read_tree, remove, words_of, write_tree
from digest.articles.plaintext.byline import read_author, read_byline

_OUTSIDE = re.compile(r"comment|related|sidebar|recommend|teaser|footer|widget|popular", re.I)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_UNREAD = frozenset(("script", "style", "noscript", "template", "svg", "head"))
_PERSON = re.compile(
    r"[^\W\d_a-z][\w.'’-]*(?: (?:de|da|van|von|der|di|du|le|la|bin|al|[^\W\d_a-z][\w.'’-]*)){1,3}"
)
_AND = re.compile(r",? (?:and|und|et|&) ")
_BY = frozenset(("by", "von", "par", "por", "door", "av", "af"))
_PROSE = 30
_MOST_ELEMENTS = 400
_MOST_WITHIN = 40
_HIGHEST = 3


class Credit(NamedTuple):
    """The author and the time that a page shows beside its headline."""

    author: str | None = None
    published_at: datetime | None = None


NO_CREDIT = Credit()


def is_outside(element: html.HtmlElement) -> bool:
    """Return whether an element is part of comments, teasers or the edges of the page."""
    return any(
        holder.tag in ("aside", "nav", "footer")
        or _OUTSIDE.search(f"{holder.get('class') or ''} {holder.get('id') or ''}")
        for holder in element.iterancestors()
        if holder.tag not in ("html", "body")
    )


def read_credit(page: html.HtmlElement) -> Credit:
    """Read a byline between the headline and the first paragraph of prose, else the story's `address`."""
    author: str | None = None
    published_at: datetime | None = None
    for line in _lines_below_headline(page):
        if (found := read_byline(line)) is not None:
            author, published_at = author or found[0], published_at or found[1]
    named = author or _of_address(page)
    return Credit(_AND.sub(", ", named) if named else None, published_at)


def without_credit(fragment: str, author: str | None) -> str:
    """Remove the bylines above a text, and the author's name below it."""
    tree = read_tree(fragment)
    if tree is None:
        return fragment
    if _is_credit(" ".join((tree.text or "").split()), author):
        tree.text = None
    for above in islice(tree, _HIGHEST):
        if _is_credit(" ".join((above.tail or "").split()), author):
            above.tail = None
    blocks = [one for one in all_of(tree, "p", "h2", "h3", "h4", "li") if words_of(one).strip()]
    for block in blocks[:_HIGHEST]:
        line = _line(block)
        if str(block.tag) in _HEADINGS and not read_byline(line):
            continue
        if not _is_credit(line, author) or _has_picture(block):
            break
        remove(block)
    last = blocks[-1] if len(blocks) > 2 else None
    if last is not None and last.getparent() is not None and not _has_picture(last):
        named = read_author(_line(last).rstrip("."))
        if named and author and named.casefold() in author.casefold():
            remove(last)
    return write_tree(tree)


def _is_credit(line: str, author: str | None) -> bool:
    bare = line.strip(" .:")
    if not bare:
        return False
    return (
        read_byline(line) is not None
        or bare.casefold() in _BY
        or (author is not None and bare.casefold() == author.casefold())
    )


def _has_picture(block: html.HtmlElement) -> bool:
    return next(block.iter("img"), None) is not None


def _lines_below_headline(page: html.HtmlElement) -> Iterator[str]:
    """Yield the bylines from the headline to the first paragraph of prose."""
    headline = next((one for one in page.iter("h1") if not is_outside(one)), None)
    if headline is None:
        headline = next((one for one in page.iter("h2") if not is_outside(one)), None)
    if headline is None:
        return
    within: html.HtmlElement | None = None
    for element in headline.xpath(f"following::*[position() <= {_MOST_ELEMENTS}]"):
        if not isinstance(element.tag, str) or element.tag in _UNREAD:
            continue
        if within is not None and within in element.iterancestors():
            continue
        if next(islice(element.iter(), _MOST_WITHIN, None), None) is not None:
            continue
        words = words_of(element).split()
        if element.tag in _HEADINGS and words:
            within = element
        elif element.tag in ("p", "blockquote") and len(words) >= _PROSE:
            return
        elif words and read_byline(line := " ".join(words)) is not None and not is_outside(element):
            within = element
            yield line


def _of_address(page: html.HtmlElement) -> str | None:
    return next(filter(None, map(person_of_address, page.iter("address"))), None)


def person_of_address(address: html.HtmlElement) -> str | None:
    """Return the author in an `address` element, which is for contact with a story's author (HTML 4.3.10)."""
    if is_outside(address):
        return None
    first = _line(address, until_break=True).strip(" .,:")
    if named := read_author(first):
        return named
    is_of_story = any(holder.tag in ("article", "main") for holder in address.iterancestors())
    is_person = is_of_story and _PERSON.fullmatch(first) and not re.search(r"\d", words_of(address))
    return first if is_person else None


def _line(element: html.HtmlElement, *, until_break: bool = False) -> str:
    if not until_break:
        return " ".join(words_of(element).split())
    parts = [element.text or ""]
    for child in element:
        if child.tag == "br":
            break
        parts.extend((words_of(child), child.tail or ""))
    return " ".join("".join(parts).split())
