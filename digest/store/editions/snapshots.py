"""Articles as they were when an edition froze: what its readers get does not change afterwards."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, literal
from sqlmodel import Session, col, delete, select

from digest.models import Article, Edition, FrozenArticle, Variant, VariantArticle
from digest.rules.articles.images import UPLOADED
from digest.store.articles.articles import get_articles, in_parts

_CONTENT = tuple(name for name in FrozenArticle.model_fields if name not in ("edition_id", "article_id"))

_CHANGEABLE = ("title", "summary", "image_alt")
NO_IMAGE = "none"
"""The value of an edition's change that leaves an article's picture out."""


def keep(session: Session, edition_id: int) -> None:
    """Copy what the edition's variants show, related articles too; called in the commit that freezes it."""
    columns = [Article.__table__.c[name] for name in _CONTENT]  # type: ignore[attr-defined]
    for part in in_parts(_shown(session, edition_id)):
        rows = select(literal(edition_id), col(Article.id), *columns).where(col(Article.id).in_(part))
        names = ["edition_id", "article_id", *_CONTENT]
        session.connection().execute(insert(FrozenArticle).from_select(names, rows))


def articles_of(session: Session, edition_id: int, ids: Collection[int]) -> dict[int, Article]:
    """Return articles by id as they were at the edition's freeze.

    Articles without a copy (of an edition that was finished long ago) are returned as they are now.
    """
    found = get_articles(session, ids)
    for part in in_parts(ids):
        rows = session.exec(
            select(FrozenArticle).where(
                FrozenArticle.edition_id == edition_id, col(FrozenArticle.article_id).in_(part)
            )
        )
        for kept in rows:
            now = found.get(kept.article_id)
            if now is not None:
                found[kept.article_id] = Article(**now.model_dump() | kept.model_dump(include=set(_CONTENT)))
    changes = session.exec(select(Edition.changes).where(Edition.id == edition_id)).first() or {}
    return with_changes(found, changes)


def with_changes(
    found: Mapping[int, Article], changes: Mapping[str, Mapping[str, str]]
) -> dict[int, Article]:
    """Return articles as an edition shows them: with the words that its editors changed for it alone."""
    known = dict(found)
    for key, change in changes.items():
        article = known.get(int(key))
        if article is not None:
            known[int(key)] = Article(**article.model_dump() | _own(article, change))
    return known


def _own(article: Article, change: Mapping[str, str]) -> dict[str, Any]:
    own: dict[str, Any] = {name: change[name] for name in _CHANGEABLE if name in change}
    if "section" in change:
        own["topics"] = list(dict.fromkeys([change["section"], *article.topics]))
    if change.get("image") == NO_IMAGE:
        own["image_url"] = None
    elif change.get("image", "").startswith(UPLOADED):
        own["image_url"] = change["image"]
    return own


def forget_finished(session: Session, before: datetime) -> None:
    """Delete the copies of editions that finished long ago: nothing is composed from them any more."""
    finished = select(Edition.id).where(col(Edition.finished_at) < before)
    session.exec(delete(FrozenArticle).where(col(FrozenArticle.edition_id).in_(finished)))


def _shown(session: Session, edition_id: int) -> set[int]:
    listed = (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .where(Variant.edition_id == edition_id)
    )
    shown = set(session.exec(listed.distinct()))
    for related in session.exec(select(Variant.related).where(Variant.edition_id == edition_id)):
        shown.update(related)
    return shown
