"""The list of articles for editors: filtered, ordered and limited by the database."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast
from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, or_, select

from digest.models import Article
from digest.models.article import ArticleFilter
from digest.models.row import row_id

_AT_ONCE = 500
LOOKED_THROUGH = 20_000
"""How many articles one page of a search goes through at most."""
_SHOWN = (
    "id", "title", "url", "published_at", "topics", "source", "author", "first_seen_at", "hidden_at",
    "pinned_at",
)  # fmt: skip
_WITHOUT_BODIES = (defer(Article.html), defer(Article.text))  # type: ignore[arg-type]


def list_articles(session: Session, wanted: ArticleFilter, limit: int) -> Iterator[dict[str, Any]]:
    """Yield at most `limit` articles, newest first, without their texts; 0 means no limit, and streams."""
    query: Any = select(*(getattr(Article, name) for name in _SHOWN))
    query = query.where(*_conditions(wanted)).order_by(_dated().desc(), col(Article.id).desc())
    if limit:
        query = query.limit(limit)
    for row in session.exec(query.execution_options(yield_per=_AT_ONCE)):
        yield dict(zip(_SHOWN, row, strict=True))


@dataclass(frozen=True, slots=True)
class FoundArticles:
    """A page of articles, the last stored first; `below` is the id to go on below, None at the end.

    `is_whole` where the page is full or the store has ended; else the search stopped at its bound.
    """

    articles: list[Article]
    below: int | None
    is_whole: bool


def find_articles(session: Session, wanted: ArticleFilter, below: int | None, limit: int) -> FoundArticles:
    """Find articles that match, by going through a bounded number of them, so that a page comes at once."""
    top = below if below is not None else _last_id(session) + 1
    floor = max(1, top - LOOKED_THROUGH)
    query = select(Article).where(col(Article.id) < top, col(Article.id) >= floor, *_conditions(wanted))
    query = query.options(*_WITHOUT_BODIES)
    found = list(session.exec(query.order_by(col(Article.id).desc()).limit(limit + 1)))
    if len(found) > limit:
        return FoundArticles(found[:limit], row_id(found[limit - 1]), is_whole=True)
    return FoundArticles(found, floor if floor > 1 else None, is_whole=floor == 1)


def _last_id(session: Session) -> int:
    return session.exec(select(func.max(Article.id))).one() or 0


def find_titled(session: Session, words: str, limit: int) -> list[Article]:
    """List the newest articles whose title has all of these words, or parts of words."""
    query = select(Article).options(*_WITHOUT_BODIES)
    for word in words.split():
        query = query.where(col(Article.title).icontains(word, autoescape=True))
    return list(session.exec(query.order_by(col(Article.id).desc()).limit(limit)))


def _dated() -> ColumnElement[Any]:
    return func.coalesce(Article.published_at, Article.first_seen_at)


def _conditions(wanted: ArticleFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.topic:
        yield _has_topic(wanted.topic)
    if wanted.source:
        yield col(Article.source) == wanted.source
    if wanted.since:
        yield _dated() >= wanted.since
    for word in wanted.search.split():
        fields = (Article.title, Article.summary, Article.text)
        yield or_(*(col(field).icontains(word, autoescape=True) for field in fields))
    for state, field in ((wanted.hidden, Article.hidden_at), (wanted.pinned, Article.pinned_at)):
        if state is not None:
            yield col(field).is_not(None) if state else col(field).is_(None)


def _has_topic(topic: str) -> ColumnElement[bool]:
    # No topic contains a quotation mark, so the quoted topic matches whole members of the list only.
    return cast(col(Article.topics), String).contains(json.dumps(topic), autoescape=True)
