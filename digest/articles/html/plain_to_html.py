"""Convert plain text to HTML: paragraphs, the author's line breaks, and links."""

import re

from digest.articles.html.cleaning import escaped

_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_ADDRESS = re.compile(
    r"(?:https?://|(?<![\w@/.-])www\.(?=[\w-]+\.[a-z]))[^\s<>\"'`{}|\\^\u00ab\u00bb\u201c\u201d\u201e]{3,2000}"
)
_TRAILING = ".,;:!?\u2026'*_~"
_BRACKETS = {")": "(", "]": "[", "\uff09": "\uff08"}
_WRAPPED_AT = (60, 100)  # lines of nearly equal length in this range were wrapped by a program


def html_of_plain(text: str) -> str:
    """Return plain text as paragraphs; line breaks stay unless a program wrapped the lines; URLs become
    links."""
    blocks = _PARAGRAPHS.split(text.replace("\r\n", "\n").replace("\r", "\n").strip())
    return "".join(f"<p>{_lines(block)}</p>" for block in blocks if block.strip())


def _lines(block: str) -> str:
    lines = [line.strip() for line in block.strip().split("\n")]
    least, most = _WRAPPED_AT
    is_wrapped = len(lines) > 1 and all(least <= len(line) <= most for line in lines[:-1])
    return (" " if is_wrapped else "<br>").join(map(_linked, lines))


def _linked(line: str) -> str:
    parts, at = [], 0
    for match in _ADDRESS.finditer(line):
        address = _bare(match[0])
        parts += [escaped(line[at : match.start()]), _link(address)]
        at = match.start() + len(address)
    return "".join((*parts, escaped(line[at:])))


def _link(address: str) -> str:
    goal = address if address.startswith("http") else f"http://{address}"
    return f'<a href="{escaped(goal)}">{escaped(address)}</a>'


def _bare(address: str) -> str:
    """Return a URL without the punctuation of the sentence around it."""
    while True:
        last = address[-1:]
        is_open = last in _BRACKETS and address.count(_BRACKETS[last]) < address.count(last)
        if not is_open and last not in _TRAILING:
            return address
        address = address[:-1]
