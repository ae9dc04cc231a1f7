"""Know a source's articles again among those stored: by address, by guid, or by what they say."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlmodel import Session

from digest.articles.parsed import ParsedArticle
from digest.rules.articles.duplicates import Identity, StoryText, is_another_story
from digest.store.articles import articles
from digest.store.articles.bulk import AnyArticle

_LONG_ENOUGH = 20
_SAME_WEEK = timedelta(days=7)


class KnownArticles:
    """The stored articles that a source's new ones may be, and those it has just got."""

    def __init__(self, session: Session, source: str) -> None:
        self._session = session
        self._source = source
        self._at: dict[str, AnyArticle] = {}
        self._by_guid: defaultdict[str, list[AnyArticle]] = defaultdict(list)
        self._by_content: defaultdict[str, list[AnyArticle]] = defaultdict(list)

    def recall(self, items: Sequence[ParsedArticle]) -> None:
        """Look up what may be one of these; what was entered meanwhile stays."""
        session, source = self._session, self._source
        for row in articles.list_at(session, [item.canonical_url for item in items]):
            self._at.setdefault(row.canonical_url, row)
        for row in articles.list_by_guid(session, source, [item.guid for item in items if item.guid]):
            _put(self._by_guid[row.guid or ""], row)
        for row in articles.list_same_content(session, source, [item.content_hash for item in items]):
            _put(self._by_content[row.content_hash], row)

    def enter(self, row: AnyArticle) -> None:
        """Know a row by the marks that it has now; it comes before those known by them until now."""
        self._at[row.canonical_url] = row
        if row.guid:
            _put(self._by_guid[row.guid], row, first=True)
        _put(self._by_content[row.content_hash], row, first=True)

    def at(self, canonical_url: str) -> AnyArticle | None:
        """Give the article that stands at an address."""
        row = self._at.get(canonical_url)
        return row if row is not None and row.canonical_url == canonical_url else None

    def find(self, item: ParsedArticle) -> AnyArticle | None:
        """Find the article that this is."""
        marks = tells = None
        for row in self._like(item):
            if row.source != self._source:
                return row
            marks = marks or Identity(item.canonical_url, item.guid, item.published_at)
            tells = tells or StoryText(item.title, item.text or item.summary)
            known = Identity(row.canonical_url, row.guid, row.published_at)
            told = StoryText(row.title, row.text or row.summary)
            if not is_another_story(known, told, marks, tells):
                return row
        return None

    def _like(self, item: ParsedArticle) -> Iterator[AnyArticle]:
        if (by_address := self.at(item.canonical_url)) is not None:
            yield by_address
        if item.guid is not None:
            yield from (row for row in self._by_guid.get(item.guid, ()) if row.guid == item.guid)
        for row in self._by_content.get(item.content_hash, ()):
            if row.content_hash == item.content_hash and _says_enough(row, item):
                yield row


def _put(rows: list[AnyArticle], row: AnyArticle, *, first: bool = False) -> None:
    if row not in rows:
        rows.insert(0 if first else len(rows), row)


def _says_enough(row: AnyArticle, item: ParsedArticle) -> bool:
    """Tell whether the same words are the same article, not a phrase that comes again and again."""
    if not (item.text or item.summary):
        return False
    if row.word_count >= _LONG_ENOUGH or not (row.published_at and item.published_at):
        return True
    return abs(row.published_at - item.published_at) < _SAME_WEEK
