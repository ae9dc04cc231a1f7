"""Parse an HTML fragment as a tree, and serialise it."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lxml import etree

# Not lxml.html's: looking up a class for each element takes longer than all the work on it.
Element = etree._Element

_DEEPEST = 120  # the next parsers stop at 256, and lose what is deeper
_HOLDER = re.compile(
    r"</?(?:div|span|section|font|center|b|i|em|strong|table|tbody|tr|td|ul|ol|li|blockquote)\b[^<>]*>", re.I
)
_LONG_TAG = 8_000
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME = re.compile(r"^[a-zA-Z0-9]*")
_WORDS = etree.XPath("string()", smart_strings=False)
_ANY_TAG = re.compile(r"<(?!/?(?:p|br)\b)/?[a-zA-Z][^<>]*>")


def read_tree(text: str) -> Element | None:
    """Return a fragment as one `div`; None if it has no markup that can be parsed.

    Content that is nested deeper than in any real page loses its nesting, never its text.
    """
    body = _parsed(text)
    if body is None:
        body = _parsed(_ANY_TAG.sub(" ", text))
    if body is None:
        return None
    if len(body) == 1 and body[0].tag == "div" and not (body.text or body[0].tail or "").strip():
        return body[0]
    body.tag = "div"
    return body


def untangled(text: str) -> str:
    """Return HTML without the attributes of tags that have hundreds: parsers take quadratic time for them."""
    if len(text) < _LONG_TAG:
        return text
    first, *parts = text.split("<")
    return "<".join((first, *(_bare(part) if len(part) > _LONG_TAG else part for part in parts)))


def _bare(part: str) -> str:
    tag, _, rest = _QUOTED.sub("", part).partition(">")
    if len(tag) < _LONG_TAG or not (part[0].isalpha() or part[0] in "\"'"):
        return part
    return f"{''.join(_NAME.findall(part[:20])[:1])}>{rest}"


def unnested(text: str) -> str:
    """Return a page, without its container elements if they are nested too deep."""
    return text if _parsed(text) is not None else _HOLDER.sub(" ", text)


def _parsed(text: str) -> Element | None:
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        page = etree.fromstring(f"<div>{text}</div>".encode("utf-8", "replace"), parser)
    except (etree.ParserError, ValueError):
        return None
    return None if page is None or _is_too_deep(page, parser) else page.find("body")


def _is_too_deep(page: Element, parser: etree.HTMLParser) -> bool:
    if len(list(islice(page.iter(), _DEEPEST + 1))) <= _DEEPEST:
        return False  # most pages: so few elements cannot be nested so deep
    is_cut = any("depth" in entry.message.lower() for entry in parser.error_log)
    return is_cut or _depth(page) > _DEEPEST


def _depth(page: Element) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(page, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def tags_in(tree: Element) -> frozenset[str]:
    """Return the names of all elements, so that steps for missing ones can be skipped."""
    return frozenset(str(element.tag) for element in tree.iter())


def words_of(element: Element) -> str:
    """Return all the text in an element."""
    return str(_WORDS(element))


def write_tree(tree: Element) -> str:
    """Return a tree's content as HTML."""
    written: str = etree.tostring(tree, method="html", encoding="unicode", with_tail=False)
    return written[written.index(">") + 1 : written.rindex("<")] if "</" in written else ""


def remove(element: Element) -> None:
    """Remove an element with its content; the text after it stays."""
    parent = element.getparent()
    if parent is not None:
        _add_text(parent, element.getprevious(), element.tail)
        parent.remove(element)


def unwrap(element: Element) -> None:
    """Replace an element by its content."""
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    _add_text(parent, element.getprevious(), element.text)
    if len(element):
        element[-1].tail = (element[-1].tail or "") + (element.tail or "") or None
    else:
        _add_text(parent, element.getprevious(), element.tail)
    parent[at : at + 1] = list(element)


def _add_text(parent: Element, previous: Element | None, text: str | None) -> None:
    if text and previous is None:
        parent.text = (parent.text or "") + text
    elif text and previous is not None:
        previous.tail = (previous.tail or "") + text


def matches(path: etree.XPath, tree: Element) -> list[Element]:
    """Return the elements that match a path."""
    found: Any = path(tree)
    return list(found)


def all_of(tree: Element, *tags: str) -> Iterator[Element]:
    """Return the elements with these names, without those added during the iteration."""
    if tags:
        yield from [element for element in tree.iter(*tags) if isinstance(element.tag, str)]


def replace(element: Element, by: Element) -> None:
    """Replace an element by another; the text after it stays."""
    by.tail = element.tail
    parent = element.getparent()
    if parent is not None:
        parent.replace(element, by)


def element(tag: str, text: str = "", **attributes: str) -> Element:
    """Create an element."""
    made = etree.Element(tag, attributes)
    made.text = text
    return made
