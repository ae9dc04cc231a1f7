"""Split texts and searches into words to compare them by: without case, accents and forms of width.

Scripts without spaces between words, and Korean, whose endings are written to the word, are split into single
characters; a word of such a script is searched for as these characters in a row.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

from digest.models.article import ArticleFilter

_LONGEST = 100
_MOST = 20
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

# Thai, Lao, Tibetan, Burmese, Khmer, Kana, Han, Hangul.
_SINGLE = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)
# Accents of Latin, Greek and Cyrillic, Hebrew points, Arabic vowel signs and the stroke that only stretches.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]+")
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h"}
)
_PARTED = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})
_JOINERS = re.compile("[\u00ad\u200b-\u200d\u2060]+")


def _list_signs() -> str:
    """Return the vowel signs of other scripts as ranges of a class: no letters, but parts of words."""
    spans: list[list[int]] = []
    for code in (*range(0x0900, 0x0E00), *range(0x1700, 0x1D00), *range(0xA800, 0xAC00)):
        if unicodedata.category(chr(code)) in ("Mn", "Mc"):
            if spans and spans[-1][1] == code - 1:
                spans[-1][1] = code
            else:
                spans.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in spans)


@cache
def _word() -> re.Pattern[str]:
    """Return the pattern of a word; made when it is needed, as it takes as long as importing all the rest."""
    letter = rf"[^\W_{_SINGLE}]"
    return re.compile(rf"{letter}+(?:[{_list_signs()}]+{letter}*)*|[{_SINGLE}]")


_IS_SINGLE = re.compile(rf"[{_SINGLE}]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another; where `is_begun` the last one may go on."""

    words: tuple[str, ...]
    is_begun: bool = False


def read_filter(
    written: str, topics: Collection[str], sources: Collection[str], zone: tzinfo
) -> ArticleFilter | None:
    """Return a search whose words name a topic, a source or a date, with the other words; None without any.

    `ferry science` asks for articles of the topic science with the word ferry, `2026-11-23` for those of that
    day.
    """
    known_topics = {name.casefold(): name for name in topics}
    known_sources = {name.casefold(): name for name in sources}
    found, rest = ArticleFilter(), []
    for word in written.split():
        key = word.casefold()
        if key in known_topics and found.topic is None:
            found = replace(found, topic=known_topics[key])
        elif key in known_sources and found.source is None:
            found = replace(found, source=known_sources[key])
        elif found.since is None and (day := _read_day(word, zone)):
            found = replace(found, since=day, until=day + timedelta(days=1))
        else:
            rest.append(word)
    return None if found == ArticleFilter() else replace(found, search=" ".join(rest))


def _read_day(word: str, zone: tzinfo) -> datetime | None:
    """Return the beginning of a day that is written as `2026-11-23`."""
    if not _DAY.fullmatch(word):
        return None
    try:
        day = date.fromisoformat(word)
    except ValueError:
        return None
    return datetime.combine(day, time(), zone).astimezone(UTC) if 1970 <= day.year < 2200 else None


def split_words(text: str) -> list[str]:
    """Return the words of a text in their order; a very long one is cut."""
    folded = _fold(text)
    # The pattern would find the same words of an English text in three times the time.
    words = folded.translate(_PARTED).split() if folded.isascii() else _word().findall(folded)
    return [word[:_LONGEST] for word in words] if max(map(len, words), default=0) > _LONGEST else words


def read_search(written: str) -> list[Phrase]:
    """Return the phrases that all have to be found, at most 20 of them.

    Each of the words that spaces divide is a phrase: "l'eau" has two words that follow one another. The last
    word may be the beginning of one, unless it is a single letter, with which too many begin.
    """
    return list(_read(written))[:_MOST]


def _read(written: str) -> Iterator[Phrase]:
    parts = [words for part in written.split() if (words := tuple(split_words(part)))]
    for number, words in enumerate(parts, 1):
        is_last, last = number == len(parts), words[-1]
        yield Phrase(words, is_last and len(last) > 1 and not _IS_SINGLE.match(last))


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", _JOINERS.sub("", text).casefold()))
    return unicodedata.normalize("NFC", plain.casefold().translate(_LETTERS))
