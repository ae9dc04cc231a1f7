"""What selection chooses from and by: the stored articles, each with those that tell its story elsewhere."""

from datetime import UTC, datetime

from sqlmodel import Session

from digest.models import Article, Draft, Reach
from digest.models.row import row_id
from digest.rules.editions.arrangement import UNSHAPED, Arrangement
from digest.rules.editions.selection import Candidate, Limits
from digest.settings import DigestSettings
from digest.store.articles import articles, duplicates

BEGINNING = datetime.min.replace(tzinfo=UTC)


def candidates(
    session: Session, *, seen_from: datetime, seen_to: datetime, shape: Arrangement = UNSHAPED
) -> list[Candidate]:
    """List the candidates of an edition; the topics of a story are those of all who tell it."""
    rows = articles.list_candidates(session, seen_from=seen_from, seen_to=seen_to, added=shape.added)
    told = duplicates.list_told_since(session, seen_from)
    told |= duplicates.list_told(session, list(shape.added)) if shape.added else {}
    return [to_candidate(row, told.get(row_id(row), []), seen_to) for row in rows]


def candidate(session: Session, article: Article, at: datetime) -> Candidate:
    """Give one article as selection sees it."""
    told = duplicates.list_told(session, [row_id(article)])
    return to_candidate(article, told.get(row_id(article), []), at)


def to_candidate(article: Article, told: list[duplicates.OtherSource], at: datetime) -> Candidate:
    """Give what selection has to know of a stored article with what was folded into it by then."""
    topics = [*article.topics, *(topic for one in told if one.folded_at <= at for topic in one.topics)]
    return Candidate(
        id=row_id(article),
        topics=tuple(dict.fromkeys(topics)),
        first_seen_at=article.first_seen_at,
        published_at=article.published_at,
        pinned=article.pinned_at is not None,
        folded=tuple(one.article_id for one in told),
    )


def shape_of(draft: Draft | None) -> Arrangement:
    """Give a draft's shape as selection sees it; without a draft nothing is shaped."""
    if draft is None:
        return UNSHAPED
    added = {int(key): reach == Reach.ALL for key, reach in draft.added.items()}
    return Arrangement(tuple(draft.arranged), frozenset(draft.hidden), added)


def limits_of(digest: DigestSettings) -> Limits:
    """Give a digest's limits on selection."""
    return Limits(digest.topics, digest.max_articles, digest.carry, digest.form)
