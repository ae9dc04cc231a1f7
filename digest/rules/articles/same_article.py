"""Whether an item with a new guid or URL is an article that its source had before, or another.

Sources change guids, URLs, titles and dates for many reasons. Readers must not get an article twice, nor miss
one because it repeats another's words. What is in the source at the same time decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import pairwise
from urllib.parse import urlsplit

from digest.rules.articles.duplicates import Identity, StoryText, likeness

_SAID_ENOUGH = 20
"""From this many words on, a text is written by an author; shorter ones are captions, alerts or stock
phrases."""

_OWN_DAY = timedelta(hours=20)
_OWN_HOUR = timedelta(hours=2)
_NEAR = timedelta(hours=6)
_TOLD_ON = timedelta(hours=48)
_LEAST_WORDS = 10
_UNMISTAKABLE = 60
_SAME_TEXT = 0.9
_LIKE_TITLE, _SAME_TITLE = 0.6, 0.85
_LONGEST_TITLE = 300
_SCHEME = re.compile(r"\Ahttps?://(?:www\.)?", re.I)
_TOLD_ON_AT = timedelta(hours=12)
_COUNTED = re.compile(r"[#?&/_:@;.-](?:[a-z]{1,10}[=_-]?)?\d{1,6}/?", re.I)
_NUMBER = re.compile(
    r"[#?&/_:@;,.~-]{1,3}(?P<version>(?:v|ver|version|rev|revision|upd|update|edit)[=_.:-]?)?"
    r"(?P<number>\d{1,6})/?\Z",
    re.I,
)
_LONGEST_NUMBER = 30
_MOST_COUNTED = 20
# "/2026/11/24/bridge-opens" and "/2026-11-24-bridge-opens"
_DATED = re.compile(
    r"/(?:19|20)\d\d[/-](?:0?[1-9]|1[0-2])[/-](?:0?[1-9]|[12]\d|3[01])[/-][^/?#]*[^\W\d][^/?#]*"
)
# Seconds or milliseconds since 1970, a date with its time of day, or a place on the page.
_STAMPED = re.compile(
    r"[#?&/_:@;-](?:[a-z]{1,10}[=_-]?)?(?:\d{9,10}|\d{12,14}|\d{4}-?\d\d-?\d\d[t_ -]?\d\d[\d:.+z-]{0,22})/?"
    r"|#[^\s#]{1,80}",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a source: its identifiers, its title, and its text without the title."""

    marks: Identity
    title: str
    text: str

    @property
    def words(self) -> int:
        """Return how many words the text has."""
        return len(self.text.split())


def is_continued(known: Identity, found: Identity) -> bool:
    """Return whether an item at the URL of a known one is that story, which its source continues.

    It is for two days if the URL carries a date: a daily page has none. `https://news.example/c1#0` and
    `...#1` at `https://news.example/c1` are one story for two days as well, and so are `urn:c1` and
    `urn:c1:v2`. If the counter is a timestamp or a fragment, or a bare number after anything but the URL,
    they are for half a day only: daily pages have such guids, too.
    """
    if known.url != found.url:
        return False
    apart = _apart(known, found)
    if _DATED.search(known.url) and apart is not None and apart <= _TOLD_ON:
        return True
    if not known.guid or not found.guid or known.guid == found.guid:
        return False
    before, now = _after_address(known), _after_address(found)
    if before is None or now is None:
        return _counts_on(known.guid, found.guid, apart)
    counted = [not rest or _COUNTED.fullmatch(rest) is not None for rest in (before, now)]
    stamped = [not rest or _STAMPED.fullmatch(rest) is not None for rest in (before, now)]
    if all(counted):
        return apart is None or apart <= _TOLD_ON
    return all(stamped) and apart is not None and apart <= _TOLD_ON_AT


def _counts_on(before: str, now: str, apart: timedelta | None) -> bool:
    """Return whether a guid is another one with a version, or with the next number, after it."""
    stem, number, is_version = _numbered(now)
    known_stem, known_number, _ = (before, 0, False) if stem == before else _numbered(before)
    if stem != known_stem or not 0 < number - known_number <= _MOST_COUNTED:
        return False
    if is_version:
        return apart is None or apart <= _TOLD_ON
    return apart is not None and apart <= _TOLD_ON_AT


def _numbered(guid: str) -> tuple[str, int, bool]:
    """Return a guid without the number at its end, that number, and whether it is called a version."""
    found = _NUMBER.search(guid, max(0, len(guid) - _LONGEST_NUMBER))
    if found is None or not any(map(str.isalnum, guid[: found.start()])):
        return guid, 0, False
    return guid[: found.start()], int(found["number"]), found["version"] is not None


def _after_address(marks: Identity) -> str | None:
    """Return what a guid has after the article's URL; None if it does not begin with that."""
    guid, url = _SCHEME.sub("", marks.guid or ""), _SCHEME.sub("", marks.url).rstrip("/")
    if guid == marks.guid or not guid.casefold().startswith(url.casefold()):
        return None
    rest = guid[len(url) :]
    return "" if rest == "/" else rest


def is_another_in_same_words(known: Item, found: Item, *, both_stand: bool) -> bool:
    """Return whether an item with exactly the words of a known one is another: an alert, or a weekly thread.

    It has a guid and a URL of its own. While the known one is still in the source, few words or another time
    make it another; afterwards another day does, and then only with few words or at the same site, because a
    site that moves renames everything it has. An alert, which has few words and is at the same site, is
    another two hours later.
    """
    if known.marks.url == found.marks.url or _shares_guid(known.marks, found.marks):
        return False
    apart = _apart(known.marks, found.marks)
    if both_stand:
        return found.words < _SAID_ENOUGH or bool(apart)
    if apart is None:
        return False
    has_few_words = found.words < _SAID_ENOUGH
    is_at_one_site = _site(known.marks.url) == _site(found.marks.url)
    if apart < _OWN_DAY:
        return has_few_words and is_at_one_site and apart >= _OWN_HOUR and _have_guids(known, found)
    return has_few_words or is_at_one_site


def is_renamed(known: Item, found: Item) -> bool:
    """Return whether an item is a known one, now gone from the source, under a new guid and URL.

    Its time must be close and its text the same: a corrected title, a URL made from it, a small edit. Titles
    may have nothing in common only if the time is equal and the text long, or word for word the same and the
    time more than a date; a text of few words, or none, also needs an equal time and a nearly equal title.
    """
    if not may_be_renamed(known.marks, known.title, found.marks, found.title):
        return False
    is_same_time = _apart(known.marks, found.marks) == timedelta()
    titles = _title_likeness(known.title, found.title)
    is_same_text = _plain(known.text) == _plain(found.text)
    if min(known.words, found.words) < _LEAST_WORDS:
        return is_same_time and titles >= _SAME_TITLE and is_same_text
    if is_same_text and titles == 1 and is_another_in_same_words(known, found, both_stand=False):
        return False
    if likeness(StoryText("", known.text), StoryText("", found.text)) < _SAME_TEXT:
        return False
    if titles >= _LIKE_TITLE:
        return True
    is_unmistakable = found.words >= _UNMISTAKABLE or (
        found.words >= _SAID_ENOUGH and is_same_text and _has_time_of_day(found.marks)
    )
    return is_same_time and is_unmistakable


def may_be_renamed(known: Identity, title: str, found: Identity, new_title: str) -> bool:
    """Return whether `is_renamed` is possible, judging without the texts.

    The times are at most six hours apart, or both unknown; and they are equal, or the titles are alike.
    """
    if (known.published_at is None) != (found.published_at is None):
        return False
    apart = _apart(known, found)
    if apart is not None and apart > _NEAR:
        return False
    return apart == timedelta() or _title_likeness(title, new_title) >= _LIKE_TITLE


def find_taken_back(standing: Sequence[datetime | None], missing: Mapping[int, datetime | None]) -> set[int]:
    """Return which of a feed's missing articles were taken back: they are gone while older ones remain.

    `standing` are the times of the feed's items in order, `missing` those of articles that it had before, by
    id. A feed with undated items, or not in the order of its dates (such as a list of the most read), proves
    nothing by leaving an item out.
    """
    times = [moment for moment in standing if moment is not None]
    if not times or len(times) < len(standing):
        return set()
    if any(later > earlier for earlier, later in pairwise(times)):
        return set()
    return {number for number, moment in missing.items() if moment is not None and moment > times[-1]}


def _have_guids(known: Item, found: Item) -> bool:
    return bool(known.marks.guid) and bool(found.marks.guid)


def _has_time_of_day(marks: Identity) -> bool:
    """Return whether the time is more than a date, a midnight in no zone."""
    at = marks.published_at
    return at is not None and any((at.minute % 15, at.second, at.microsecond))


def _shares_guid(known: Identity, found: Identity) -> bool:
    return bool(known.guid) and known.guid == found.guid


def _apart(known: Identity, found: Identity) -> timedelta | None:
    if known.published_at is None or found.published_at is None:
        return None
    return abs(known.published_at - found.published_at)


def _site(url: str) -> str:
    return urlsplit(url).netloc


def _title_likeness(one: str, other: str) -> float:
    one, other = _plain(one)[:_LONGEST_TITLE], _plain(other)[:_LONGEST_TITLE]
    return 1.0 if one == other else SequenceMatcher(None, one, other, autojunk=False).ratio()


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
