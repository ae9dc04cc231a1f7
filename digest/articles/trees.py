"""Read an HTML fragment as a tree, change it and write it back."""

import re
from collections.abc import Iterator

from lxml import etree, html

_DEEPEST = 120  # the parsers behind this one stop at 256, and what is cut there is lost
_HOLDER = re.compile(
    r"</?(?:div|span|section|font|center|b|i|em|strong|table|tbody|tr|td|ul|ol|li|blockquote)\b[^<>]*>", re.I
)
_LONG_TAG = 8_000
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME = re.compile(r"^[a-zA-Z0-9]*")
_ANY_TAG = re.compile(r"<(?!/?(?:p|br)\b)/?[a-zA-Z][^<>]*>")


def read_tree(text: str) -> html.HtmlElement | None:
    """Give a fragment as one `div`; None for what holds no markup that can be read.

    What is nested deeper than any page that people wrote loses its nesting, never its text.
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
    """Give HTML without the attributes of tags with hundreds: parsers take the square of their number."""
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
    """Give a page as it is, or without its holders where they are nested too deep for its readers."""
    return text if _parsed(text) is not None else _HOLDER.sub(" ", text)


def _parsed(text: str) -> html.HtmlElement | None:
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        page = html.document_fromstring(f"<div>{text}</div>".encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, ValueError):
        return None
    is_cut = any("depth" in entry.message.lower() for entry in parser.error_log)
    return None if is_cut or _depth(page) > _DEEPEST else page.find("body")


def _depth(page: html.HtmlElement) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(page, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def write_tree(tree: html.HtmlElement) -> str:
    """Give a tree's content as HTML."""
    written: str = html.tostring(tree, encoding="unicode", with_tail=False)
    return written[written.index(">") + 1 : written.rindex("<")] if "</" in written else ""


def remove(element: html.HtmlElement) -> None:
    """Take an element out with all it holds; the text behind it stays."""
    parent = element.getparent()
    if parent is not None:
        element.drop_tree()


def all_of(tree: html.HtmlElement, *tags: str) -> Iterator[html.HtmlElement]:
    """Give the elements of some names, those added meanwhile aside."""
    yield from [element for element in tree.iter(*tags) if isinstance(element.tag, str)]


def replace(element: html.HtmlElement, by: html.HtmlElement) -> None:
    """Put an element into the place of another; the text behind it stays."""
    by.tail = element.tail
    parent = element.getparent()
    if parent is not None:
        parent.replace(element, by)


def element(tag: str, text: str = "", **attributes: str) -> html.HtmlElement:
    """Make an element."""
    made: html.HtmlElement = html.Element(tag, attributes)
    made.text = text
    return made
