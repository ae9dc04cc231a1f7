"""What is read of stored articles to find related ones: the title and the beginning of the text."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast
from sqlmodel import Session, col, func, select

from digest.articles.related import SIGNS, RelatedStory
from digest.models import Article, Fold
from digest.models.row import row_id

LATEST = 10_000
STORED_LAST = 3 * LATEST
"""Among so many articles, the last stored, those dated latest are looked for: no store is too large."""
_BETWEEN = "\x1f"
"""A sign that no title has: cleaning removes it."""


def list_stories(
    session: Session,
    *,
    before: datetime,
    topics: Collection[str] = (),
    stored_last: int = STORED_LAST,
) -> list[RelatedStory]:
    """List the latest articles dated before a time that may be shown, with one of these topics if any are
    given.

    Only `stored_last` articles, the last stored, are gone through: a page, which has to come at once, asks
    for few.
    """
    # SQLModel's select() has no signature for this many columns.
    columns: Any = (Article.id, Article.title, func.substr(Article.text, 1, SIGNS), _dated(), Article.topics)
    rows = session.exec(_latest(session, columns, before, stored_last))
    wanted = set(topics)
    return [
        RelatedStory(number or 0, title, text, dated)
        for number, title, text, dated, own in rows
        if not wanted or wanted.intersection(own)
    ]


def fingerprint(session: Session, *, before: datetime) -> int:
    """Return a number that is another one where `list_stories` would list other stories, or other words.

    The database joins what can change of all articles that are gone through, without their texts: reading
    them as rows takes four times as long.
    """
    columns: tuple[Any, ...] = (
        Article.id,
        Article.content_hash,
        Article.title,
        Article.updated_at,
        Article.published_at,
        Article.first_seen_at,
        Article.topics,
    )
    written = [func.coalesce(cast(col(one), String), "") for one in columns]
    joined: Any = written[0]
    for one in written[1:]:
        joined = joined + _BETWEEN + one
    query = _among(session, select(joined.label("line")), before, STORED_LAST)
    lines = query.order_by(col(Article.id)).subquery()
    return hash(session.exec(select(func.aggregate_strings(lines.c.line, _BETWEEN))).one())


def _latest(session: Session, columns: Any, before: datetime, stored_last: int) -> Any:
    query = _among(session, select(*columns), before, stored_last)
    return query.order_by(_dated().desc(), col(Article.id).desc()).limit(LATEST)


def _among(session: Session, query: Any, before: datetime, stored_last: int) -> Any:
    floor = (session.exec(select(func.max(Article.id))).one() or 0) - stored_last
    return (
        query.where(col(Article.id) > floor)
        .where(_dated() < before, col(Article.hidden_at).is_(None), col(Article.withdrawn_at).is_(None))
        .where(col(Article.id).not_in(select(Fold.article_id).where(col(Fold.split_at).is_(None))))
    )


def to_story(article: Article) -> RelatedStory:
    """Return what is compared of a loaded article."""
    dated = min(article.published_at or article.first_seen_at, article.first_seen_at)
    return RelatedStory(row_id(article), article.title, article.text[:SIGNS], dated)


def _dated() -> ColumnElement[datetime]:
    """Return an article's date as selection computes it: published, never later than first seen."""
    published, seen = col(Article.published_at), col(Article.first_seen_at)
    return case((published < seen, published), else_=seen)
