"""Clicks: two counts for each article of an edition, added to in batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects import sqlite
from sqlmodel import Session, SQLModel, col, func, select

from digest.models import Article, ArticleClicks, Delivery, DeliveryState, Edition, EditionName
from digest.models.row import row_id

Counted = tuple[int, int]
"""Clicks of readers, and of scanners."""


@dataclass(frozen=True, slots=True)
class ClickedArticle:
    """An article and how often its link was followed, in one edition or in several."""

    title: str
    clicks: int
    scanned: int
    article_id: int


def add_clicks(
    session: Session, counts: Mapping[tuple[EditionName, int], Counted], fewest_readers: int
) -> int:
    """Add counts; return how many rows were touched.

    Editions that do not exist yet (a proof's links) and those with fewer readers than `fewest_readers` are
    left out: a count of theirs could tell who clicked.
    """
    ids = {name: _find_counted(session, name, fewest_readers) for name in {name for name, _ in counts}}
    rows = [
        {"edition_id": ids[name], "article_id": article, "clicks": clicks, "scanned": scanned}
        for (name, article), (clicks, scanned) in sorted(counts.items())
        if ids[name] is not None
    ]
    if not rows:
        return 0
    table = SQLModel.metadata.tables[str(ArticleClicks.__tablename__)]
    key = ["edition_id", "article_id"]
    if session.get_bind().dialect.name == "sqlite":
        into = sqlite.insert(table)
        added = {name: table.c[name] + into.excluded[name] for name in ("clicks", "scanned")}
        session.connection().execute(into.on_conflict_do_update(key, set_=added), rows)
    else:
        from sqlalchemy.dialects import postgresql  # imported here: it is large, and SQLite does not need it

        also = postgresql.insert(table)
        added = {name: table.c[name] + also.excluded[name] for name in ("clicks", "scanned")}
        session.connection().execute(also.on_conflict_do_update(index_elements=key, set_=added), rows)
    return len(rows)


def list_clicked(session: Session, edition_id: int) -> list[ClickedArticle]:
    """List the articles of an edition that were followed, the most followed first."""
    query = (
        select(ArticleClicks, Article.title)
        .join(Article, col(Article.id) == col(ArticleClicks.article_id))
        .where(ArticleClicks.edition_id == edition_id)
        .order_by(col(ArticleClicks.clicks).desc(), col(ArticleClicks.article_id))
    )
    found = session.exec(query)
    return [ClickedArticle(title, row.clicks, row.scanned, row.article_id) for row, title in found]


def list_most_clicked(session: Session, since: datetime, limit: int) -> list[ClickedArticle]:
    """List the articles that were followed most, over all editions whose deadline is since a moment."""
    clicks = func.sum(ArticleClicks.clicks).label("clicks")
    query = (
        select(Article.title, clicks, func.sum(ArticleClicks.scanned), col(ArticleClicks.article_id))
        .join(Article, col(Article.id) == col(ArticleClicks.article_id))
        .join(Edition, col(Edition.id) == col(ArticleClicks.edition_id))
        .where(col(Edition.deadline_at) >= since)
        .group_by(col(ArticleClicks.article_id), col(Article.title))
        .order_by(clicks.desc(), col(ArticleClicks.article_id))
        .limit(limit)
    )
    return [ClickedArticle(*row) for row in session.exec(query)]


def _find_counted(session: Session, name: EditionName, fewest_readers: int) -> int | None:
    """Return the id of an edition that may be counted."""
    digest, cadence, period = name
    query = select(Edition).where(
        Edition.digest == digest, Edition.cadence == cadence, Edition.period == period
    )
    edition = session.exec(query).first()
    if edition is None:
        return None
    got = select(Delivery.id).where(
        Delivery.edition_id == row_id(edition), Delivery.state != DeliveryState.WITHHELD
    )
    readers = len(session.exec(got.limit(fewest_readers)).all())
    return row_id(edition) if readers >= fewest_readers else None
