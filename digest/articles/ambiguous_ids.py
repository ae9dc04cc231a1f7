"""Drop the guids and links of a source that do not identify its articles, because several share them."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from digest.articles.parsed import ParsedArticle
from digest.articles.text.identity import is_home

_SHORTEST_GUID = 2


def told_apart(articles: Sequence[ParsedArticle]) -> list[ParsedArticle]:
    """Return a source's articles with only those guids and canonical URLs that identify them.

    A guid without meaning ("0", the home page), or one that several articles share, is dropped. A link that
    several share, or to the home page, gets the guid or the title added to its canonical form.
    """
    shared = _shared(articles, lambda article: article.guid, lambda a: (a.canonical_url, a.title))
    articles = [replace(a, guid=None) if a.guid in shared or _is_void(a.guid) else a for a in articles]
    common = _shared(articles, lambda a: a.canonical_url, lambda a: (a.guid or a.title, a.content_hash))
    return [_with_own_address(a) if a.canonical_url in common or is_home(a.url) else a for a in articles]


def _shared(
    articles: Sequence[ParsedArticle],
    mark: Callable[[ParsedArticle], str | None],
    other: Callable[[ParsedArticle], tuple[str, str]],
) -> frozenset[str]:
    """Return the identifiers shared by articles that differ in everything else."""
    seen: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for article in articles:
        if value := mark(article):
            seen[value].add(other(article))
    return frozenset(value for value, others in seen.items() if _differ_in_both(others))


def _differ_in_both(others: set[tuple[str, str]]) -> bool:
    return all(len({pair[side] for pair in others}) > 1 for side in (0, 1))


def _is_void(guid: str | None) -> bool:
    if guid is None:
        return False
    bare = guid.strip()
    void = bare.casefold() in ("none", "null", "undefined", "false") or not bare.strip("0-")
    return void or (len(bare) < _SHORTEST_GUID and not bare.isdigit()) or _is_home_page(bare)


def _is_home_page(guid: str) -> bool:
    return guid.startswith(("http://", "https://")) and is_home(guid)


def _with_own_address(article: ParsedArticle) -> ParsedArticle:
    own = hashlib.sha256((article.guid or article.title).encode()).hexdigest()[:16]
    return replace(article, canonical_url=f"{article.canonical_url.partition('#')[0]}#{own}")
