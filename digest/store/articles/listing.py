"""The list of articles for editors: filtered, ordered and limited by the database."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, String, cast
from sqlmodel import Session, col, func, or_, select

from digest.models import Article
from digest.models.article import ArticleFilter

_AT_ONCE = 500
_SHOWN = (
    "id", "title", "url", "published_at", "topics", "source", "author", "first_seen_at", "hidden_at",
    "pinned_at",
)  # fmt: skip


def list_articles(session: Session, wanted: ArticleFilter, limit: int) -> Iterator[dict[str, Any]]:
    """Yield at most `limit` articles, newest first, without their texts; 0 means no limit, and streams."""
    query: Any = select(*(getattr(Article, name) for name in _SHOWN))
    query = query.where(*_conditions(wanted)).order_by(_dated().desc(), col(Article.id).desc())
    if limit:
        query = query.limit(limit)
    for row in session.exec(query.execution_options(yield_per=_AT_ONCE)):
        yield dict(zip(_SHOWN, row, strict=True))


def find_titled(session: Session, words: str, limit: int) -> list[Article]:
    """List the newest articles whose title has all of these words, or parts of words."""
    query = select(Article)
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
