"""Match articles to those that are known, store what is new, and fold what another source told before."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.articles.ambiguous_ids import told_apart
from digest.articles.parsed import ParsedArticle
from digest.models import Article
from digest.rules.articles.admission import Admission, hold_back
from digest.rules.articles.duplicates import Identity, StoryText, is_another_story
from digest.rules.articles.topics import Topics
from digest.store.articles import articles
from digest.store.articles.bulk import AnyArticle, NewArticle, insert_articles
from digest.tasks.articles.duplicates import fold, refold

BY_HAND = "added"
"""The source of articles that an editor adds: what is added by hand may change any article."""

_ANYTHING = Admission()
_NO_RULES = Topics()
_AT_ONCE = 500
_FIELDS = (
    "url", "guid", "content_hash", "title", "title_formed", "summary", "html", "text", "author", "image_url",
    "image_alt", "language", "place", "agency",
)  # fmt: skip


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


@dataclass(slots=True)
class Stored:
    """What became of a source's articles; `held_back` and `folded` are among those added."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    held_back: int = 0
    folded: int = 0


def store_articles(
    session: Session,
    source: str,
    parsed: Iterable[ParsedArticle],
    now: datetime,
    intake: Admission = _ANYTHING,
    topics: Topics = _NO_RULES,
) -> Stored:
    """Match articles to those known and store what is new; an edit updates and is never new."""
    stored, known = Stored(), KnownArticles(session, source)
    new: list[NewArticle] = []
    items = told_apart(list(parsed))
    for number, item in enumerate(items):
        if number % _AT_ONCE == 0:
            known.recall(items[number : number + _AT_ONCE])
        row = known.find(item)
        if row is None:
            new.append(_new(session, known, source, item, now))
            new[-1].topics = _topics(new[-1], topics)
        elif _take_over(row, source, item, topics):
            row.updated_at = now
            known.enter(row)
            if isinstance(row, Article):
                refold(session, row, now)
            stored.updated += 1
        else:
            stored.unchanged += 1
    _admit(session, new, stored, now, intake)
    return stored


def _admit(
    session: Session, new: Sequence[NewArticle], stored: Stored, now: datetime, intake: Admission
) -> None:
    for row, reason in zip(new, hold_back([row.published_at for row in new], intake), strict=True):
        row.held_back = reason or None
    insert_articles(session, new)
    stored.added = len(new)
    stored.held_back = sum(row.held_back is not None for row in new)
    stored.folded = fold(session, [row for row in new if row.held_back is None], now)


def _new(
    session: Session, known: KnownArticles, source: str, item: ParsedArticle, now: datetime
) -> NewArticle:
    """Make a new article, to be entered later; one that stood at its address before gives it up."""
    before = known.at(item.canonical_url)
    if isinstance(before, NewArticle):
        before.vacate()
    elif before is not None:
        articles.vacate(session, before)
    row = NewArticle(
        source=source,
        canonical_url=item.canonical_url,
        published_at=item.published_at,
        first_seen_at=now,
        topics=[],
        categories=list(item.topics),
        word_count=len(item.text.split()),
        **{name: getattr(item, name) for name in _FIELDS},
    )
    known.enter(row)
    return row


def _take_over(row: AnyArticle, source: str, item: ParsedArticle, topics: Topics) -> bool:
    """Take what is new over, and tell whether anything was; another source's word adds only topics."""
    before = [getattr(row, name) for name in _FIELDS], row.topics
    called = list(item.topics)
    if source in (row.source, BY_HAND):
        row.categories = row.categories if row.categories == called else called
        _apply(row, item)
    elif (row.categories_elsewhere or {}).get(source) != called:
        row.categories_elsewhere = {**(row.categories_elsewhere or {}), source: called}
    if (made := _topics(row, topics)) != row.topics:
        row.topics = made
    return before != ([getattr(row, name) for name in _FIELDS], row.topics)


def _apply(row: AnyArticle, item: ParsedArticle) -> None:
    """Take an item's values over; a known article keeps its canonical URL, its age and its source."""
    if row.text != item.text:
        row.word_count = len(item.text.split())
    for name in _FIELDS:
        if getattr(row, name) != getattr(item, name):
            setattr(row, name, getattr(item, name))


def _topics(row: AnyArticle, topics: Topics) -> list[str]:
    own = row.topics if row.categories is None else row.categories
    return topics.make(row.source, own, row.categories_elsewhere, row.url, row.title)


_LONG_ENOUGH = 20
_SAME_WEEK = timedelta(days=7)


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
