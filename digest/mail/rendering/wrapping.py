"""Lay text out in lines of 72 columns; a link stands on a line of its own and is never cut."""

import unicodedata

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
