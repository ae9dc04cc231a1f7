"""Folded articles, and what is read of articles to find duplicates."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, case
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from digest.models import Article, Edition, Fold, Variant, VariantArticle
from digest.store.articles.articles import in_parts

_SHOWN: tuple[Any, ...] = (
    Fold.article_id, Fold.root_id, Article.source, Article.title, Article.url, Article.topics, Fold.folded_at,
    Article.withdrawn_at,
)  # fmt: skip
_TOLD = (
    select(*_SHOWN)
    .join_from(Fold, Article, col(Article.id) == col(Fold.article_id))
    .where(col(Fold.split_at).is_(None))
    .order_by(col(Fold.root_id), col(Fold.article_id))
)
# Built once, because it runs for each claim: building a statement takes longer than running it.
_TOLD_OF = _TOLD.where(col(Fold.root_id).in_(bindparam("roots", expanding=True)))


@dataclass(frozen=True, slots=True)
class OtherSource:
    """An article that is folded into `root_id`: another source of the story, and its topics."""

    article_id: int
    root_id: int
    source: str
    title: str
    url: str
    topics: tuple[str, ...]
    folded_at: datetime
    is_withdrawn: bool = False


class DuplicateCandidate(NamedTuple):
    """What is compared of a stored article to find duplicates; loading the whole row would cost more."""

    id: int
    source: str
    first_seen_at: datetime
    published_at: datetime | None
    title: str
    said: str


_TELLER = (
    col(Article.id),
    col(Article.source),
    col(Article.first_seen_at),
    col(Article.published_at),
    col(Article.title),
    case((col(Article.text) != "", col(Article.text)), else_=col(Article.summary)),
)


def get_tellers(session: Session, ids: Collection[int]) -> dict[int, DuplicateCandidate]:
    """Return what is compared of articles, by id."""
    found: dict[int, DuplicateCandidate] = {}
    for part in in_parts(ids):
        rows = session.execute(sa_select(*_TELLER).where(col(Article.id).in_(part)))
        found.update((row[0], DuplicateCandidate._make(row)) for row in rows)
    return found


def open_elsewhere(session: Session, ids: Collection[int], source: str, seen_from: datetime) -> set[int]:
    """Return those of some articles that come from other sources and may enter editions."""
    found: set[int] = set()
    for part in in_parts(ids):
        query = (
            select(Article.id)
            .where(col(Article.id).in_(part), Article.source != source)
            .where(col(Article.first_seen_at) >= seen_from, col(Article.held_back).is_(None))
            .where(col(Article.hidden_at).is_(None), col(Article.withdrawn_at).is_(None))
        )
        found.update(number for number in session.exec(query) if number is not None)
    return found


def roots_of(session: Session, ids: Collection[int]) -> dict[int, DuplicateCandidate]:
    """Return the root of each of these articles that is folded."""
    found: dict[int, DuplicateCandidate] = {}
    for part in in_parts(ids):
        query = sa_select(col(Fold.article_id), *_TELLER).join(Article, col(Article.id) == col(Fold.root_id))
        rows = session.execute(query.where(col(Fold.article_id).in_(part), col(Fold.split_at).is_(None)))
        found.update((row[0], DuplicateCandidate._make(row[1:])) for row in rows)
    return found


def find_fold(session: Session, article_id: int) -> Fold | None:
    """Find the fold of an article into another, including one that was split again."""
    return session.get(Fold, article_id)


def add_folds(session: Session, roots: Mapping[int, int], now: datetime) -> None:
    """Fold articles, each into its root."""
    session.add_all(
        Fold(article_id=article_id, root_id=root_id, folded_at=now) for article_id, root_id in roots.items()
    )
    session.flush()


def is_fixed(session: Session, fold: Fold) -> bool:
    """Return whether an edition was made with this fold, so that readers of the root have the story."""
    query = (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .join(Edition, col(Edition.id) == col(Variant.edition_id))
        .where(VariantArticle.article_id == fold.root_id, col(Edition.freeze_at) >= fold.folded_at)
    )
    return session.exec(query.limit(1)).first() is not None


def list_told(session: Session, roots: Collection[int]) -> dict[int, list[OtherSource]]:
    """List what is folded into articles, the earliest first."""
    return _told(session.connection().execute(_TOLD_OF, {"roots": list(roots)}))


def list_told_since(session: Session, seen_from: datetime) -> dict[int, list[OtherSource]]:
    """List what was folded into any article and first seen from a moment on."""
    return _told(session.connection().execute(_TOLD.where(col(Article.first_seen_at) >= seen_from)))


def _told(rows: Iterable[Any]) -> dict[int, list[OtherSource]]:
    told: dict[int, list[OtherSource]] = {}
    for article_id, root_id, source, title, url, topics, folded_at, withdrawn_at in rows:
        retold = OtherSource(
            article_id, root_id, source, title, url, tuple(topics), folded_at, withdrawn_at is not None
        )
        told.setdefault(root_id, []).append(retold)
    return told


def story_of(session: Session, article_id: int) -> list[int]:
    """List the ids of all articles of a story, its root first."""
    fold = find_fold(session, article_id)
    root = article_id if fold is None or fold.split_at is not None else fold.root_id
    query = select(Fold.article_id).where(*_of_roots([root])).order_by(col(Fold.article_id))
    return [root, *session.exec(query)]


def _of_roots(roots: Collection[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Fold.root_id).in_(roots), col(Fold.split_at).is_(None)
