"""Convert cleaned HTML to plain text: paragraphs, numbered lists, verbatim code, data tables."""

import html as html_module
import re
from dataclasses import dataclass, field

from digest.articles.html.trees import Element, read_tree, words_of
from digest.rules.text_notation import item_label, lowered, raised, stated_number
from digest.rules.text_tables import Cell, table_lines

_INLINE = re.compile(r"</?(?:a|b|code|em|i|s|strong|sub|sup|u)(?:\s[^>]*)?>")
_TOKEN = re.compile(rf"((?:[^<]++|{_INLINE.pattern})++)|<(/?)([a-z0-9]+)(?:\s[^>]*)?>|<")
_TAG = re.compile(r"<[^>]*>")
_RAISED = re.compile(r"<(sup|sub)>((?:[^<]|<(?!/?(?:sup|sub)>))*)</\1>")
_LEAVES = frozenset(("p", "h2", "h3", "h4"))
_MARGINS = {"p": 1, "h2": 1, "h3": 1, "h4": 1, "figure": 1, "figcaption": 0, "blockquote": 0}
_BLOCKS = frozenset((*_MARGINS, "div", "hr", "li", "tr", "td", "th"))
_TAB = 4


def text_of(fragment: str) -> str:
    """Return a cleaned fragment's text: blocks are a blank line apart where a browser has a margin."""
    if "<su" in fragment:
        fragment = _RAISED.sub(_raise, fragment)
    text = lines_of(fragment)
    return layout_of(fragment) if text is None else text


def lines_of(fragment: str) -> str | None:
    """Return the text of a fragment that has only paragraphs, quickly; None if it needs a layout.

    That is for lists, tables, preformatted text, and blocks inside inline text. A property test compares it
    with `layout_of`.
    """
    page = _Paragraphs()
    for text, closing, tag in _TOKEN.findall(fragment):
        if text:
            page.say(text)
        elif tag == "br":
            page.end_line()
        elif tag in _MARGINS:
            if not (page.close(tag) if closing else page.open(tag)):
                return None
        elif tag != "img":
            return None
    page.flush()
    return "\n".join(page.lines).strip()


def layout_of(fragment: str) -> str:
    """Return the text of any cleaned fragment, from its tree."""
    tree = read_tree(fragment)
    if tree is None:
        return ""
    page = _Layout()
    page.take_inside(tree, 0)
    page.flush()
    return "\n".join(page.lines).strip("\n")


def _raise(match: re.Match[str]) -> str:
    before = html_module.unescape(_TAG.sub("", match.string[max(0, match.start() - 300) : match.start()]))[
        -1:
    ]
    inner = html_module.unescape(_TAG.sub("", match[2]))
    return html_module.escape((raised if match[1] == "sup" else lowered)(inner, before), quote=False)


@dataclass(slots=True)
class _Lines:
    """The lines so far, the words of the open line, and the blank lines due before the next."""

    lines: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    indent: str = ""
    marker: str = ""
    blank: int = len(_MARGINS)  # none at the beginning

    def flush(self) -> bool:
        if not self.words:
            return False
        line = " ".join("".join(self.words).split())
        self.words.clear()
        if line:
            self.put(line)
        return bool(line)

    def put(self, line: str) -> None:
        """Append a line unchanged, after the pending list marker or the indentation."""
        self.lines.append((self.marker or self.indent) + line)
        self.marker, self.blank = "", 0

    def end_line(self) -> None:
        if not self.flush() and self.lines[-2:] != ["", ""]:
            self.lines.append("")

    def part(self, margin: int) -> None:
        if margin > self.blank:
            self.lines.append("")
            self.blank = margin


@dataclass(slots=True)
class _Paragraphs(_Lines):
    """Reads tags one by one, as long as they are paragraphs."""

    inside: int = 0
    blocks: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        if "<" in text:
            self.inside += text.count("<") - 2 * text.count("</")
            text = _INLINE.sub("", text)
        self.words.append(html_module.unescape(text))

    def open(self, tag: str) -> bool:
        around = self.blocks[-1] if self.blocks else ""
        if around in _LEAVES or self.inside:
            return False
        self.flush()
        self.part(max(_MARGINS[tag], _MARGINS.get(around, 0)))
        self.blocks.append(tag)
        return True

    def close(self, tag: str) -> bool:
        if self.inside or not self.blocks or self.blocks.pop() != tag:
            return False
        self.flush()
        self.part(_MARGINS[tag])
        return True


@dataclass(slots=True)
class _Layout(_Lines):
    """Walks a tree; `depth` is the number of lists around the current element."""

    depth: int = 0

    def take_inside(self, element: Element, around: int) -> None:
        """Lay out the content of an element; `around` is the margin of its block."""
        self.words.append(element.text or "")
        for child in element:
            self._take(child, around)
            self.words.append(child.tail or "")

    def _take(self, element: Element, around: int) -> None:
        tag = str(element.tag)
        if tag == "br":
            self.end_line()
        elif tag == "pre":
            self._take_pre(element)
        elif tag in ("ul", "ol"):
            self._take_list(element)
        elif tag == "table":
            self._take_table(element)
        elif tag in _BLOCKS:
            margin = 0 if self.marker else _MARGINS.get(tag, 0)
            self.flush()
            self.part(max(margin, 0 if self.marker else around))
            self.take_inside(element, margin)
            self.flush()
            self.part(margin)
        else:
            self.take_inside(element, around)

    def _take_pre(self, element: Element) -> None:
        """Keep the lines of preformatted text with their indentation."""
        for line_break in element.iter("br"):
            line_break.text = "\n"
        self.flush()
        self.part(1)
        for line in words_of(element).strip("\n").expandtabs(_TAB).split("\n"):
            self.put(line.rstrip())
        self.part(1)

    def _take_list(self, element: Element) -> None:
        self.flush()
        if not self.depth:
            self.part(1)
        self.depth += 1
        indent, number = self.indent, _start(element)
        for item in element:
            if item.tag != "li":
                self._take(item, 0)
                continue
            number = stated_number(item.get("value"), number)
            is_ordered = element.tag == "ol"
            marker = f"{item_label(number, element.get('type'))}. " if is_ordered else "* "
            self.marker, self.indent = indent + marker, indent + " " * len(marker)
            self.take_inside(item, 0)
            self.flush()
            while self.lines and not self.lines[-1]:
                self.lines.pop()  # the margin of an item's last paragraph
            self.marker, self.indent, self.blank = "", indent, 0
            number += -1 if element.get("reversed") is not None else 1
        self.depth -= 1
        if not self.depth:
            self.part(1)

    def _take_table(self, table: Element) -> None:
        """Write a data table; the cells of a layout table follow each other."""
        lines: list[str] | None = None
        if next(table.iterdescendants("table", "pre"), None) is None:
            rows = [[_cell(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
            lines = table_lines(rows)
        self.flush()
        if lines is None:
            self.take_inside(table, 0)
            self.flush()
            return
        self.part(1)
        for line in lines:
            if line:
                self.put(line)
            else:
                self.part(1)
        self.part(1)


def _cell(cell: Element) -> Cell:
    inner = _Layout()
    inner.take_inside(cell, 0)
    inner.flush()
    parts = [line.strip().removeprefix("* ") for line in inner.lines if line.strip()]
    return Cell(
        " / ".join(parts),
        is_header=cell.tag == "th",
        columns=_span(cell, "colspan"),
        rows=_span(cell, "rowspan"),
        has_list=next(cell.iter("ul", "ol"), None) is not None,
    )


def _span(cell: Element, name: str) -> int:
    return max(stated_number(cell.get(name), 1), 0)


def _start(element: Element) -> int:
    """Return the number of a list's first item; a reversed one counts down to 1."""
    first = len(element.findall("li")) if element.get("reversed") is not None else 1
    return stated_number(element.get("start"), first)
