"""Whether two texts tell the same story, by the shingles that they share.

The thresholds are measured on tests/corpus/stories (`python -m tests.benchmarks.folding`).
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from heapq import nsmallest
from typing import TypeVar

_T = TypeVar("_T", str, int)

WINDOW = timedelta(hours=72)
"""The most time between two sources' articles about one story."""

MOST_TELLERS = 64
"""A shingle that this many articles have is a stock phrase, and gets no further entries in the index."""

_RUN = 3
_INDEXED_RUN = 5
_INDEXED = 16
_INDEXED_OF_LEAD = 8
_LEAD = 64
_SHARED = 0.5
_SHARED_OF_SHORT = 0.9
_SHORT = 25
_SHORTEST = 10
_LONGER = 12
_SAME_FIGURES = 0.5
_KEPT = 0.5
_WORDS = 3_000
# Scripts that are written without spaces: each character counts as a word.
_WORD = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
# A quicker way to split ASCII text into the same words: all other characters become spaces.
_PARTED = bytes(
    byte if byte < 128 and (chr(byte).isalnum() or byte == ord("_")) else 32 for byte in range(256)
)


@dataclass(frozen=True)
class StoryText:
    """What is compared of an article: its words, shingles and numbers, each computed when first needed."""

    title: str
    text: str

    @cached_property
    def said(self) -> tuple[str, ...]:
        """Return the words in order."""
        text = f"{self.title} {self.text}"[:100_000].casefold()
        if text.isascii():
            return tuple(text.encode().translate(_PARTED).decode().split()[:_WORDS])
        return tuple(_WORD.findall(text)[:_WORDS])

    @property
    def words(self) -> int:
        """Count the words."""
        return len(self.said)

    @cached_property
    def runs(self) -> frozenset[tuple[str, ...]]:
        """Return the distinct shingles of the text."""
        return frozenset(_runs(self.said, _RUN))

    @cached_property
    def figures(self) -> frozenset[str]:
        """Return the distinct numbers in the text."""
        return frozenset(filter(str.isdecimal, set(self.said)))


@dataclass(frozen=True, slots=True)
class Identity:
    """What a source states about an article's identity."""

    url: str
    guid: str | None
    published_at: datetime | None


def likeness(one: StoryText, other: StoryText) -> float:
    """Return the share of the shorter text's shingles that the longer one has."""
    least = min(len(one.runs), len(other.runs))
    return len(one.runs & other.runs) / least if least else 0.0


def is_same_story(one: StoryText, other: StoryText) -> bool:
    """Return whether two sources tell one story in the same words, cut or edited.

    A short text must be nearly identical; texts with other numbers (weather, results, prices) are different.
    """
    shorter, longer = sorted((one, other), key=lambda told: told.words)
    if shorter.words < _SHORTEST or longer.words > shorter.words * _LONGER:
        return False
    if not _share_figures(one, other):
        return False
    return likeness(one, other) >= (_SHARED_OF_SHORT if shorter.words < _SHORT else _SHARED)


def is_another_story(known: Identity, told: StoryText, found: Identity, tells: StoryText) -> bool:
    """Return whether an article that is known by its URL or guid has become another one.

    It has if the source gives it a new guid or date and mostly new text: weather, markets, live pages. An
    edit, however large, is the same article as long as guid and date stay.
    """
    return _is_named_anew(known, found) and likeness(told, tells) < _KEPT


def sample(told: StoryText) -> list[int]:
    """Return the shingles that represent a text in an index: the same ones for the same passages anywhere.

    They are the shingles with the lowest hashes, a third of them from the text's beginning, where a cut text
    and the whole are alike. Numbers hash alike in all processes of one version of Python; another version may
    not find what is in the index, which holds three days.
    """
    numbers = {word: zlib.crc32(word.encode()) for word in set(told.said)}
    words = [numbers[word] for word in told.said]
    hashes = list(map(hash, _runs(words, _INDEXED_RUN)))
    lead = nsmallest(_INDEXED_OF_LEAD, set(hashes[:_LEAD]))
    return sorted({*lead, *nsmallest(_INDEXED, set(hashes))})


def are_near(one: datetime, other: datetime) -> bool:
    """Return whether two times are close enough for one story."""
    return abs(one - other) <= WINDOW


def _is_named_anew(known: Identity, found: Identity) -> bool:
    if known.guid and found.guid and known.guid != found.guid and not found.guid.startswith("file:"):
        return True  # a file under another name is the same article
    if known.published_at and found.published_at:
        return known.published_at != found.published_at
    return known.url != found.url


def _share_figures(one: StoryText, other: StoryText) -> bool:
    least = min(len(one.figures), len(other.figures))
    return least == 0 or len(one.figures & other.figures) >= least * _SAME_FIGURES


def _runs(words: Sequence[_T], length: int) -> Iterator[tuple[_T, ...]]:
    """Yield each run of this many words; a shorter text is one run."""
    return zip(*(words[at:] for at in range(min(length, len(words)))), strict=False)
