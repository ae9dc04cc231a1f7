"""Reduce a fragment's blocks to what mail clients support: paragraphs, three sizes of headings, lists,
tables."""

import re
from collections.abc import Iterable, Iterator

from lxml.etree import XPath

from digest.articles.html.trees import Element, all_of, element, matches, remove, replace, unwrap, words_of

_BLOCKS = (
    "div", "section", "article", "main", "header", "footer", "address", "center", "dd", "dt",
    "aside", "details",
    "summary", "hgroup", "body", "nav", "fieldset", "legend", "amp-carousel", "article-body",
)  # fmt: skip
_SET = frozenset(("p", *_BLOCKS))
_NAMES = {"h1": "h2", "h5": "h4", "h6": "h4", "strike": "s", "del": "s"}
_SILENT = (
    "script", "style", "template", "svg", "form", "select", "option", "textarea", "input",
    "button", "canvas",
    "head", "title", "meta", "link", "base", "dialog", "datalist", "map", "noembed", "noframes",
    "xmp", "plaintext", "portal",
)  # fmt: skip
_INLINE = frozenset(
    (
        "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "dfn", "em", "font", "i", "img", "ins",
        "kbd", "label",
        "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var",
        "wbr", "br", "ruby", "rb", "rt", "rp", "rtc", "acronym", "nobr", "data", "output",
        "g-emoji", "gl-emoji", "tg-emoji",
    )
)  # fmt: skip
_LIST_STYLE = re.compile(r"list-style(?:-type)?\s*:[^;]*?\b((?:lower|upper)-(?:alpha|latin|roman))\b", re.I)
_LABELS = {
    "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A",
    "lower-roman": "i", "upper-roman": "I",
}  # fmt: skip
_PROTECTED = XPath(".//*[@data-cfemail] | .//a[contains(@href, '/cdn-cgi/l/email-protection')]")
_MAIL = re.compile(r"[^\s@<>\"?&]+@[^\s@<>\"?&]+(?:\?[^\s<>\"]*)?")
_CLASS = "concat(' ', normalize-space(@class), ' ')"
_NUMBER_CLASSES = (
    "gutter", "rouge-gutter", "linenos", "lineno", "linenodiv", "line-number", "line-numbers", "lnt", "ln",
    "hljs-ln-numbers", "blob-num", "crayon-nums", "line-numbers-rows",
)  # fmt: skip
# Only those in code or in its table: elsewhere "gutter" is a layout.
_NUMBERS = XPath(
    " | ".join(
        f"{where}[contains({_CLASS}, ' {name} ')]"
        for name in _NUMBER_CLASSES
        for where in (".//td[../td//pre or .//pre]", ".//pre//*")
    )
)
_MAYBE_HIDDEN = XPath(".//*[@hidden or @style]")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|mso-hide\s*:\s*all", re.I
)


def write_signs(tree: Element, tags: frozenset[str]) -> None:
    """Write what a browser draws: quotation marks, boxes of tasks, terms that are defined."""
    for box in all_of(tree, *tags.intersection(("input",))):
        if (box.get("type") or "").lower() == "checkbox" and _is_in_item(box):
            box.tail = ("☐" if box.get("checked") is None else "☑") + (box.tail or "")
            remove(box)
    for quotation in all_of(tree, *tags.intersection(("q",))):
        inner = any(holder.tag == "q" for holder in quotation.iterancestors())
        before, after = "‘’" if inner else "“”"
        quotation.text = before + (quotation.text or "")
        quotation.tail = after + (quotation.tail or "")
    for caption in all_of(tree, *tags.intersection(("caption",))):
        _raise_caption(caption)
    for term in all_of(tree, *tags.intersection(("dt",))):
        if all(part.tag in _INLINE for part in term.iter() if part is not term) and words_of(term).strip():
            bold = element("strong", term.text or "")
            bold.extend(list(term))
            term.text, term[:] = None, [bold]


def reveal_addresses(tree: Element) -> None:
    """Write the mail addresses that Cloudflare hides in pages, which a script would show."""
    for holder in matches(_PROTECTED, tree):
        hidden = holder.get("data-cfemail") or (holder.get("href") or "").partition("#")[2]
        address = _revealed(hidden)
        if address is None:
            unwrap(holder)
            continue
        if holder.tag == "a":
            holder.set("href", f"mailto:{address}")
        if holder.get("data-cfemail"):
            holder[:] = []
            holder.text = address.partition("?")[0]


def _revealed(hidden: str) -> str | None:
    """Return an address that is written as hexadecimal bytes, each combined with the first one."""
    try:
        key, *rest = bytes.fromhex(hidden)
        address = bytes(byte ^ key for byte in rest).decode()
    except ValueError:
        return None
    return address if _MAIL.fullmatch(address) else None


def set_code(tree: Element, tags: frozenset[str]) -> None:
    """Remove the numbers that a highlighter writes beside the lines of code, and the table that held both."""
    if "pre" not in tags:
        return
    for number in matches(_NUMBERS, tree):
        if number.getparent() is not None:
            remove(number)
    for table in all_of(tree, *tags.intersection(("table",))):
        said = words_of(table).strip()
        for code in table.iter("pre"):
            if said and words_of(code).strip() == said:
                replace(table, code)
                break


def set_lists(tree: Element, tags: frozenset[str]) -> None:
    """State a list's numbers as attributes, and move a list inside a list into the item above it."""
    for inner in all_of(tree, *tags.intersection(("ul", "ol"))):
        above = inner.getparent()
        item = inner.getprevious()
        if above is not None and above.tag in ("ul", "ol") and item is not None and item.tag == "li":
            if (inner.tail or "").strip():
                continue
            inner.tail = None
            item.append(inner)
    for ordered in all_of(tree, *tags.intersection(("ol",))):
        style = _LIST_STYLE.search(ordered.get("style") or "")
        if style and ordered.get("type") is None and (label := _LABELS.get(style[1].lower())):
            ordered.set("type", label)
        if ordered.get("reversed") is not None and not ordered.get("start"):
            ordered.set("start", str(len(ordered.findall("li"))))


def set_ruby(tree: Element, tags: frozenset[str]) -> None:
    """Enclose the reading of letters in brackets, as a browser without ruby does: 漢字(かんじ)."""
    for reading in all_of(tree, *tags.intersection(("rt",))):
        before = reading.getprevious()
        if (before is None or before.tag != "rp") and words_of(reading).strip():
            inner = element("span", reading.text or "")
            inner.extend(list(reading))
            reading.text, reading[:] = "(", [inner]
            inner.tail = ")"


def _raise_caption(caption: Element) -> None:
    """Make a table's caption the paragraph above it: mail clients draw it in many places, or not at all."""
    table = next((holder for holder in caption.iterancestors() if holder.tag == "table"), None)
    caption.tail = None
    if table is not None and table.getparent() is not None and words_of(caption).strip():
        bold = element("strong", caption.text or "")
        bold.extend(list(caption))
        paragraph = element("p")
        paragraph.append(bold)
        table.addprevious(paragraph)
    remove(caption)


def _is_in_item(box: Element) -> bool:
    """Return whether a box is of a list of tasks, not of a form."""
    holders = [str(holder.tag) for holder in box.iterancestors()]
    return "li" in holders and "form" not in holders


def silence(tree: Element, tags: frozenset[str]) -> None:
    """Remove elements that have no place in a message with their text, and what the page hides."""
    for silent in all_of(tree, *tags.intersection(_SILENT)):
        if silent.getparent() is not None:
            remove(silent)
    for hidden in matches(_MAYBE_HIDDEN, tree):
        is_hidden = hidden.get("hidden") is not None or _HIDDEN.search(hidden.get("style") or "")
        if is_hidden and hidden.getparent() is not None:
            remove(hidden)


def set_blocks(tree: Element, tags: frozenset[str]) -> None:
    """Rename blocks; loose lines and text between two line breaks become paragraphs."""
    for other in all_of(tree, *tags.intersection(_NAMES)):
        other.tag = _NAMES[str(other.tag)]
    may_double = "br" in tags
    elements = list(tree.iter())
    holders = _holders(elements)
    for block in [tree, *(one for one in elements if one.tag in _SET and one is not tree)]:
        if block in holders or (may_double and any(map(_is_double, block))):
            _part(block)
        elif block is not tree:
            block.tag = "p"


def _holders(elements: Iterable[Element]) -> set[Element]:
    """Return the elements that contain a block, so that they are no paragraphs themselves."""
    holders: set[Element] = set()
    for block in elements:
        if block.tag not in _INLINE:
            holder = block.getparent()
            while holder is not None and holder not in holders:
                holders.add(holder)
                holder = holder.getparent()
    return holders


def _part(block: Element) -> None:
    parts = [part for part in _parted(block) if part.tag != "p" or len(part) or (part.text or "").strip()]
    block.text = None
    block[:] = parts
    block.tag = "div"


def _parted(block: Element) -> Iterator[Element]:
    """Return the parts of a block; `loose` is the text that begins the paragraph that may follow."""
    loose, paragraph, is_apart = block.text or "", None, False
    for child in list(block):
        tail = child.tail or ""
        if child.tag not in _INLINE:
            yield from _ended(paragraph, loose)
            child.tail = None
            yield child
            loose, paragraph, is_apart = tail, None, False
        elif child.tag == "br" and (is_apart or _is_double(child)):
            if not is_apart:
                yield from _ended(paragraph, loose)
            loose, paragraph, is_apart = tail, None, not tail.strip()
        else:
            if paragraph is None:
                paragraph = element("p", loose)
            paragraph.append(child)
            is_apart = False
    yield from _ended(paragraph, loose)


def _ended(paragraph: Element | None, loose: str) -> Iterator[Element]:
    if paragraph is not None:
        yield paragraph
    elif loose.strip():
        yield element("p", loose)


def _is_double(child: Element) -> bool:
    if child.tag != "br" or (child.tail or "").strip():
        return False
    following = child.getnext()
    return following is not None and following.tag == "br"
