"""Folds in the database, and the index of runs that finds them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert
from sqlmodel import Session, col, func, select

from digest.models import Article, Edition, Fold, Run, Variant, VariantArticle
from digest.store.articles import in_parts

_TELLERS = select(Run.value, Run.article_id).where(col(Run.value).in_(bindparam("values", expanding=True)))

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
# Written once, as what is asked for each claim: to build a statement takes longer than to run it.
_TOLD_OF = _TOLD.where(col(Fold.root_id).in_(bindparam("roots", expanding=True)))


@dataclass(frozen=True, slots=True)
class Retold:
    """An article folded into `root_id`: where else a story is told, and under which topics."""

    article_id: int
    root_id: int
    source: str
    title: str
    url: str
    topics: tuple[str, ...]
    folded_at: datetime
    is_withdrawn: bool = False


def note_runs(session: Session, noted: Mapping[int, Iterable[int]]) -> None:
    """Enter articles, by id, with their runs into the index."""
    rows = sorted((run, article_id) for article_id, runs in noted.items() for run in runs)
    if rows:
        entries = [{"value": run, "article_id": article_id} for run, article_id in rows]
        session.connection().execute(insert(Run), entries)


def forget_article(session: Session, article_id: int) -> None:
    """Take an article out of the index."""
    session.exec(delete(Run).where(col(Run.article_id) == article_id))


def forget_runs(session: Session, before: datetime) -> None:
    """Drop what is too old to be told by another source now."""
    first = select(func.min(Article.id)).where(col(Article.first_seen_at) >= before).scalar_subquery()
    session.exec(delete(Run).where(col(Run.article_id) < first))


def tellers_of(session: Session, runs: Collection[int]) -> dict[int, list[int]]:
    """Give the articles that have a run, for each of these that the index knows."""
    found: dict[int, list[int]] = defaultdict(list)
    for part in in_parts(runs):
        for value, article_id in session.exec(_TELLERS, params={"values": part}):
            found[value].append(article_id)
    return found


def open_elsewhere(session: Session, ids: Collection[int], source: str, seen_from: datetime) -> set[int]:
    """Give those of some articles that are of other sources, and that editions may hold."""
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


def roots_of(session: Session, ids: Collection[int]) -> dict[int, Article]:
    """Give the root of each of these articles that is folded into one."""
    found: dict[int, Article] = {}
    for part in in_parts(ids):
        query = select(Fold.article_id, Article).join(Article, col(Article.id) == col(Fold.root_id))
        rows = session.exec(query.where(col(Fold.article_id).in_(part), col(Fold.split_at).is_(None)))
        found.update((article_id, row) for article_id, row in rows)
    return found


def find_fold(session: Session, article_id: int) -> Fold | None:
    """Find the fold of an article into another, one that was split again too."""
    return session.get(Fold, article_id)


def add_folds(session: Session, roots: Mapping[int, int], now: datetime) -> None:
    """Fold articles, each into its root."""
    session.add_all(
        Fold(article_id=article_id, root_id=root_id, folded_at=now) for article_id, root_id in roots.items()
    )
    session.flush()


def is_root(session: Session, article_id: int) -> bool:
    """Tell whether others are folded into an article."""
    return session.exec(select(Fold.article_id).where(*_of_roots([article_id]))).first() is not None


def is_fixed(session: Session, fold: Fold) -> bool:
    """Tell whether an edition was made with this fold: readers who got the root have the story."""
    query = (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .join(Edition, col(Edition.id) == col(Variant.edition_id))
        .where(VariantArticle.article_id == fold.root_id, col(Edition.freeze_at) >= fold.folded_at)
    )
    return session.exec(query.limit(1)).first() is not None


def list_told(session: Session, roots: Collection[int]) -> dict[int, list[Retold]]:
    """List what is folded into articles, the earliest first."""
    return _told(session.connection().execute(_TOLD_OF, {"roots": list(roots)}))


def list_told_since(session: Session, seen_from: datetime) -> dict[int, list[Retold]]:
    """List what is folded into any article and was first seen from a moment on."""
    return _told(session.connection().execute(_TOLD.where(col(Article.first_seen_at) >= seen_from)))


def _told(rows: Iterable[Any]) -> dict[int, list[Retold]]:
    told: dict[int, list[Retold]] = {}
    for article_id, root_id, source, title, url, topics, folded_at, withdrawn_at in rows:
        retold = Retold(
            article_id, root_id, source, title, url, tuple(topics), folded_at, withdrawn_at is not None
        )
        told.setdefault(root_id, []).append(retold)
    return told


def story_of(session: Session, article_id: int) -> list[int]:
    """List the ids of all that tell one story, its root first."""
    fold = find_fold(session, article_id)
    root = article_id if fold is None or fold.split_at is not None else fold.root_id
    query = select(Fold.article_id).where(*_of_roots([root])).order_by(col(Fold.article_id))
    return [root, *session.exec(query)]


def _of_roots(roots: Collection[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Fold.root_id).in_(roots), col(Fold.split_at).is_(None)
