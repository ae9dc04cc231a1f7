"""The deliveries of finished editions, counted once and kept, as a page of the desk has to come at once.

The audit counts for itself.
"""

from collections import Counter

from sqlmodel import Session, and_, col, delete, func, select

from digest.models import Edition, EditionState, EditionSums
from digest.models.cadence import REQUEST, WELCOME
from digest.models.row import row_id
from digest.store.delivery import deliveries
from digest.store.readers.subscribers import insert_new

LARGE = 20_000
"""Of an edition with so many deliveries the reasons are kept too, and not its sums alone."""

_FEWEST = 5
_OTHERS = "other reasons, each of fewer than five readers"
_BACK = 10_000


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


def list_uncounted(session: Session, limit: int) -> list[Edition]:
    """List the editions that finished last and have no sums yet, those for single readers aside."""
    last = session.exec(select(func.max(Edition.id))).one() or 0
    kept = and_(
        col(EditionSums.edition_id) == col(Edition.id),
        col(EditionSums.finished_at) == col(Edition.finished_at),
    )
    query = select(Edition).where(
        col(Edition.id) > last - _BACK,
        Edition.state == EditionState.FINISHED,
        col(Edition.finished_at).is_not(None),
        col(Edition.cadence).not_in((REQUEST, WELCOME)),
        ~select(EditionSums.edition_id).where(kept).exists(),
    )
    return list(session.exec(query.order_by(col(Edition.id).desc()).limit(limit)))


def count_edition(session: Session, edition: Edition) -> EditionSums:
    """Return the sums of a finished edition, counted now."""
    assert edition.finished_at is not None  # noqa: S101 - it is finished
    key = row_id(edition)
    states = deliveries.count_states(session, key)
    reasons = _group(deliveries.count_reasons(session, key)) if sum(states.values()) >= LARGE else None
    return EditionSums(edition_id=key, finished_at=edition.finished_at, states=states, reasons=reasons)


def keep_edition(session: Session, counted: EditionSums) -> None:
    """Store the sums of an edition in place of those kept before; of two at once the first stands."""
    session.exec(delete(EditionSums).where(col(EditionSums.edition_id) == counted.edition_id))
    insert_new(session, EditionSums, [counted.model_dump()])


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
