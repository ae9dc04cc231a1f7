"""Convert cleaned HTML to plain text whose links are marked [a], [b] and listed below it."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from string import ascii_lowercase

from digest.rules.plain_text import item_label, lowered, raised

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
    _cells: int = 0
    _after_row: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def paragraphs(self) -> Iterator[str]:
        self._end()
        return iter(self._paragraphs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in _BLOCKS:
            self._end()
        if tag in ("ul", "ol"):
            start = values.get("start") or ""
            first = int(start) if start.isdecimal() else 1
            self._lists.append(_List(tag == "ol", first - 1, values.get("type")))
        elif tag == "li":
            self._marker = self._item(values.get("value") or "")
        elif tag == "pre":
            self._in_pre += 1
        elif tag in ("sup", "sub"):
            self._raised_from.append(len(self._words))
        elif tag == "br":
            self._words.append("\n")
        elif tag in ("table", "tr"):
            self._cells, self._after_row = 0, self._after_row and tag == "tr"
        elif tag in ("td", "th"):
            self._cells += 1
            self._words.append(" | " if self._cells > 1 else " ")
        elif tag == "img" and values.get("alt"):
            self._words.append(f" [{values['alt']}] ")
        elif tag == "a":
            self._open.append(values.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open:
            url = self._open.pop()
            if url:
                self._words.append(f" [{self._mark(url)}]")
        if tag in ("sup", "sub") and self._raised_from:
            self._end_raised(tag)
        if tag in _BLOCKS:
            self._end()
        if tag in ("tr", "table"):
            self._cells, self._after_row = 0, self._after_row and tag == "tr"
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "pre" and self._in_pre:
            self._in_pre -= 1

    def handle_data(self, data: str) -> None:
        self._words.append(data if self._in_pre else data.replace("\n", " "))

    def _end_raised(self, tag: str) -> None:
        at = min(self._raised_from.pop(), len(self._words))
        inner, before = "".join(self._words[at:]), "".join(self._words[max(0, at - 3) : at])[-1:]
        self._words[at:] = [raised(inner, before) if tag == "sup" else lowered(inner, before)]

    def _item(self, value: str) -> str:
        """Return the marker of a list item, indented by the lists around it."""
        indent = "  " * (len(self._lists) - 1)
        if not self._lists or not self._lists[-1].ordered:
            return f"{indent}- "
        current = self._lists[-1]
        current.number = int(value) if value.isdecimal() else current.number + 1
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
        is_row = self._cells > 1
        if is_row and self._after_row:
            self._paragraphs[-1] += f"\n{paragraph}"
            return
        self._after_row = is_row
        if self._marker and self._after_item:  # list items have no blank line between them
            self._paragraphs[-1] += f"\n{self._marker}{paragraph}"
        else:
            self._paragraphs.append(self._marker + paragraph)
        self._after_item, self._marker = bool(self._marker), ""


COLUMNS = 72
AS_IT_IS = "\v"
"""Prefix of a line that must not be wrapped; cleaned text cannot contain this character."""


def wrap(text: str, indent: str = "", columns: int = COLUMNS) -> str:
    """Wrap text to the width of the text part; wide characters count as two, and a longer word gets its own
    line.

    A line keeps its indentation, and a line that begins with AS_IT_IS (code) is not wrapped.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if paragraph.startswith(AS_IT_IS):
            lines.append(indent + paragraph.removeprefix(AS_IT_IS))
            continue
        lead = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
        line, width = "", len(lead)
        for word in paragraph.split():
            size = _width(word)
            if line and width + 1 + size > columns - len(indent):
                lines.append(indent + lead + line)
                line, width = word, len(lead) + size
            else:
                line, width = (f"{line} {word}", width + 1 + size) if line else (word, width + size)
        lines.append(indent + lead + line if line else "")
    return "\n".join(lines)


def _width(word: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in word)
