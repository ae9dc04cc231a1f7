"""The topics of stored articles, derived again in batches, and the rules that they were derived by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select, update

from digest.models import Article, Edition, EditionState, Memo, Variant, VariantArticle
from digest.store.articles.articles import in_parts
from digest.store.keys import keep_memo

_MARK = "topics"


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What topics are derived from, and an article's current topics."""

    id: int
    source: str
    url: str
    title: str
    categories: Sequence[str]
    elsewhere: Mapping[str, Sequence[str]] | None
    topics: Sequence[str]


def find_key(session: Session) -> str | None:
    """Find the key of the rules by which the topics of all articles were derived."""
    mark = session.get(Memo, _MARK)
    return mark.value if mark else None


def note_key(session: Session, key: str) -> None:
    """Store the key of the rules by which the topics of all articles are derived."""
    keep_memo(session, _MARK, key)


def list_called(session: Session, *, after_id: int, count: int) -> list[TopicFacts]:
    """List articles with known categories in the order of their ids, after an id, up to a number."""
    columns: Any = (
        Article.id, Article.source, Article.url, Article.title, Article.categories,
        Article.categories_elsewhere, Article.topics,
    )  # fmt: skip
    query = select(*columns).where(col(Article.id) > after_id, col(Article.categories).is_not(None))
    return [TopicFacts(*row) for row in session.exec(query.order_by(col(Article.id)).limit(count))]


def list_under_way(session: Session, ids: Collection[int]) -> set[int]:
    """List those of some articles that are in unfinished editions, whose messages must not change."""
    query = (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .join(Edition, col(Edition.id) == col(Variant.edition_id))
        .where(col(Edition.state).not_in((EditionState.FINISHED, EditionState.SKIPPED)))
    )
    return {
        number
        for part in in_parts(ids)
        for number in session.exec(query.where(col(VariantArticle.article_id).in_(part)).distinct())
    }


def set_topics(session: Session, topics: Mapping[int, list[str]]) -> None:
    """Set the topics of articles, by id; this is no edit."""
    if topics:
        change = update(Article).where(col(Article.id) == bindparam("of")).values(topics=bindparam("made"))
        session.connection().execute(
            change, [{"of": number, "made": made} for number, made in topics.items()]
        )
