"""The deliveries of finished editions, counted once and kept, as a page of the desk has to come at once.

The audit counts for itself.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import Session, and_, col, delete, func, or_, select, update

from digest.models import Delivery, DeliveryState, Edition, EditionState, EditionSums, Variant, VariantArticle
from digest.models.cadence import REQUEST, WELCOME
from digest.models.row import row_id
from digest.store.delivery import deliveries
from digest.store.readers.subscribers import insert_new

LARGE = 20_000
"""Of an edition with so many deliveries the reasons are kept too, and not its sums alone."""

_MOST_VARIANTS = 10_000
"""Of how many lists of a large edition it is kept how many have them: they are written in one transaction."""

_WAITING = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
_GONE = (DeliveryState.IN_FLIGHT, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)

_FEWEST = 5
_OTHERS = "other reasons, each of fewer than five readers"
_BACK = 10_000
_FEW = 1_000
_NOTHING: Mapping[int, Mapping[int, tuple[int, int]]] = MappingProxyType({})


class EditionCount(NamedTuple):
    """The sums of an edition, and how many of a large one's deliveries of each variant went out."""

    sums: EditionSums
    gone: dict[int, int]


def count_states(session: Session, edition: Edition) -> dict[str, int]:
    """Count an edition's deliveries by state; those of a finished one have been counted."""
    kept = _find(session, edition)
    return dict(kept.states) if kept else deliveries.count_states(session, row_id(edition))


def count_reasons(session: Session, edition: Edition) -> list[tuple[str, str, int]]:
    """Count an edition's failed, withheld and deferred deliveries by reason.

    Of a large one that is finished, the reasons of few readers are counted together.
    """
    kept = _find(session, edition)
    if kept is None or kept.reasons is None:
        return deliveries.count_reasons(session, row_id(edition))
    return [(state, reason, number) for state, reason, number in kept.reasons]


def count_with(
    session: Session, article_id: int, known: Mapping[int, Mapping[int, tuple[int, int]]] = _NOTHING
) -> tuple[int, int]:
    """Count the deliveries with an article: those not sent yet, and those that were sent, or may have been.

    Those of a large edition that is finished have been counted, and for those of `known` it is known by
    variant; of any other, all are gone through.
    """
    rows = session.exec(
        select(Variant.edition_id, func.sum(Variant.gone), func.count() - func.count(col(Variant.gone)))
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Variant.id))
        .join(Edition, col(Edition.id) == col(Variant.edition_id))
        .where(VariantArticle.article_id == article_id, *_holds())
        .group_by(col(Variant.edition_id))
    )
    kept = {edition_id: number for edition_id, number, missing in rows if number is not None and not missing}
    counted = [
        counts.get(variant, (0, 0))
        for edition_id, counts in known.items()
        if edition_id not in kept
        for variant in session.exec(_variants_with(article_id).where(Variant.edition_id == edition_id))
        if variant is not None
    ]
    waiting, gone = _count_others(session, article_id, {*kept, *known})
    return (
        waiting + sum(one for one, _ in counted),
        gone + sum(one for _, one in counted) + sum(kept.values()),
    )


def list_uncounted_with(session: Session, article_id: int) -> list[Edition]:
    """List the editions with an article that have no sums, those for single readers aside."""
    holding = select(Variant.edition_id).where(col(Variant.id).in_(_variants_with(article_id)))
    query = select(Edition).where(
        col(Edition.id).in_(holding),
        col(Edition.cadence).not_in((REQUEST, WELCOME)),
        ~and_(*_holds()),
    )
    return list(session.exec(query.order_by(col(Edition.id))))


def is_kept(session: Session, edition: Edition) -> bool:
    """Return whether an edition is finished, and its sums are kept."""
    return _find(session, edition) is not None


def is_large(session: Session, edition: Edition) -> bool:
    """Return whether an edition has very many deliveries; no more than that are looked at."""
    first = select(Delivery.id).where(Delivery.edition_id == row_id(edition)).limit(LARGE).subquery()
    return session.exec(select(func.count()).select_from(first)).one() >= LARGE


def count_large(session: Session, edition: Edition) -> dict[str, int]:
    """Count an edition's deliveries by state, whatever is kept."""
    return deliveries.count_states(session, row_id(edition))


def count_by_variant(session: Session, edition: Edition) -> dict[int, tuple[int, int]] | None:
    """Count for each variant of an edition its deliveries that wait, and those that went out.

    None where there are too many variants.
    """
    key = row_id(edition)
    own = select(Variant.id).where(Variant.edition_id == key).limit(_MOST_VARIANTS + 1).subquery()
    if session.exec(select(func.count()).select_from(own)).one() > _MOST_VARIANTS:
        return None
    query = select(Delivery.variant_id, Delivery.state, func.count()).where(Delivery.edition_id == key)
    found: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for variant, state, number in session.exec(query.group_by(col(Delivery.variant_id), Delivery.state)):
        if variant is not None:
            found[variant][0] += number * (state in _WAITING)
            found[variant][1] += number * (state in _GONE)
    return {variant: (waiting, gone) for variant, (waiting, gone) in found.items()}


def list_uncounted(session: Session, limit: int) -> list[Edition]:
    """List the editions that finished last and have no sums yet, those for single readers aside."""
    last = session.exec(select(func.max(Edition.id))).one() or 0
    query = select(Edition).where(
        col(Edition.id) > last - _BACK,
        Edition.state == EditionState.FINISHED,
        col(Edition.finished_at).is_not(None),
        col(Edition.cadence).not_in((REQUEST, WELCOME)),
        ~select(EditionSums.edition_id).where(_is_valid()).exists(),
    )
    return list(session.exec(query.order_by(col(Edition.id).desc()).limit(limit)))


def count_edition(session: Session, edition: Edition) -> EditionCount:
    """Return the sums of a finished edition, counted now."""
    assert edition.finished_at is not None  # noqa: S101 - it is finished
    key = row_id(edition)
    states = deliveries.count_states(session, key)
    is_large = sum(states.values()) >= LARGE
    reasons = _group(deliveries.count_reasons(session, key)) if is_large else None
    made = EditionSums(edition_id=key, finished_at=edition.finished_at, states=states, reasons=reasons)
    return EditionCount(made, _count_gone(session, key) if is_large else {})


def keep_edition(session: Session, counted: EditionCount) -> None:
    """Store the sums of an edition in place of those kept before; of two at once the first stands."""
    key = counted.sums.edition_id
    session.exec(delete(EditionSums).where(col(EditionSums.edition_id) == key))
    insert_new(session, EditionSums, [counted.sums.model_dump()])
    gone = counted.gone if len(counted.gone) <= _MOST_VARIANTS else {}
    _forget_gone(session, key, 0 if gone else None)
    if gone:
        table = Variant.__table__  # type: ignore[attr-defined]
        one = update(table).where(table.c.id == bindparam("row")).values(gone=bindparam("number"))
        rows = [{"row": variant, "number": number} for variant, number in gone.items()]
        session.connection().execute(one, rows)


def _forget_gone(session: Session, edition_id: int, value: int | None) -> None:
    own = col(Variant.edition_id) == edition_id, col(Variant.gone).is_distinct_from(value)
    session.exec(update(Variant).where(*own).values(gone=value).execution_options(synchronize_session=False))


def _count_others(session: Session, article_id: int, kept: Collection[int]) -> tuple[int, int]:
    """Count as `count_with` does, in the editions that are not counted: a look at all deliveries of each."""
    holding = select(Variant.edition_id).where(
        col(Variant.id).in_(_variants_with(article_id)), col(Variant.edition_id).not_in(kept)
    )
    others = list(session.exec(holding.distinct().limit(_FEW + 1)))
    if not others:
        return 0, 0
    own = col(Delivery.edition_id).in_(others if len(others) <= _FEW else holding)
    counts = [  # SQLite compares with three states sooner than it looks one up in a list
        func.count().filter(or_(*(col(Delivery.state) == state for state in states)))
        for states in (_WAITING, _GONE)
    ]
    query = (
        select(counts[0], counts[1])
        .select_from(Delivery)
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
        .where(VariantArticle.article_id == article_id, own)
    )
    return session.exec(query).one()


def _variants_with(article_id: int) -> Any:
    return (
        select(Variant.id)
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Variant.id))
        .where(VariantArticle.article_id == article_id)
    )


def _count_gone(session: Session, edition_id: int) -> dict[int, int]:
    """Count an edition's deliveries that were sent, or may have been, by their variants."""
    query = (
        select(Delivery.variant_id, func.count())
        .where(Delivery.edition_id == edition_id, col(Delivery.state).in_(_GONE))
        .group_by(col(Delivery.variant_id))
    )
    return {variant: number for variant, number in session.exec(query) if variant is not None}


def _is_valid() -> ColumnElement[bool]:
    """Return as a condition that sums are those of an edition as it stands."""
    return and_(
        col(EditionSums.edition_id) == col(Edition.id),
        col(EditionSums.finished_at) == col(Edition.finished_at),
    )


def _holds() -> tuple[ColumnElement[bool], ...]:
    kept = select(EditionSums.edition_id).where(_is_valid())
    return col(Edition.state) == EditionState.FINISHED, kept.exists()


def _find(session: Session, edition: Edition) -> EditionSums | None:
    if edition.state != EditionState.FINISHED:
        return None
    kept = session.get(EditionSums, row_id(edition))
    return kept if kept is not None and kept.finished_at == edition.finished_at else None


def _group(reasons: list[tuple[str, str, int]]) -> list[list[object]]:
    """Return reasons with those of few readers together: a server's own words may name a single reader."""
    found = [[state, reason, number] for state, reason, number in reasons if number >= _FEWEST]
    others: Counter[str] = Counter()
    for state, _, number in reasons:
        if number < _FEWEST:
            others[state] += number
    return [*found, *([state, _OTHERS, number] for state, number in others.items())]
