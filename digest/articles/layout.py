"""Set a fragment's blocks in what mail understands: paragraphs, three sizes of headings, lists, tables."""

import re

from lxml.html import HtmlElement

from digest.articles.trees import all_of, element, remove

_BLOCKS = (
    "div", "section", "article", "main", "header", "footer", "address", "center", "dd", "dt",
    "aside", "details",
    "summary", "hgroup", "body", "nav", "fieldset", "legend", "amp-carousel", "article-body",
)  # fmt: skip
_NAMES = {"h1": "h2", "h5": "h4", "h6": "h4", "strike": "s", "del": "s"}
_SILENT = (
    "script", "style", "template", "svg", "math", "form", "select", "option", "textarea", "input",
    "button", "canvas",
    "head", "title", "meta", "link", "base", "dialog", "datalist", "map", "noembed", "noframes",
    "xmp", "plaintext", "portal",
)  # fmt: skip
_INLINE = frozenset(
    (
        "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "dfn", "em", "font", "i", "img", "ins",
        "kbd", "label",
        "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var",
        "wbr", "br",
    )
)  # fmt: skip
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|mso-hide\s*:\s*all", re.I
)


def silence(tree: HtmlElement) -> None:
    """Take out what has no place in a message together with its text, and what a page hides."""
    for silent in all_of(tree, *_SILENT):
        if silent.getparent() is not None:
            remove(silent)
    for hidden in tree.xpath(".//*[@hidden or @style]"):
        is_hidden = hidden.get("hidden") is not None or _HIDDEN.search(hidden.get("style") or "")
        if is_hidden and hidden.getparent() is not None:
            remove(hidden)


def set_blocks(tree: HtmlElement) -> None:
    """Name blocks as mail does; loose lines and what two line breaks part become paragraphs."""
    for other in all_of(tree, *_NAMES):
        other.tag = _NAMES[str(other.tag)]
    for block in [tree, *all_of(tree, "p", *_BLOCKS)]:
        is_leaf = all(child.tag in _INLINE for child in block.iterdescendants())
        if any(map(_is_double, block)) or not is_leaf:
            _part(block)
        elif block is not tree:
            block.tag = "p"


def _part(block: HtmlElement) -> None:
    parts = _parted(block)
    block.text = None
    block[:] = [part for part in parts if part.tag != "p" or len(part) or (part.text or "").strip()]
    block.tag = "div"


def _parted(block: HtmlElement) -> list[HtmlElement]:
    parts = [element("p", block.text or "")]
    is_apart = False
    for child in list(block):
        tail = child.tail or ""
        if child.tag == "br" and (is_apart or _is_double(child)):
            if not is_apart:
                parts.append(element("p"))
            parts[-1].text = tail
            is_apart = not tail.strip()
        elif child.tag in _INLINE:
            parts[-1].append(child)
            is_apart = False
        else:
            child.tail = None
            parts.extend((child, element("p", tail)))
            is_apart = False
    return parts


def _is_double(child: HtmlElement) -> bool:
    following = child.getnext()
    return (
        child.tag == "br"
        and following is not None
        and following.tag == "br"
        and not (child.tail or "").strip()
    )
