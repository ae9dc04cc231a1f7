"""Match articles to those that are known, store what is new, and fold what another source told before."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.articles.marks import told_apart
from digest.articles.parsed import ParsedArticle
from digest.models import Article
from digest.rules.folding import Marks, Told, is_another_story
from digest.rules.intake import Intake, hold_back
from digest.store import articles
from digest.tasks.folding import fold, refold

BY_HAND = "added"
"""The source of articles that an editor adds: what is added by hand may change any article."""

_ANYTHING = Intake()
_LONG_ENOUGH = 20
_SAME_WEEK = timedelta(days=7)
_FIELDS = (
    "url", "guid", "content_hash", "title", "title_formed", "summary", "html", "text", "author", "image_url",
    "image_alt", "language", "place", "agency",
)  # fmt: skip


@dataclass(slots=True)
class Stored:
    """What became of a source's articles; `held_back` and `folded` are among those added."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    held_back: int = 0
    folded: int = 0


def store_articles(
    session: Session, source: str, parsed: Iterable[ParsedArticle], now: datetime, intake: Intake = _ANYTHING
) -> Stored:
    """Match articles to those known and store what is new; an edit updates and is never new."""
    stored = Stored()
    new: list[Article] = []
    for item in told_apart(list(parsed)):
        row = _find(session, source, item)
        if row is None:
            new.append(_add(session, source, item, now))
        elif _take_over(row, source, item):
            row.updated_at = now
            session.add(row)
            session.flush()
            refold(session, row, now)
            stored.updated += 1
        else:
            stored.unchanged += 1
    _admit(session, new, stored, now, intake)
    return stored


def _admit(session: Session, new: Sequence[Article], stored: Stored, now: datetime, intake: Intake) -> None:
    reasons = hold_back([row.published_at for row in new], intake)
    for row, reason in zip(new, reasons, strict=True):
        row.held_back = reason or None
        session.add(row)
        session.flush()
        stored.added += 1
        stored.held_back += bool(reason)
        if not reason:
            stored.folded += fold(session, row, now)


def _find(session: Session, source: str, item: ParsedArticle) -> Article | None:
    """Find the article that this is, by its address, its guid, or what it says."""
    marks, tells = Marks(item.canonical_url, item.guid, item.published_at), None
    for row in _like(session, source, item):
        tells = tells or Told.of(item.title, item.text or item.summary)
        known = Marks(row.canonical_url, row.guid if row.source == source else None, row.published_at)
        if row.source != source or not is_another_story(known, _told(row), marks, tells):
            return row
    return None


def _like(session: Session, source: str, item: ParsedArticle) -> Iterator[Article]:
    by_address = articles.find_at(session, item.canonical_url)
    if by_address is not None:
        yield by_address
    if item.guid is not None:
        yield from articles.find_by_guid(session, source, item.guid)
    for row in articles.find_same_content(session, source, item.content_hash):
        if _says_enough(row, item):
            yield row


def _says_enough(row: Article, item: ParsedArticle) -> bool:
    """Tell whether the same words are the same article, not a phrase that comes again and again."""
    if not (item.text or item.summary):
        return False
    if row.word_count >= _LONG_ENOUGH or not (row.published_at and item.published_at):
        return True
    return abs(row.published_at - item.published_at) < _SAME_WEEK


def _told(row: Article) -> Told:
    return Told.of(row.title, row.text or row.summary)


def _add(session: Session, source: str, item: ParsedArticle, now: datetime) -> Article:
    """Enter a new article; one that stood at its address before gives it up."""
    before = articles.find_at(session, item.canonical_url)
    if before is not None:
        articles.vacate(session, before)
    row = Article(
        source=source,
        canonical_url=item.canonical_url,
        url=item.url,
        content_hash=item.content_hash,
        title=item.title,
        published_at=item.published_at,
        first_seen_at=now,
    )
    _apply(row, item)
    session.add(row)
    session.flush()
    return row


def _take_over(row: Article, source: str, item: ParsedArticle) -> bool:
    """Take what is new over, and tell whether anything was; another source's word adds only topics."""
    if source not in (row.source, BY_HAND):
        missing = [topic for topic in item.topics if topic not in row.topics]
        row.topics_elsewhere = [*(row.topics_elsewhere or []), *missing]
        row.topics = [*row.topics, *missing]
        return bool(missing)
    if all(getattr(row, name) == getattr(item, name) for name in _FIELDS) and row.topics == _topics(
        row, item
    ):
        return False
    _apply(row, item)
    return True


def _apply(row: Article, item: ParsedArticle) -> None:
    """Take an item's values over; a known article keeps its canonical URL, its age and its source."""
    for name in _FIELDS:
        setattr(row, name, getattr(item, name))
    row.topics = _topics(row, item)
    row.word_count = len(item.text.split())


def _topics(row: Article, item: ParsedArticle) -> list[str]:
    return list(dict.fromkeys([*item.topics, *(row.topics_elsewhere or [])]))
