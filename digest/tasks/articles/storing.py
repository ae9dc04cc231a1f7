"""Match articles to the known ones, store new ones, and fold duplicates."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.articles.ambiguous_ids import told_apart
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError
from digest.models import Article
from digest.models.row import row_id
from digest.rules.articles.admission import TAKEN_BACK, Admission, hold_back
from digest.rules.articles.duplicates import Identity, StoryText, is_another_story
from digest.rules.articles.same_article import (
    Item,
    find_taken_back,
    is_another_in_same_words,
    is_continued,
    is_renamed,
    may_be_renamed,
)
from digest.rules.articles.sources import BY_HAND
from digest.rules.articles.topics import Topics
from digest.store.articles import articles
from digest.store.articles.bulk import AnyArticle, NewArticle, insert_articles
from digest.tasks.articles.duplicates import fold, refold
from digest.tasks.webhooks.outbox import tell_of_articles

_ANYTHING = Admission()
_NO_RULES = Topics()
_AT_ONCE = 500
_LATELY = timedelta(days=31)
"""For how long a source's article may be recognised under a new name."""

_FIELDS = (
    "url", "guid", "content_hash", "title", "title_formed", "summary", "html", "text", "author", "image_url",
    "image_alt", "language", "place", "agency",
)  # fmt: skip


class KnownArticles:
    """The stored articles that a source's new ones may be, and those it has just got.

    `items` are all that stand in the source now: what stands there beside a known article is another one, and
    what took the place of one that is gone may be that one under a new name. Unless they are complete: what a
    program sends in, one by one, replaces nothing.
    """

    def __init__(
        self,
        session: Session,
        source: str,
        items: Sequence[ParsedArticle],
        now: datetime,
        *,
        is_complete: bool = True,
    ) -> None:
        self._session = session
        self._source = source
        self._is_complete = is_complete
        self._now = now
        self._addresses = frozenset(item.canonical_url for item in items)
        self._guids = frozenset(item.guid for item in items if item.guid)
        self._at: dict[str, AnyArticle] = {}
        self._by_guid: defaultdict[str, list[AnyArticle]] = defaultdict(list)
        self._by_content: defaultdict[str, list[AnyArticle]] = defaultdict(list)
        self._gone: list[Article] | None = None

    def recall(self, items: Sequence[ParsedArticle]) -> None:
        """Look up the possible matches of these; rows entered meanwhile stay."""
        session, source = self._session, self._source
        for row in articles.list_at(session, [item.canonical_url for item in items]):
            self._at.setdefault(row.canonical_url, row)
        for row in articles.list_by_guid(session, source, [item.guid for item in items if item.guid]):
            _put(self._by_guid[row.guid or ""], row)
        for row in articles.list_same_content(session, source, [item.content_hash for item in items]):
            _put(self._by_content[row.content_hash], row)

    def enter(self, row: AnyArticle) -> None:
        """Register a row by its current identifiers; it comes before those that had them until now."""
        self._at[row.canonical_url] = row
        if row.guid:
            _put(self._by_guid[row.guid], row, first=True)
        _put(self._by_content[row.content_hash], row, first=True)

    def at(self, canonical_url: str) -> AnyArticle | None:
        """Return the article at a URL."""
        row = self._at.get(canonical_url)
        return row if row is not None and row.canonical_url == canonical_url else None

    def find(self, item: ParsedArticle) -> AnyArticle | None:
        """Find the known article that this one is."""
        marks = _marks(item)
        tells: StoryText | None = None
        for row in self._named_alike(item):
            if row.source != self._source or is_continued(_marks(row), marks):
                return row
            tells = tells or StoryText(item.title, item.text or item.summary)
            told = StoryText(row.title, row.text or row.summary)
            if not is_another_story(_marks(row), told, marks, tells):
                return row
        for row in self._by_content.get(item.content_hash, ()):
            if row.content_hash == item.content_hash and self._is_the_same(row, item):
                return row
        return self._find_renamed(item)

    def _named_alike(self, item: ParsedArticle) -> Iterator[AnyArticle]:
        if (by_address := self.at(item.canonical_url)) is not None:
            yield by_address
        if item.guid is not None:
            yield from (row for row in self._by_guid.get(item.guid, ()) if row.guid == item.guid)

    def _is_the_same(self, row: AnyArticle, item: ParsedArticle) -> bool:
        """Return whether an article with exactly the same words is this one."""
        if row.source != self._source:
            return True
        if not (item.text or item.summary):
            return False
        return not is_another_in_same_words(_item(row), _item(item), both_stand=self.stands(row))

    def _find_renamed(self, item: ParsedArticle) -> Article | None:
        """Find an article that has gone from the source and that this one replaces."""
        if self._source == BY_HAND:
            return None  # pages that an editor adds one by one never replace each other
        marks = _marks(item)
        for row in self._list_gone():
            # Only the texts of the few possible matches are read.
            if may_be_renamed(_marks(row), row.title, marks, item.title) and is_renamed(
                _item(row), _item(item)
            ):
                self._list_gone().remove(row)  # it has been found: no other article is it
                return row
        return None

    def _list_gone(self) -> list[Article]:
        """List what the source brought lately and no longer has, read once."""
        if self._gone is None:
            lately = articles.list_seen_lately(self._session, self._source, self._now - _LATELY)
            self._gone = [row for row in lately if not self.stands(row)]
        return self._gone

    def stands(self, row: AnyArticle) -> bool:
        """Return whether the source still has an article, by its URL or its guid."""
        return (
            not self._is_complete
            or isinstance(row, NewArticle)
            or row.canonical_url in self._addresses
            or (row.guid is not None and row.guid in self._guids)
        )


@dataclass(slots=True)
class Stored:
    """The result for a source's articles; `held_back` and `folded` are among those added.

    `standing` are the ids of all articles that the source still has.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    held_back: int = 0
    folded: int = 0
    standing: set[int] = field(default_factory=set)


def store_articles(
    session: Session,
    source: str,
    parsed: Iterable[ParsedArticle],
    now: datetime,
    intake: Admission = _ANYTHING,
    topics: Topics = _NO_RULES,
    *,
    is_complete: bool = True,
) -> Stored:
    """Match articles to the known ones and store new ones; an edit updates and is never new.

    `is_complete` says whether they are all that the source has.
    """
    items = told_apart(list(parsed))
    stored, known = Stored(), KnownArticles(session, source, items, now, is_complete=is_complete)
    new: list[NewArticle] = []
    for number, item in enumerate(items):
        if number % _AT_ONCE == 0:
            known.recall(items[number : number + _AT_ONCE])
        row = known.find(item)
        if row is None:
            new.append(_new(session, known, source, item, now))
            new[-1].topics = _topics(new[-1], topics)
            continue
        has_moved = row.source == source and not known.stands(row) and known.at(item.canonical_url) is None
        if _take_over(row, source, item, topics):
            if has_moved:
                row.canonical_url = item.canonical_url
            row.updated_at = now
            known.enter(row)
            if isinstance(row, Article):
                _restart_settling(session, row, now, intake)
                refold(session, row, now)
            stored.updated += 1
        else:
            stored.unchanged += 1
        if isinstance(row, Article):
            stored.standing.add(row_id(row))
    _admit(session, new, stored, now, intake)
    stored.standing.update(row.id for row in new if row.id is not None)
    return stored


def replace_article(
    session: Session, row: Article, item: ParsedArticle, now: datetime, topics: Topics = _NO_RULES
) -> bool:
    """Update one article with what its source says of it now, its URL too; return whether that changed it.

    Raise InputError where another article has the URL.
    """
    if item.canonical_url != row.canonical_url:
        if any(other.id != row.id for other in articles.list_at(session, [item.canonical_url])):
            raise InputError(f"another article has the link {item.url}: each needs its own")
        row.canonical_url = item.canonical_url
    changed = _take_over(row, row.source, item, topics)
    if changed:
        row.updated_at = now
        session.add(row)
        session.flush()
        refold(session, row, now)
    return changed


def _restart_settling(session: Session, row: Article, now: datetime, intake: Admission) -> None:
    """Restart the settling of an article that was edited before any edition had it."""
    if intake.settle and not articles.is_in_an_edition(session, row_id(row)):
        row.settles_at = now + intake.settle


def hold_taken_back(
    session: Session, source: str, parsed: Sequence[ParsedArticle], stored: Stored, now: datetime
) -> int:
    """Hold back what a feed took back, release what it shows again; return how many were held back.

    An edition that has the article keeps it.
    """
    lately = articles.list_held_lately(session, source, now - _LATELY)
    missing = {
        number: moment for number, moment, held in lately if held is None and number not in stored.standing
    }
    taken = find_taken_back([item.published_at for item in parsed], missing)
    again = [number for number, _, held in lately if held == TAKEN_BACK and number in stored.standing]
    articles.set_taken_back(session, taken, again)
    return len(taken)


def hold_deleted(session: Session, source: str, guids: Collection[str], stored: Stored) -> int:
    """Hold back what a feed declares deleted and does not show; return how many were held back."""
    if not guids:
        return 0
    named = {
        row_id(row) for row in articles.list_by_guid(session, source, guids) if row.held_back is None
    } - stored.standing
    articles.set_taken_back(session, named, ())
    return len(named)


def _admit(
    session: Session, new: Sequence[NewArticle], stored: Stored, now: datetime, intake: Admission
) -> None:
    for row, reason in zip(new, hold_back([row.published_at for row in new], intake), strict=True):
        row.held_back = reason or None
        row.settles_at = now + intake.settle if intake.settle else None
    insert_articles(session, new)
    stored.added = len(new)
    stored.held_back = sum(row.held_back is not None for row in new)
    stored.folded = fold(session, [row for row in new if row.held_back is None], now)
    tell_of_articles(session, new, now)


def _new(
    session: Session, known: KnownArticles, source: str, item: ParsedArticle, now: datetime
) -> NewArticle:
    """Make a new article, to be inserted later; one that had its URL before releases it."""
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
    """Update an article, and return whether anything changed; another source adds only topics."""
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
    """Copy an item's values; a known article keeps its canonical URL, its age and its source."""
    if row.text != item.text:
        row.word_count = len(item.text.split())
    for name in _FIELDS:
        if getattr(row, name) != getattr(item, name):
            setattr(row, name, getattr(item, name))


def _topics(row: AnyArticle, topics: Topics) -> list[str]:
    own = row.topics if row.categories is None else row.categories
    return topics.make(row.source, own, row.categories_elsewhere, row.url, row.title)


def _put(rows: list[AnyArticle], row: AnyArticle, *, first: bool = False) -> None:
    if row not in rows:
        rows.insert(0 if first else len(rows), row)


def _marks(one: AnyArticle | ParsedArticle) -> Identity:
    return Identity(one.canonical_url, one.guid, one.published_at)


def _item(one: AnyArticle | ParsedArticle) -> Item:
    return Item(_marks(one), one.title, one.text or one.summary)
