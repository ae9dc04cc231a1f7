"""Folds in the database, and the index of runs that finds them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert
from sqlmodel import Session, col, func, select

from digest.models import Article, Edition, Fold, Run, Variant, VariantArticle

_MOST_LIKE = 20


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


def note_runs(session: Session, article_id: int, runs: Iterable[int], seen_at: datetime) -> None:
    """Enter an article into the index, instead of what stood there for it."""
    session.exec(delete(Run).where(col(Run.article_id) == article_id))
    rows = [{"value": run, "article_id": article_id, "seen_at": seen_at} for run in runs]
    if rows:
        session.connection().execute(insert(Run), rows)


def forget_runs(session: Session, before: datetime) -> None:
    """Drop what is too old to be told by another source now."""
    session.exec(delete(Run).where(col(Run.seen_at) < before))


def list_alike(
    session: Session, runs: Sequence[int], *, source: str, seen_from: datetime, before_id: int
) -> list[Article]:
    """List the earlier articles of other sources that share most runs, and that editions may hold."""
    shared = func.count()
    near = (
        select(Run.article_id)
        .join(Article, col(Article.id) == col(Run.article_id))
        .where(col(Run.value).in_(runs), col(Article.id) < before_id, Article.source != source)
        .where(col(Article.first_seen_at) >= seen_from, col(Article.held_back).is_(None))
        .where(col(Article.hidden_at).is_(None), col(Article.withdrawn_at).is_(None))
        .group_by(col(Run.article_id))
        .order_by(shared.desc(), col(Run.article_id))
        .limit(_MOST_LIKE)
    )
    ids = list(session.exec(near))
    found = {row.id: row for row in session.exec(select(Article).where(col(Article.id).in_(ids)))}
    return [found[article_id] for article_id in ids]


def find_fold(session: Session, article_id: int) -> Fold | None:
    """Find the fold of an article into another, one that was split again too."""
    return session.get(Fold, article_id)


def add_fold(session: Session, article_id: int, root_id: int, now: datetime) -> None:
    """Fold an article into another."""
    session.add(Fold(article_id=article_id, root_id=root_id, folded_at=now))
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
    return _list_told(session, *_of_roots(roots))


def list_told_since(session: Session, seen_from: datetime) -> dict[int, list[Retold]]:
    """List what is folded into any article and was first seen from a moment on."""
    return _list_told(session, col(Fold.split_at).is_(None), col(Article.first_seen_at) >= seen_from)


def _list_told(session: Session, *conditions: ColumnElement[bool]) -> dict[int, list[Retold]]:
    query = (
        select(Fold, Article)
        .join(Article, col(Article.id) == col(Fold.article_id))
        .where(*conditions)
        .order_by(col(Fold.root_id), col(Fold.article_id))
    )
    told: dict[int, list[Retold]] = defaultdict(list)
    for fold, one in session.exec(query):
        retold = Retold(
            fold.article_id, fold.root_id, one.source, one.title, one.url, tuple(one.topics), fold.folded_at
        )
        told[fold.root_id].append(retold)
    return dict(told)


def story_of(session: Session, article_id: int) -> list[int]:
    """List the ids of all that tell one story, its root first."""
    fold = find_fold(session, article_id)
    root = article_id if fold is None or fold.split_at is not None else fold.root_id
    query = select(Fold.article_id).where(*_of_roots([root])).order_by(col(Fold.article_id))
    return [root, *session.exec(query)]


def _of_roots(roots: Collection[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Fold.root_id).in_(roots), col(Fold.split_at).is_(None)
