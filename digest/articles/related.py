"""Find the stored articles nearest to others: by term frequency and rarity, with a preference for new ones.

Terms are words in any script; where a script has no spaces between words (Han, Kana, Thai and the like),
pairs of adjacent characters.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]{{3,}}")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
SIGNS = 1_500
_TERMS = 40
_TITLE_WEIGHT = 3
_COMMON_SHARE, _COMMON_COUNT = 0.03, 20
_KEPT = 1_000
_LEAST = 0.08
_SHARED = 64.0  # Counts a shared term beside its score in one number: no score of 40 terms comes near it.
_LEAST_TOLD = 2 * _SHARED
_HALF_LIFE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class RelatedStory:
    """What is compared of an article; `text` may be cut to its beginning."""

    id: int
    title: str
    text: str
    dated_at: datetime


class Index:
    """The terms of a fixed list of articles, each a vector of length one; queries change nothing."""

    def __init__(self, stories: Iterable[RelatedStory], rest: Callable[[], None] = lambda: None) -> None:
        """Read the stories; `rest` is called between them, for a thread that gives way to others."""
        self._ids = array("q")
        self._dated = array("d")
        counted: list[Counter[str]] = []
        for story in stories:
            self._ids.append(story.id)
            self._dated.append(story.dated_at.timestamp())
            counted.append(_count(story))
            rest()
        spread = Counter(term for terms in counted for term in terms)
        most = min(max(2, len(counted) / 2), max(_COMMON_COUNT, len(counted) * _COMMON_SHARE))
        # A term of one article connects it to no other; one of very many says nothing.
        rarity = {t: math.log(len(counted) / n) for t, n in spread.items() if 1 < n <= most}
        self._rarity = rarity
        self._asked: dict[RelatedStory, dict[str, float]] = {}
        self._where: dict[str, tuple[array[int], array[float]]] = {}
        for place, terms in enumerate(counted):
            counted[place] = Counter()
            self._enter(place, _weigh(terms, rarity))
            rest()

    def __len__(self) -> int:
        return len(self._ids)

    def _enter(self, place: int, vector: dict[str, float]) -> None:
        for term, weight in vector.items():
            places, weights = self._where.setdefault(term, (array("i"), array("f")))
            places.append(place)
            weights.append(weight)

    def near(self, stories: Sequence[RelatedStory], count: int, without: Collection[int] = ()) -> list[int]:
        """Return at most `count` ids, the nearest first: none of these stories nor of those excluded.

        A story that shares only one term, or too little, is not related. Ties go to the newer, then to the
        higher id.
        """
        if not stories or not count:
            return []
        barred = {story.id for story in stories}.union(without)
        newest = max(story.dated_at for story in stories).timestamp()
        wanted = _joined([self._vector(story) for story in stories])
        scores: defaultdict[int, float] = defaultdict(float)
        for term, weight in wanted.items():
            places, weights = self._where.get(term, _NOWHERE)
            for place, own in zip(places, weights, strict=True):
                scores[place] += weight * own + _SHARED
        ranked = [
            (-(told % _SHARED) * self._freshness(place, newest), -self._dated[place], -self._ids[place])
            for place, told in scores.items()
            if told >= _LEAST_TOLD and told % _SHARED >= _LEAST and self._ids[place] not in barred
        ]
        return [-number for _, _, number in sorted(ranked)[:count]]

    def _vector(self, story: RelatedStory) -> dict[str, float]:
        """Return a story's vector; cached, because the lists of an edition share most stories."""
        known = self._asked.get(story)
        if known is None:
            if len(self._asked) >= _KEPT:
                self._asked.clear()
            known = self._asked[story] = _weigh(_count(story), self._rarity)
        return known

    def _freshness(self, place: int, newest: float) -> float:
        """Return 1 for new stories, falling to a half with age: recency ranks, but does not decide."""
        age = max(0.0, newest - self._dated[place])
        return 0.5 + 0.5 * math.exp2(-age / _HALF_LIFE.total_seconds())


_NOWHERE: tuple[array[int], array[float]] = (array("i"), array("f"))


def terms_of(text: str) -> list[str]:
    """Return a text's terms in order: words of three letters or more, pairs of characters in unspaced
    scripts."""
    found: list[str] = []
    for run in _RUN.findall(text.casefold()):
        if _IS_UNSPACED.match(run):
            found.extend(run[at : at + 2] for at in range(len(run) - 1))
        elif not run.isdigit():
            found.append(run)
    return found


def _count(story: RelatedStory) -> Counter[str]:
    counted = Counter(terms_of(story.text[:SIGNS]))
    for term in terms_of(story.title):
        counted[term] += _TITLE_WEIGHT
    return counted


def _weigh(counted: Counter[str], rarity: dict[str, float]) -> dict[str, float]:
    """Return the vector of the terms with the greatest weight, of length one."""
    weighed = [(-(1 + math.log(n)) * rarity[term], term) for term, n in counted.items() if term in rarity]
    told = sorted(weighed)[:_TERMS]
    length = math.sqrt(sum(weight * weight for weight, _ in told)) or 1.0
    return {term: -weight / length for weight, term in told}


def _joined(vectors: Sequence[dict[str, float]]) -> dict[str, float]:
    """Combine the vectors of several articles into one of their most significant terms."""
    if len(vectors) == 1:
        return vectors[0]
    joined: dict[str, float] = {}
    for vector in vectors:
        for term, weight in vector.items():
            joined[term] = max(weight, joined.get(term, 0.0))
    return dict(sorted(joined.items(), key=lambda item: (-item[1], item[0]))[:_TERMS])
