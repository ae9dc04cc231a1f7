"""Split a plain text into blocks: paragraphs, headings, list items, however its lines were broken."""

import re
from itertools import pairwise

_BLANK = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\v\f]")
_UNSEEN = re.compile(r"[\u200b\u2060\ufeff\u00ad]")
_ITEM = re.compile(r"(?:[-*•‣▪◦●·]|\d{1,2}[.)])\s+(?=\S)")
_MARKED = re.compile(r"(?:[-*•‣▪◦●·])\s+(?=\S)")
_RULE = re.compile(r"[-=_*~#.\s]{3,}")
_ENDED = re.compile(r"[.!?…։。！？:؟۔।][\"'”’»)\]]*$")
_WIDEST = 110
_NARROWEST = 45


def parted(text: str) -> list[str]:
    """Return the blocks of a text in order, each as one line.

    Lines that were wrapped at a width are joined again; if lines are whole paragraphs, each is a block.
    """
    lines = [" ".join(_UNSEEN.sub("", _BLANK.sub(" ", line)).split()) for line in text.split("\n")]
    indented = [bool(line[:1].isspace() and line.strip()) for line in text.split("\n")]
    width = _wrapped_at(lines)
    blocks: list[str] = []
    before = ""
    for line, is_indented in zip(lines, indented, strict=True):
        if _RULE.fullmatch(line):
            line = ""
        if not line:
            before = ""
            continue
        if before and width and not _ITEM.match(line) and _goes_on(before, line, width, is_indented):
            blocks[-1] += line if _is_split_word(before, line) else f" {line}"
        else:
            blocks.append(line)
        before = line
    return blocks


def is_item(block: str) -> bool:
    """Return whether a block is a list item with a marker."""
    return _MARKED.match(block) is not None


def without_mark(block: str) -> str:
    """Return an item's text."""
    return _MARKED.sub("", block, count=1)


def _wrapped_at(lines: list[str]) -> int:
    """Return the width at which lines were wrapped; 0 if they were not.

    Evidence is lines of about one length, none much longer, that stop in mid-sentence before another.
    """
    filled = [line for line in lines if " " in line]
    if sum(len(line) > _WIDEST for line in filled) * 10 > len(filled):
        return 0
    lengths = sorted(len(line) for line in filled if len(line) <= _WIDEST)
    if not lengths or (width := lengths[-1 - len(lengths) // 50]) < _NARROWEST:
        return 0
    stopped = sum(
        len(one) >= width * 0.75 and bool(two) and not _ENDED.search(one) and two[0].isalnum()
        for one, two in pairwise(lines)
    )
    return width if stopped >= 3 or (stopped and stopped * 3 >= len(filled)) else 0


def _goes_on(before: str, line: str, width: int, is_indented: bool) -> bool:
    """Return whether a line continues the previous one, because its first word did not fit there."""
    room = width - len(before)
    if room > len(line.split(" ", 1)[0]) + 1 + width // 8:
        return line[0].islower() and not _ENDED.search(before)
    return not (is_indented and _ENDED.search(before))


def _is_split_word(before: str, line: str) -> bool:
    return before[-1:] == "-" and before[-2:-1].isalpha() and line[0].islower()
