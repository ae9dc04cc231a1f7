"""Fold duplicates into the articles of other sources, and split articles that an editor considers
different."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Article, Fold
from digest.models.row import row_id
from digest.rules.articles.duplicates import (
    MOST_TELLERS,
    WINDOW,
    StoryText,
    are_near,
    is_same_story,
    likeness,
    sample,
)
from digest.store.articles import duplicate_index as index
from digest.store.articles import duplicates
from digest.store.articles.bulk import AnyArticle, NewArticle
from digest.store.articles.duplicates import DuplicateCandidate

_AT_ONCE = 100
_MOST_LIKE = 20


def fold(session: Session, rows: Sequence[NewArticle], now: datetime) -> int:
    """Fold new articles of one source into those that told their stories first; return how many."""
    if not rows:
        return 0
    index.forget_runs(session, now - WINDOW)
    return sum(_fold(session, rows[at : at + _AT_ONCE], now) for at in range(0, len(rows), _AT_ONCE))


def _fold(session: Session, rows: Sequence[NewArticle], now: datetime) -> int:
    told = {row_id(row): _told(row) for row in rows}
    runs = {number: sample(tells) for number, tells in told.items()}
    tellers = _tellers(session, runs, now)
    alike = _alike(session, rows[0].source, runs, tellers, now - WINDOW)
    near = duplicates.get_tellers(session, {number for numbers in alike.values() for number in numbers})
    roots = duplicates.roots_of(session, near)
    folded: dict[int, int] = {}
    for row in rows:
        number = row_id(row)
        others = [near[other] for other in alike.get(number, ())]
        if others and (root := _find_root(row, told[number], others, roots)) is not None:
            folded[number] = root.id
    _note(session, runs, tellers, now)
    duplicates.add_folds(session, folded, now)
    return len(folded)


def _tellers(session: Session, runs: Mapping[int, list[int]], now: datetime) -> dict[int, set[int]]:
    return index.tellers_of(session, {run for own in runs.values() for run in own}, now - WINDOW)


def _note(
    session: Session, runs: Mapping[int, list[int]], tellers: Mapping[int, set[int]], now: datetime
) -> None:
    """Add articles to the index, except for shingles that very many have: that limits each search."""
    full = {run for run, known in tellers.items() if len(known) >= MOST_TELLERS}
    noted = {
        number: [run for run in own if run not in full and number not in tellers.get(run, ())]
        for number, own in runs.items()
    }
    index.note_runs(session, noted, now)


def _alike(
    session: Session,
    source: str,
    runs: Mapping[int, list[int]],
    tellers: Mapping[int, set[int]],
    seen_from: datetime,
) -> dict[int, list[int]]:
    """Return for each article those of other sources that share most shingles with it, the earliest first."""
    shared = {
        number: Counter(other for run in own for other in tellers.get(run, ()))
        for number, own in runs.items()
    }
    others = {other for one in shared.values() for other in one}
    may = duplicates.open_elsewhere(session, others, source, seen_from)
    return {
        number: sorted(may.intersection(counted), key=lambda other: (-counted[other], other))[:_MOST_LIKE]
        for number, counted in shared.items()
    }


def refold(session: Session, article: Article, now: datetime) -> None:
    """Check a fold after an edit: one that no edition was made with ends if the texts have become
    different."""
    assert article.id is not None  # noqa: S101 - a stored row
    known = duplicates.find_fold(session, article.id)
    told = _told(article)
    if article.first_seen_at >= now - WINDOW and article.held_back is None:
        runs = {article.id: sample(told)}
        _note(session, runs, _tellers(session, runs, now), now)
    if known is not None and known.split_at is None and not duplicates.is_fixed(session, known):
        root = session.get(Article, known.root_id)
        if root is not None and not is_same_story(_told(root), told):
            session.delete(known)
            session.flush()


def split(session: Session, article_id: int, now: datetime) -> Fold:
    """Separate an article from its root for good; raise InputError if it has none, or if readers have
    both."""
    known = duplicates.find_fold(session, article_id)
    if known is None or known.split_at is not None:
        inside = [
            str(told.article_id) for told in duplicates.list_told(session, [article_id]).get(article_id, ())
        ]
        remedy = (
            f"split one of those folded into it: {', '.join(inside)}"
            if inside
            else "there is nothing to split"
        )
        raise InputError(f"article {article_id} is folded into no other; {remedy}")
    if duplicates.is_fixed(session, known):
        raise InputError(
            f"article {article_id} stays folded into {known.root_id}: an edition has them as one story"
        )
    known.split_at = now
    session.add(known)
    session.flush()
    return known


def _find_root(
    article: NewArticle,
    told: StoryText,
    alike: Sequence[DuplicateCandidate],
    roots: Mapping[int, DuplicateCandidate],
) -> DuplicateCandidate | None:
    """Find the root of the most similar story; an article of the same source is never one."""
    found: list[tuple[float, int, DuplicateCandidate]] = []
    for row in alike:
        root, tells = roots.get(row.id, row), StoryText(row.title, row.said)
        if root.source != article.source and _is_near(root, article) and is_same_story(tells, told):
            found.append((-likeness(tells, told), row.id, root))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _is_near(root: DuplicateCandidate, article: NewArticle) -> bool:
    if not are_near(root.first_seen_at, article.first_seen_at):
        return False
    if root.published_at is None or article.published_at is None:
        return True
    return are_near(root.published_at, article.published_at)


def _told(article: AnyArticle) -> StoryText:
    return StoryText(article.title, article.text or article.summary)
