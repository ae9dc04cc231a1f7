"""Cleaned HTML as plain text whose links are marked [a], [b] and listed below it."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from string import ascii_lowercase

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
    """Name a link: a to z, then aa, ab and so on."""
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


@dataclass
class _Reader(HTMLParser):
    """Collects words, and ends a paragraph where a block begins or ends."""

    marks: dict[str, str] = field(default_factory=dict)
    _paragraphs: list[str] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _lists: list[_List] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    _marker: str = ""
    _after_item: bool = False

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
            self._lists.append(_List(tag == "ol"))
        elif tag == "li":
            self._marker = self._item()
        elif tag == "br":
            self._words.append("\n")
        elif tag in ("td", "th"):
            self._words.append(" ")
        elif tag == "img" and values.get("alt"):
            self._words.append(f" [{values['alt']}] ")
        elif tag == "a":
            self._open.append(values.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open:
            url = self._open.pop()
            if url:
                self._words.append(f" [{self._mark(url)}]")
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _BLOCKS:
            self._end()

    def handle_data(self, data: str) -> None:
        self._words.append(data.replace("\n", " "))

    def _item(self) -> str:
        if not self._lists or not self._lists[-1].ordered:
            return "- "
        self._lists[-1].number += 1
        return f"{self._lists[-1].number}. "

    def _mark(self, url: str) -> str:
        known = {own: mark for mark, own in self.marks.items()}
        mark = known.get(url) or name_mark(len(self.marks))
        self.marks[mark] = url
        return mark

    def _end(self) -> None:
        lines = (" ".join(line.split()) for line in "".join(self._words).split("\n"))
        paragraph = "\n".join(lines).strip()
        self._words.clear()
        if not paragraph:
            return
        if self._marker and self._after_item:  # items stand close together
            self._paragraphs[-1] += f"\n{self._marker}{paragraph}"
        else:
            self._paragraphs.append(self._marker + paragraph)
        self._after_item, self._marker = bool(self._marker), ""


COLUMNS = 72


def wrap(text: str, indent: str = "", columns: int = COLUMNS) -> str:
    """Wrap text to the columns; wide characters count two, a longer word keeps its own line."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, width = "", 0
        for word in paragraph.split():
            size = _width(word)
            if line and width + 1 + size > columns - len(indent):
                lines.append(indent + line)
                line, width = word, size
            else:
                line, width = (f"{line} {word}", width + 1 + size) if line else (word, size)
        lines.append(indent + line if line else "")
    return "\n".join(lines)


def _width(word: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in word)
