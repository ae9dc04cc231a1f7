"""Which topics an article has: those that it brings, and those whose rules match it."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from digest.safe_text import belongs_to_word, plain_greek
from digest.settings.topics import TopicSettings

# A + or # after a letter or digit (not "A + B", not "#tag"), and a dot before a word.
_SIGNS = re.compile(r"(?<=\w)(?:[+#♯]+)(?=[\W\d]|$)|(?<![\w.])\.(?=[^\W\d_])")
_SPELLED = {"+": "plus", "#": "sharp", "♯": "sharp", ".": "dot"}


@dataclass(frozen=True, slots=True)
class Topics:
    """Derives topics from categories: the rules, and the topics that each source gives to all its
    articles."""

    rules: Sequence[TopicSettings] = ()
    of_sources: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return a key that changes when any of it does."""
        parts = repr(self.rules), sorted((name, tuple(of)) for name, of in self.of_sources.items() if of)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    def make(
        self,
        source: str,
        categories: Sequence[str],
        elsewhere: Mapping[str, Sequence[str]] | None,
        url: str,
        title: str,
    ) -> list[str]:
        """Return an article's topics: by its own source first, then by the categories of other sources."""
        made: list[str] = []
        for name, called in ((source, categories), *(elsewhere or {}).items()):
            made.extend(assign((*called, *self.of_sources.get(name, ())), url, title, self.rules))
        return list(dict.fromkeys(made))


def slug(text: str, limit: int = 40) -> str:
    """Return a topic or file name as lower-case letters and digits of any script, with - between.

    Greek words are in one form, whether they were in capitals or not. Signs that distinguish a name are
    spelled out: `C++` is `c-plus-plus`, `C#` is `c-sharp`, `.NET` is `dot-net`.
    """
    plain = plain_greek(text.casefold())
    if _SIGNS.search(plain):
        plain = _SIGNS.sub(lambda sign: "".join(f"-{_SPELLED[one]}-" for one in sign[0]), plain)
    if plain.isascii():
        return re.sub(r"\W+", "-", plain).strip("-_")[:limit].rstrip("-_")
    composed = unicodedata.normalize("NFC", plain)
    spaced = "".join(char if char == "_" or belongs_to_word(char) else " " for char in composed)
    return "-".join(spaced.split()).strip("-_")[:limit].rstrip("-_")


def assign(topics: Sequence[str], url: str, title: str, rules: Sequence[TopicSettings]) -> tuple[str, ...]:
    """Return an article's topics: its own first, then each whose category, URL or title matches, in order.

    `topics` are its own categories and its source's topics.
    """
    own = {_plain(topic) for topic in topics}
    found = [rule.name for rule in rules if _fits(rule, own, url, title)]
    return tuple(dict.fromkeys((*topics, *found)))


def _fits(rule: TopicSettings, own: set[str], url: str, title: str) -> bool:
    return (
        any(_plain(category) in own for category in rule.categories)
        or any(is_at(url, place) for place in rule.url)
        or any(has_words(title, words) for words in rule.title)
    )


def is_at(url: str, place: str) -> bool:
    """Return whether a URL is at a place: a path, or host and path; `*` matches any text, ignoring case.

    A place that ends with `/*` is also that folder itself; the scheme and a leading www. are ignored.
    """
    host, path = _split(url)
    if place.startswith("/"):
        found, wanted = path, unquote(place).casefold()
    else:
        found, wanted = host + path, "".join(_split(place))
    return _is_like(found, wanted) or (wanted.endswith("/*") and found == wanted[:-2])


def has_words(title: str, words: str) -> bool:
    """Return whether a title contains these words next to each other, ignoring case; `*` ends any longer
    word."""
    return _pattern(words).search(plain_greek(title.casefold())) is not None


def _split(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return (parts.hostname or "").removeprefix("www."), unquote(path or "/").casefold()


def _is_like(text: str, wanted: str) -> bool:
    """Match greedily part by part: the time is at most the product of both lengths, whatever the stars."""
    first, *rest = wanted.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


@lru_cache(1_000)
def _pattern(words: str) -> re.Pattern[str]:
    """Return a pattern without alternatives: only the space between escaped words varies, so it cannot
    hang."""
    bare = plain_greek(words.removesuffix("*").casefold()).split()
    end = "" if words.endswith("*") else r"(?!\w)"
    return re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, bare)) + end)


@lru_cache(10_000)
def _plain(category: str) -> str:
    return re.sub(r"[-_]+", "-", slug(category))
