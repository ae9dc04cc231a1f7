"""The readers of a cadence as they were counted lately, in a publication with so many that a page cannot."""

from datetime import datetime

from sqlmodel import Session, col, delete, func, select

from digest.models import CadenceReaders, Cohort, Subscription
from digest.models.row import row_id
from digest.store.editions import cohorts, planning
from digest.store.editions.planning import ReaderHours
from digest.store.readers.subscribers import insert_new

LARGE = 20_000
"""From how many readers on they are counted by the runs, and not when somebody looks."""

_MOST_COHORTS = 500


def is_large(session: Session) -> bool:
    """Return whether there may be so many readers that counting them takes long."""
    return (session.exec(select(func.max(Subscription.id))).one() or 0) >= LARGE


def find_readers(session: Session, digest: str, cadence: str) -> CadenceReaders | None:
    """Find the readers of a cadence as they were counted lately; None in a small publication."""
    return session.get(CadenceReaders, (digest, cadence)) if is_large(session) else None


def count_readers(session: Session, digest: str, cadence: str) -> int:
    """Count the confirmed readers of a cadence; in a large publication as of the last hour."""
    kept = find_readers(session, digest, cadence)
    return cohorts.count_readers(session, digest, cadence) if kept is None else kept.readers


def list_hours(session: Session, digest: str, cadence: str) -> list[ReaderHours]:
    """List when a cadence's readers want their mail; in a large publication as of the last hour."""
    kept = find_readers(session, digest, cadence)
    if kept is None:
        return planning.list_reader_hours(session, digest, cadence)
    return [ReaderHours(*hours) for hours in kept.hours]


def list_sizes(session: Session, digest: str, cadence: str, limit: int) -> list[tuple[Cohort, int]]:
    """List a cadence's largest cohorts with their sizes; in a large publication as of the last hour."""
    kept = find_readers(session, digest, cadence)
    if kept is None:
        return cohorts.list_sizes(session, digest, cadence, limit)
    wanted = kept.cohorts[:limit]
    known = {row_id(one): one for one in cohorts.get_cohorts(session, [number for number, _ in wanted])}
    return [(known[number], size) for number, size in wanted if number in known]


def count_cadence(session: Session, digest: str, cadence: str, now: datetime) -> CadenceReaders:
    """Return the readers of a cadence, counted now."""
    return CadenceReaders(
        digest=digest,
        cadence=cadence,
        counted_at=now,
        readers=cohorts.count_readers(session, digest, cadence),
        hours=[list(one) for one in planning.list_reader_hours(session, digest, cadence)],
        cohorts=[
            [row_id(cohort), size]
            for cohort, size in cohorts.list_sizes(session, digest, cadence, _MOST_COHORTS)
        ],
    )


def keep_readers(session: Session, counted: CadenceReaders) -> None:
    """Store the readers of a cadence in place of those kept before; of two at once the first stands."""
    own = col(CadenceReaders.digest) == counted.digest, col(CadenceReaders.cadence) == counted.cadence
    session.exec(delete(CadenceReaders).where(*own))
    insert_new(session, CadenceReaders, [counted.model_dump()])
