"""Convert cleaned HTML to plain text whose links are marked [a], [b] and listed below it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import groupby
from string import ascii_lowercase

from digest.rules.text_notation import item_label, lowered, raised, stated_number
from digest.rules.text_tables import Cell, table_lines, width

_BLOCKS = frozenset({
    "blockquote", "div", "figcaption", "figure", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "table",
    "tr", "ul",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plain:
    """A fragment's text in paragraphs, and its links by mark: `Plain("The bridge [a]", (("a", "https://..."),))`."""

    text: str
    links: tuple[tuple[str, str], ...] = ()


def plain(html: str) -> Plain:
    """Convert cleaned HTML to text; an image becomes its alternative text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Plain("\n\n".join(reader.paragraphs()), tuple(reader.marks.items()))


def name_mark(number: int) -> str:
    """Return a link's mark: a to z, then aa, ab and so on."""
    name = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        name = ascii_lowercase[place] + name
    return name


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int = 0
    kind: str | None = None
    step: int = 1


@dataclass
class _Reader(HTMLParser):
    """Collects words, and ends a paragraph where a block element begins or ends.

    `<p>One</p><p>Two <a href="https://x.example">three</a></p>` gives "One", "Two three [a]".
    """

    marks: dict[str, str] = field(default_factory=dict)
    _paragraphs: list[str] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _lists: list[_List] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    _marker: str = ""
    _after_item: bool = False
    _raised_from: list[int] = field(default_factory=list)
    _in_pre: int = 0
    _quoted: int = 0
    _table: "_Table | None" = None

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def paragraphs(self) -> Iterator[str]:
        if self._table is not None:
            self._end_table(self._table)
        self._end()
        return iter(self._paragraphs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._table is not None:
            self._table.open(tag, attrs)
            return
        values = dict(attrs)
        if tag in _BLOCKS:
            self._end()
        if tag in ("ul", "ol"):
            first = stated_number(values.get("start"), 1)
            step = -1 if "reversed" in values else 1
            self._lists.append(_List(tag == "ol", first - step, values.get("type"), step))
        elif tag == "li":
            self._marker = self._item(values.get("value") or "")
        elif tag == "pre":
            self._in_pre += 1
        elif tag == "blockquote":
            self._quoted += 1
        elif tag in ("sup", "sub"):
            self._raised_from.append(len(self._words))
        elif tag == "br":
            self._words.append("\n")
        elif tag == "table":
            self._table = _Table()
        elif tag == "img" and values.get("alt"):
            self._words.append(f" [{values['alt']}] ")
        elif tag == "a":
            self._open.append(values.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._table is not None:
            if self._table.close(tag):
                self._end_table(self._table)
            return
        if tag == "a" and self._open:
            url = self._open.pop()
            if url:
                self._words.append(f" [{self._mark(url)}]")
        if tag in ("sup", "sub") and self._raised_from:
            self._end_raised(tag)
        if tag in _BLOCKS:
            self._end()
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "pre" and self._in_pre:
            self._in_pre -= 1
        elif tag == "blockquote" and self._quoted:
            self._quoted -= 1

    def handle_data(self, data: str) -> None:
        if self._table is not None:
            self._table.say(data)
            return
        self._words.append(data if self._in_pre else data.replace("\n", " "))

    def _end_raised(self, tag: str) -> None:
        at = min(self._raised_from.pop(), len(self._words))
        inner, before = "".join(self._words[at:]), "".join(self._words[max(0, at - 3) : at])[-1:]
        self._words[at:] = [raised(inner, before) if tag == "sup" else lowered(inner, before)]

    def _end_table(self, table: "_Table") -> None:
        """Write a data table line by line; the cells of a layout table follow each other as blocks."""
        self._table = None
        lines = None
        if table.is_plain:
            lines = table_lines([[self._cell(cell) for cell in row] for row in table.rows])
        if lines is None:
            for event in table.events:
                event(self)
            self._end()
        elif any(lines):
            self._after_item, self._marker = False, ""
            for _, group in groupby(lines, bool):
                if any(block := list(group)):
                    self._add("\n".join(f"{AS_IT_IS}{line}" if _is_aligned(line) else line for line in block))

    def _cell(self, cell: "_TableCell") -> Cell:
        inner = _Reader(self.marks)
        for event in cell.events:
            event(inner)
        parts = [part.strip().removeprefix("- ") for one in inner.paragraphs() for part in one.split("\n")]
        return replace(cell.shape, text=" / ".join(filter(None, parts)))

    def _item(self, value: str) -> str:
        """Return the marker of a list item, indented by the lists around it."""
        indent = "  " * (len(self._lists) - 1)
        if not self._lists or not self._lists[-1].ordered:
            return f"{indent}- "
        current = self._lists[-1]
        current.number = stated_number(value, current.number + current.step)
        return f"{indent}{item_label(current.number, current.kind)}. "

    def _mark(self, url: str) -> str:
        known = {own: mark for mark, own in self.marks.items()}
        mark = known.get(url) or name_mark(len(self.marks))
        self.marks[mark] = url
        return mark

    def _end(self) -> None:
        text = "".join(self._words)
        self._words.clear()
        self._raised_from.clear()
        if self._in_pre:
            code = text.strip("\n").expandtabs(4).split("\n")
            paragraph = "\n".join(f"{AS_IT_IS}{line.rstrip()}" for line in code) if text.strip() else ""
        else:
            paragraph = "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()
        if not paragraph.strip(" |"):
            return
        if self._marker and self._after_item:  # list items have no blank line between them
            self._paragraphs[-1] += f"\n{self._in_quotes(self._marker + paragraph)}"
        else:
            self._add(self._marker + paragraph)
        self._after_item, self._marker = bool(self._marker), ""

    def _add(self, paragraph: str) -> None:
        self._paragraphs.append(self._in_quotes(paragraph))

    def _in_quotes(self, paragraph: str) -> str:
        if not self._quoted:
            return paragraph
        lead = QUOTED * self._quoted
        return "\n".join(lead + line for line in paragraph.split("\n"))


_Event = Callable[[_Reader], None]


@dataclass(slots=True)
class _TableCell:
    shape: Cell
    events: list[_Event] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    """Keeps what stands in a table until its end shows whether it is data or a layout.

    `events` are those of all its cells, each a block, for a layout.
    """

    rows: list[list[_TableCell]] = field(default_factory=list)
    events: list[_Event] = field(default_factory=list)
    is_plain: bool = True
    depth: int = 1

    def open(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.depth += 1
        self.is_plain = self.is_plain and tag not in ("table", "pre")
        if tag == "tr" and self.depth == 1:
            self.rows.append([])
        elif tag in ("td", "th") and self.depth == 1:
            self._begin_cell(tag, dict(attrs))
        else:
            if tag in ("ul", "ol") and (cell := self._cell) is not None:
                cell.shape = replace(cell.shape, has_list=True)
            self._keep(lambda reader: reader.handle_starttag(tag, attrs))

    def close(self, tag: str) -> bool:
        """Take an end tag; return whether it ends this table."""
        if tag == "table":
            self.depth -= 1
            if not self.depth:
                return True
        if self.depth > 1 or tag not in ("tr", "td", "th", "thead", "tbody", "tfoot"):
            self._keep(lambda reader: reader.handle_endtag(tag))
        return False

    def say(self, data: str) -> None:
        if data.strip() or self._cell is not None:
            self._keep(lambda reader: reader.handle_data(data))

    @property
    def _cell(self) -> _TableCell | None:
        return self.rows[-1][-1] if self.rows and self.rows[-1] else None

    def _begin_cell(self, tag: str, values: dict[str, str | None]) -> None:
        columns, rows = (max(stated_number(values.get(name), 1), 0) for name in ("colspan", "rowspan"))
        if not self.rows:
            self.rows.append([])
        self.rows[-1].append(_TableCell(Cell("", tag == "th", columns, rows)))
        self.events.append(lambda reader: reader._end())

    def _keep(self, event: _Event) -> None:
        self.events.append(event)
        if (cell := self._cell) is not None:
            cell.events.append(event)


COLUMNS = 72
AS_IT_IS = "\v"
"""Prefix of a line that must not be wrapped; cleaned text cannot contain this character."""
QUOTED = "\f"
"""Prefix of a quoted line, once for each quotation around it, before AS_IT_IS; written as "> "."""


def _is_aligned(line: str) -> bool:
    return " | " in line and width(line) <= COLUMNS


def wrap(text: str, indent: str = "", columns: int = COLUMNS) -> str:
    """Wrap text to the width of the text part; wide characters count as two, and a longer word gets its own
    line.

    A line keeps its indentation and its quotation marks, and a line that begins with AS_IT_IS (code) is not
    wrapped.
    """
    lines: list[str] = []
    for quoted in text.split("\n"):
        paragraph = quoted.lstrip(QUOTED)
        marks = indent + "> " * (len(quoted) - len(paragraph))
        if paragraph.startswith(AS_IT_IS):
            lines.append(marks + paragraph.removeprefix(AS_IT_IS))
            continue
        lead = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
        line, taken = "", len(lead)
        for word in paragraph.split():
            size = width(word)
            if line and taken + 1 + size > columns - len(marks):
                lines.append(marks + lead + line)
                line, taken = word, len(lead) + size
            else:
                line, taken = (f"{line} {word}", taken + 1 + size) if line else (word, taken + size)
        lines.append(marks + lead + line if line else "")
    return "\n".join(lines)
