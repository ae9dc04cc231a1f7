"""Old articles: those that nothing refers to are deleted; those in the ledger lose their bodies."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists
from sqlmodel import Session, and_, col, func, not_, or_, select, update

from digest.models import OPEN, Article, Delivery, VariantArticle


@dataclass(frozen=True, slots=True)
class Prunable:
    """How many articles are deleted, and how many keep their identity but lose their body."""

    removed: int
    emptied: int


def count_prunable(session: Session, before: datetime) -> Prunable:
    """Count what pruning would delete and empty."""
    return Prunable(_count(session, _is_removable(before)), _count(session, _is_emptied(before)))


def prune(session: Session, before: datetime) -> Prunable:
    """Delete and empty the articles last dated before a time, in one transaction."""
    counted = count_prunable(session, before)
    session.exec(delete(Article).where(_is_removable(before)))
    bare = update(Article).where(_is_emptied(before)).values(html="", text="", image_url=None, image_alt=None)
    session.exec(bare)
    return counted


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(Article).where(condition)).one()


def _is_old(before: datetime) -> ColumnElement[bool]:
    dated = func.coalesce(Article.published_at, Article.first_seen_at)
    return and_(dated < before, col(Article.first_seen_at) < before)


def _is_removable(before: datetime) -> ColumnElement[bool]:
    """Match what nothing refers to; an undated article stays, because it would be new again if its source
    brought it."""
    return and_(_is_old(before), col(Article.published_at).is_not(None), not_(_is_named()))


def _is_emptied(before: datetime) -> ColumnElement[bool]:
    kept = or_(col(Article.published_at).is_(None), _is_named())
    has_body = or_(col(Article.html) != "", col(Article.text) != "", col(Article.image_url).is_not(None))
    return and_(_is_old(before), kept, has_body, not_(_is_still_sent()))


def _is_named() -> ColumnElement[bool]:
    return exists().where(col(VariantArticle.article_id) == col(Article.id))


def _is_still_sent() -> ColumnElement[bool]:
    """Match an article of a message that has not been sent: the message's bytes must not change."""
    return exists().where(
        col(VariantArticle.article_id) == col(Article.id),
        col(Delivery.variant_id) == col(VariantArticle.variant_id),
        col(Delivery.state).in_(OPEN),
    )
