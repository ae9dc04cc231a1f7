"""Give the text of a cleaned fragment of paragraphs as the layout engine would, but at once."""

import html as html_module
import re

_INLINE = re.compile(r"</?(?:a|b|code|em|i|s|strong|sub|sup|u)(?:\s[^>]*)?>")
_TOKEN = re.compile(rf"((?:[^<]++|{_INLINE.pattern})++)|<(/?)([a-z0-9]+)(?:\s[^>]*)?>|<")
_TWICE = re.compile(r"&amp;[#\w]")
_LEAVES = frozenset(("p", "h2", "h3", "h4"))
_MARGINS = {"p": 1, "h2": 1, "h3": 1, "h4": 1, "figure": 1, "figcaption": 0, "blockquote": 0}


def lines_of(fragment: str) -> str | None:
    """Give the text, blocks a blank line apart where a browser has a margin; None for what needs a layout.

    That is lists, tables, preformatted text, blocks inside of what holds words, and what was escaped twice,
    which the layout engine resolves. A property test holds both to the same text.
    """
    if _TWICE.search(fragment):
        return None
    page = _TextLines()
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


class _TextLines:
    """The lines so far, the words of the one that is open, and the blank lines before the next."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        self.inside = 0
        self._blank = len(_MARGINS)  # none are wanted at the beginning
        self._blocks: list[str] = []

    def say(self, text: str) -> None:
        if "<" in text:
            self.inside += text.count("<") - 2 * text.count("</")
            text = _INLINE.sub("", text)
        self.words.append(text)

    def flush(self) -> bool:
        if not self.words:
            return False
        line = " ".join(html_module.unescape("".join(self.words)).split())
        self.words.clear()
        if line:
            self.lines.append(line)
            self._blank = 0
        return bool(line)

    def end_line(self) -> None:
        if not self.flush() and self.lines[-2:] != ["", ""]:
            self.lines.append("")

    def open(self, tag: str) -> bool:
        around = self._blocks[-1] if self._blocks else ""
        if around in _LEAVES or self.inside:
            return False
        self.flush()
        self._part(max(_MARGINS[tag], _MARGINS.get(around, 0)))
        self._blocks.append(tag)
        return True

    def close(self, tag: str) -> bool:
        if self.inside or not self._blocks or self._blocks.pop() != tag:
            return False
        self.flush()
        self._part(_MARGINS[tag])
        return True

    def _part(self, margin: int) -> None:
        if margin > self._blank:
            self.lines.append("")
            self._blank = margin
