"""Fold a story that another source told before, and part two that an editor holds for different ones."""

from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Article, Fold
from digest.rules.folding import WINDOW, Told, are_near, is_same_story, likeness, sample
from digest.store import folds


def fold(session: Session, article: Article, now: datetime) -> bool:
    """Fold a new article into what told its story first in another source; tell whether there is one."""
    assert article.id is not None  # noqa: S101 - a stored row
    told = Told.of(article.title, article.text or article.summary)
    runs = sample(told)
    folds.forget_runs(session, now - WINDOW)
    root = _find_root(session, article, told, runs) if runs else None
    folds.note_runs(session, article.id, runs, article.first_seen_at)
    if root is None or root.id is None:
        return False
    folds.add_fold(session, article.id, root.id, now)
    return True


def refold(session: Session, article: Article, now: datetime) -> None:
    """Look again after an edit: a fold that no edition was made with ends where the texts part."""
    assert article.id is not None  # noqa: S101 - a stored row
    known = folds.find_fold(session, article.id)
    told = Told.of(article.title, article.text or article.summary)
    if article.first_seen_at >= now - WINDOW and article.held_back is None:
        folds.note_runs(session, article.id, sample(told), article.first_seen_at)
    if known is not None and known.split_at is None and not folds.is_fixed(session, known):
        root = session.get(Article, known.root_id)
        if root is not None and not is_same_story(_told(root), told):
            session.delete(known)
            session.flush()


def split(session: Session, article_id: int, now: datetime) -> Fold:
    """Part an article from its root for good; raise InputError where it is in none, or readers have both."""
    known = folds.find_fold(session, article_id)
    if known is None or known.split_at is not None:
        inside = [str(told.article_id) for told in folds.list_told(session, [article_id]).get(article_id, ())]
        remedy = (
            f"split one of those folded into it: {', '.join(inside)}"
            if inside
            else "there is nothing to split"
        )
        raise InputError(f"article {article_id} is folded into no other; {remedy}")
    if folds.is_fixed(session, known):
        raise InputError(
            f"article {article_id} stays folded into {known.root_id}: an edition has them as one story"
        )
    known.split_at = now
    session.add(known)
    session.flush()
    return known


def _find_root(session: Session, article: Article, told: Told, runs: list[int]) -> Article | None:
    """Find the root of the likest story; an article of the same source is none, whatever lies between."""
    seen_from = article.first_seen_at - WINDOW
    alike = folds.list_alike(
        session, runs, source=article.source, seen_from=seen_from, before_id=article.id or 0
    )
    ranked = sorted(((likeness(_told(row), told), -(row.id or 0), row) for row in alike), reverse=True)
    for _, _, row in ranked:
        root = _root_of(session, row)
        if root.source != article.source and _is_near(root, article) and is_same_story(_told(row), told):
            return root
    return None


def _root_of(session: Session, article: Article) -> Article:
    known = folds.find_fold(session, article.id or 0)
    if known is None or known.split_at is not None:
        return article
    return session.get_one(Article, known.root_id)


def _is_near(root: Article, article: Article) -> bool:
    if not are_near(root.first_seen_at, article.first_seen_at):
        return False
    if root.published_at is None or article.published_at is None:
        return True
    return are_near(root.published_at, article.published_at)


def _told(article: Article) -> Told:
    return Told.of(article.title, article.text or article.summary)
