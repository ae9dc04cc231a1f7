"""The archive: which editions were made, and which of their articles may still be shown."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, UnaryExpression
from sqlmodel import Session, and_, col, func, or_, select

from digest.models import Article, Edition, EditionState, Variant, VariantArticle
from digest.models.cadence import RESERVED
from digest.models.row import row_id
from digest.store.articles.articles import get_articles, in_parts
from digest.store.editions.snapshots import with_changes

_MADE = (EditionState.FROZEN, EditionState.PAUSED, EditionState.FINISHED)


@dataclass(frozen=True, slots=True)
class ArchivedArticle:
    """An article of an edition, and whether an earlier edition of its cadence had it already."""

    article: Article
    is_earlier: bool


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The editions of the same cadence before and after one."""

    before: Edition | None
    after: Edition | None


def list_made(session: Session, digests: Collection[str], *, limit: int, offset: int = 0) -> list[Edition]:
    """List the digests' editions that have an article to show, the latest first."""
    query = select(Edition).where(*_is_shown(digests)).order_by(*_latest_first())
    return list(session.exec(query.limit(limit).offset(offset)))


def count_made(session: Session, digests: Collection[str]) -> int:
    """Count what `list_made` lists."""
    return session.exec(select(func.count()).select_from(Edition).where(*_is_shown(digests))).one()


def find_made(session: Session, digest: str, cadence: str, period: str) -> Edition | None:
    """Find an edition that was made and has articles, even if all of them are withdrawn."""
    query = select(Edition).where(*_is_made([digest]), Edition.cadence == cadence, Edition.period == period)
    return session.exec(query.where(_holds())).first()


def find_last(session: Session, digest: str, cadence: str) -> Edition | None:
    """Find the edition of a cadence that was made last and has articles."""
    query = select(Edition).where(*_is_made([digest]), Edition.cadence == cadence, _holds())
    return session.exec(query.order_by(*_latest_first()).limit(1)).first()


def find_neighbours(session: Session, edition: Edition) -> Neighbours:
    """Find the editions before and after one."""
    of_kind = (*_is_shown([edition.digest]), col(Edition.cadence) == edition.cadence)
    at, key = edition.deadline_at, row_id(edition)
    earlier = or_(col(Edition.deadline_at) < at, and_(col(Edition.deadline_at) == at, col(Edition.id) < key))
    later = or_(col(Edition.deadline_at) > at, and_(col(Edition.deadline_at) == at, col(Edition.id) > key))
    before = select(Edition).where(*of_kind, earlier).order_by(*_latest_first()).limit(1)
    after = select(Edition).where(*of_kind, later)
    after = after.order_by(col(Edition.deadline_at), col(Edition.id)).limit(1)
    return Neighbours(session.exec(before).first(), session.exec(after).first())


def list_shown(session: Session, edition: Edition) -> list[ArchivedArticle]:
    """List the articles of all variants of an edition that are not withdrawn.

    Articles are ordered by their best rank in any variant, then by the number of variants, then by their rank
    in those.
    """
    return list_all_shown(session, [edition], with_bodies=True)[row_id(edition)]


def list_all_shown(
    session: Session, editions: Sequence[Edition], *, with_bodies: bool = False
) -> dict[int, list[ArchivedArticle]]:
    """Return what `list_shown` lists, for editions by their ids, with as many statements as for one."""
    ranked = _ranks([row_id(edition) for edition in editions])
    places: Any = (ranked.c.edition_id, ranked.c.id)
    query = (
        select(*places)
        .join(Article, col(Article.id) == ranked.c.id)
        .where(col(Article.withdrawn_at).is_(None))
        .order_by(ranked.c.edition_id, *_in_rank(ranked))
    )
    ids: dict[int, list[int]] = {row_id(edition): [] for edition in editions}
    for edition_id, article_id in session.exec(query):
        ids[edition_id].append(article_id)
    all_ids = {one for some in ids.values() for one in some}
    known = get_articles(session, all_ids, with_bodies=with_bodies)
    first = _first_made(session, editions, all_ids)
    found = {}
    for edition in editions:
        own = with_changes({one: known[one] for one in ids[row_id(edition)]}, edition.changes)
        found[row_id(edition)] = [
            ArchivedArticle(article, _is_earlier(first, edition, number)) for number, article in own.items()
        ]
    return found


def list_holding(session: Session, article_id: int) -> list[Edition]:
    """List the editions that were made with an article, the latest first."""
    holding = (
        select(Variant.edition_id)
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Variant.id))
        .where(VariantArticle.article_id == article_id)
    )
    return list(session.exec(select(Edition).where(col(Edition.id).in_(holding)).order_by(*_latest_first())))


def list_before(session: Session, edition: Edition, most: int) -> list[Article]:
    """List the latest articles of earlier editions of the digest that this one does not have."""
    earlier = (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .join(Edition, col(Edition.id) == col(Variant.edition_id))
        .where(*_is_made([edition.digest]), col(Edition.deadline_at) < edition.deadline_at)
    )
    query = (
        select(Article)
        .where(col(Article.id).in_(earlier), col(Article.id).not_in(_article_ids(edition)))
        .where(col(Article.withdrawn_at).is_(None))
        .order_by(col(Article.first_seen_at).desc(), col(Article.id).desc())
    )
    return list(session.exec(query.limit(most)))


def titles_of(session: Session, editions: Sequence[Edition], most: int) -> dict[int, list[str]]:
    """Return the first titles of each edition, in the order of `list_shown`; all are read at once."""
    ranked = _ranks([row_id(edition) for edition in editions])
    nth = func.row_number().over(partition_by=ranked.c.edition_id, order_by=_in_rank(ranked))
    columns: Any = (ranked.c.edition_id, col(Article.id), col(Article.title), nth.label("nth"))
    shown = (
        select(*columns)
        .join(ranked, col(Article.id) == ranked.c.id)
        .where(col(Article.withdrawn_at).is_(None))
        .subquery()
    )
    first = select(*shown.c).where(shown.c.nth <= most).order_by(shown.c.edition_id, shown.c.nth)
    changes = {row_id(edition): edition.changes for edition in editions}
    found: dict[int, list[str]] = {key: [] for key in changes}
    for key, article_id, title, _ in session.exec(first):
        found[key].append(changes[key].get(str(article_id), {}).get("title", title))
    return found


def list_withdrawn(session: Session, editions: Sequence[Edition]) -> dict[int, list[datetime]]:
    """List when articles of editions were withdrawn, by the editions' ids."""
    query = (
        select(col(Variant.edition_id), col(Article.id), col(Article.withdrawn_at))
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Variant.id))
        .join(Article, col(Article.id) == col(VariantArticle.article_id))
        .where(col(Variant.edition_id).in_([row_id(edition) for edition in editions]))
        .where(col(Article.withdrawn_at).is_not(None))
        .distinct()
    )
    found: dict[int, list[datetime]] = {row_id(edition): [] for edition in editions}
    for edition_id, _, at in session.exec(query):
        if at is not None:
            found[edition_id].append(at)
    return found


def list_taken_out(session: Session, edition: Edition) -> list[Article]:
    """List the articles of an edition that were withdrawn, the latest act first."""
    query = select(Article).where(col(Article.id).in_(_article_ids(edition)))
    query = query.where(col(Article.withdrawn_at).is_not(None)).order_by(col(Article.withdrawn_at).desc())
    return list(session.exec(query))


def _ranks(editions: Collection[int]) -> Any:
    """Return where the articles of editions stand: their best place, in how many variants, and the mean."""
    place = col(VariantArticle.position)
    columns: Any = (
        col(Variant.edition_id),
        col(VariantArticle.article_id).label("id"),
        func.min(place).label("place"),
        func.count().label("shared"),
        func.avg(place).label("mean"),
    )
    return (
        select(*columns)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .where(col(Variant.edition_id).in_(editions))
        .group_by(col(Variant.edition_id), col(VariantArticle.article_id))
        .subquery()
    )


def _in_rank(ranked: Any) -> tuple[Any, ...]:
    return ranked.c.place, ranked.c.shared.desc(), ranked.c.mean, ranked.c.id.desc()


def _first_made(
    session: Session, editions: Sequence[Edition], ids: Collection[int]
) -> dict[tuple[str, str, int], datetime]:
    """Return the deadline of the first edition that had an article, by digest, cadence and article."""
    columns: Any = (
        col(Edition.digest),
        col(Edition.cadence),
        col(VariantArticle.article_id),
        func.min(Edition.deadline_at),
    )
    query = (
        select(*columns)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .join(Edition, col(Edition.id) == col(Variant.edition_id))
        .where(*_is_made({edition.digest for edition in editions}))
        .group_by(col(Edition.digest), col(Edition.cadence), col(VariantArticle.article_id))
    )
    found = {}
    for part in in_parts(ids):
        for digest, cadence, number, at in session.exec(
            query.where(col(VariantArticle.article_id).in_(part))
        ):
            found[digest, cadence, number] = at
    return found


def _is_earlier(first: Mapping[tuple[str, str, int], datetime], edition: Edition, number: int) -> bool:
    """Return whether an earlier edition of the cadence had an article."""
    return first.get((edition.digest, edition.cadence, number), edition.deadline_at) < edition.deadline_at


def _article_ids(edition: Edition):  # type: ignore[no-untyped-def]  # a Select of ids
    return (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .where(Variant.edition_id == edition.id)
    )


def _is_made(digests: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for editions that may be read: completely decided, and not skipped."""
    return (
        col(Edition.digest).in_(digests),
        col(Edition.state).in_(_MADE),
        col(Edition.frozen_at).is_not(None),
        col(Edition.cadence).not_in(RESERVED),
    )


def _is_shown(digests: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    standing = _first_held().join(Article, col(Article.id) == col(VariantArticle.article_id))
    return (*_is_made(digests), _is_any(standing.where(col(Article.withdrawn_at).is_(None))))


def _holds() -> ColumnElement[bool]:
    return _is_any(_first_held())


def _first_held() -> Any:
    held = select(VariantArticle.article_id).join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
    return held.where(Variant.edition_id == Edition.id).limit(1)


def _is_any(one: Any) -> ColumnElement[bool]:
    """Return whether there is one, asked edition by edition.

    PostgreSQL answers EXISTS by joining all articles that any edition ever had.
    """
    return cast(ColumnElement[bool], one.correlate(Edition).scalar_subquery().is_not(None))


def _latest_first() -> tuple[UnaryExpression[Any], ...]:
    return col(Edition.deadline_at).desc(), col(Edition.id).desc()
