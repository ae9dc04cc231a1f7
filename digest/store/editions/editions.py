"""Editions: one row for each (digest, cadence, period), its states, and who compiles it."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, false, not_, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, or_, select, update

from digest.models import (
    CadenceStart,
    Edition,
    EditionName,
    EditionState,
)
from digest.models.cadence import REQUEST, RESERVED, WELCOME
from digest.models.edition import OPEN_EDITION
from digest.models.row import row_id

_MOST_WORDS = 10


class LastRequest(NamedTuple):
    """An edition for the reader of a subscription, here of 7: `LastRequest("world", "2026-11-24-7", ...)`."""

    digest: str
    period: str
    at: datetime


def find_edition(session: Session, digest: str, cadence: str, period: str) -> Edition | None:
    """Find the edition of a period."""
    query = select(Edition).where(
        Edition.digest == digest, Edition.cadence == cadence, Edition.period == period
    )
    return session.exec(query).first()


def list_editions(
    session: Session, *, digest: str | None = None, states: Sequence[str] = ()
) -> list[Edition]:
    """List editions, oldest first.

    A digest may have very many, as single readers ask for some; the few that are not over have an index.
    """
    query = select(Edition).order_by(col(Edition.deadline_at), col(Edition.id))
    if digest:
        query = query.where(Edition.digest == digest)
    if states and not {EditionState.FINISHED, EditionState.SKIPPED} & set(states):
        query = query.where(text(f"edition.{OPEN_EDITION}"))
    if states:
        query = query.where(col(Edition.state).in_(states))
    return list(session.exec(query))


def count_skipped_for(session: Session, edition: Edition) -> int:
    """Count the missed editions that were skipped as an edition was entered, in whose place it stands too."""
    query = select(func.count()).where(
        Edition.digest == edition.digest,
        Edition.cadence == edition.cadence,
        Edition.state == EditionState.SKIPPED,
        Edition.freeze_at == edition.freeze_at,
        Edition.deadline_at < edition.deadline_at,
    )
    return session.exec(query).one()


def list_named(
    session: Session, name: Sequence[str], *, states: Sequence[str] = (), latest: int | None = None
) -> list[Edition]:
    """List the editions whose digest, cadence and period begin with these words, oldest first.

    With `latest`, all that are not over are listed, and of those that are over the last so many that were
    entered: those for single readers are counted by themselves, as they would leave room for no others.
    """
    query = select(Edition).where(*_is_named(name))
    if states:
        query = query.where(col(Edition.state).in_(states))
    if latest is None:
        return list(session.exec(query.order_by(col(Edition.deadline_at), col(Edition.id))))
    single = col(Edition.cadence).in_((REQUEST, WELCOME))
    found = list(session.exec(query.where(text(f"edition.{OPEN_EDITION}"))))
    for kind in (single, not_(single)):
        closed = query.where(text(f"NOT (edition.{OPEN_EDITION})"), kind).order_by(col(Edition.id).desc())
        found.extend(session.exec(closed.limit(latest)))
    return sorted(found, key=lambda one: (one.deadline_at, row_id(one)))


def count_named(session: Session, name: Sequence[str]) -> int:
    """Count the editions whose digest, cadence and period begin with these words."""
    return session.exec(select(func.count()).select_from(Edition).where(*_is_named(name))).one()


def _is_named(name: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    if len(name) > len(EditionName._fields):
        yield false()
    for field, word in zip(EditionName._fields, name, strict=False):
        yield getattr(Edition, field) == word


def list_latest(
    session: Session, *, digest: str, state: str, words: str, before: int | None, limit: int
) -> list[Edition]:
    """List the latest editions that were entered, those for single readers aside; "" does not filter.

    `words` are looked for in cadence, period and subject. The primary key is read downwards from `before`.
    """
    query = select(Edition).where(col(Edition.cadence).not_in((REQUEST, WELCOME)))
    if digest:
        query = query.where(Edition.digest == digest)
    if state:
        query = query.where(Edition.state == state)
    for word in words.split()[:_MOST_WORDS]:
        fields = (col(Edition.cadence), col(Edition.period), col(Edition.subject))
        query = query.where(or_(*(field.icontains(word, autoescape=True) for field in fields)))
    if before is not None:
        query = query.where(col(Edition.id) < before)
    return list(session.exec(query.order_by(col(Edition.id).desc()).limit(limit)))


def add_edition(session: Session, edition: Edition) -> Edition | None:
    """Insert an edition; return None if its period has one already, whoever made it."""
    try:
        with session.begin_nested():
            session.add(edition)
            session.flush()
    except IntegrityError:
        return None
    return edition


def add_numbered(session: Session, edition: Edition, day: date) -> Edition:
    """Enter an edition whose period is a day and a number, such as "2026-11-24-1", under the next number."""
    query = select(func.count()).where(
        Edition.digest == edition.digest,
        Edition.cadence == edition.cadence,
        col(Edition.period).startswith(f"{day}-"),
    )
    number, entered = session.exec(query).one(), None
    while entered is None:  # another process may enter one at the same time
        number += 1
        edition.period = f"{day}-{number}"
        entered = add_edition(session, edition)
    return entered


def find_start(session: Session, digest: str, cadence: str) -> datetime | None:
    """Find when a cadence was first seen; None if nothing has run since it was configured."""
    row = session.get(CadenceStart, (digest, cadence))
    return row.started_at if row else None


def started_at(session: Session, digest: str, cadence: str, now: datetime) -> datetime:
    """Return when this cadence was first seen, recording `now` the first time."""
    row = session.get(CadenceStart, (digest, cadence))
    if row is None:
        row = CadenceStart(digest=digest, cadence=cadence, started_at=now)
        try:
            with session.begin_nested():
                session.add(row)
                session.flush()
        except IntegrityError:
            return now
    return row.started_at


def last_deadline(session: Session, digest: str, cadence: str) -> datetime | None:
    """Return the deadline of the latest edition of a cadence, including skipped ones."""
    query = select(func.max(Edition.deadline_at)).where(Edition.digest == digest, Edition.cadence == cadence)
    return session.exec(query).one()


def count_since(session: Session, digest: str, cadence: str, since: datetime) -> int:
    """Count a cadence's editions with a deadline from a moment on."""
    query = select(func.count()).where(
        Edition.digest == digest, Edition.cadence == cadence, col(Edition.deadline_at) >= since
    )
    return session.exec(query).one()


def list_between(
    session: Session, digest: str, cadence: str, since: datetime, until: datetime
) -> Sequence[Edition]:
    """List a cadence's editions with a deadline from `since` on and before `until`."""
    query = select(Edition).where(Edition.digest == digest, Edition.cadence == cadence)
    query = query.where(col(Edition.deadline_at) >= since, col(Edition.deadline_at) < until)
    return session.exec(query.order_by(col(Edition.deadline_at))).all()


def find_last(session: Session, digest: str, cadence: str) -> Edition | None:
    """Find the edition of a cadence with the latest deadline, including skipped ones."""
    query = select(Edition).where(Edition.digest == digest, Edition.cadence == cadence)
    return session.exec(query.order_by(col(Edition.deadline_at).desc()).limit(1)).first()


def find_last_made(session: Session, digest: str, cadence: str) -> Edition | None:
    """Find the edition of a cadence with the latest deadline that was made, or is being made."""
    is_made = or_(col(Edition.frozen_at).is_not(None), col(Edition.state) == EditionState.COMPILING)
    query = select(Edition).where(Edition.digest == digest, Edition.cadence == cadence, is_made)
    latest = query.order_by(col(Edition.deadline_at).desc(), col(Edition.id).desc())
    return session.exec(latest.limit(1)).first()


def list_last_made(session: Session, of_each: int = 1) -> list[Edition]:
    """List the latest frozen or finished editions of each cadence that digests have, or had, in order.

    Those for single readers, and of one article, are none: there may be very many of them.
    """
    begun, made = CadenceStart, Edition.__table__.alias("made")  # type: ignore[attr-defined]
    latest = (
        select(made.c.id)
        .where(made.c.digest == begun.digest, made.c.cadence == begun.cadence, made.c.frozen_at.is_not(None))
        .order_by(made.c.deadline_at.desc(), made.c.id.desc())
        .limit(1)
    )
    wanted = [
        select(latest.offset(place).scalar_subquery())
        .select_from(begun)
        .where(col(begun.cadence).not_in(RESERVED))
        for place in range(of_each)
    ]
    query = select(Edition).where(or_(*(col(Edition.id).in_(one) for one in wanted)))
    return list(session.exec(query.order_by(col(Edition.deadline_at), col(Edition.id))))


def is_any_made(session: Session) -> bool:
    """Return whether any edition has been frozen."""
    query = select(Edition.id).where(col(Edition.frozen_at).is_not(None)).limit(1)
    return session.exec(query).first() is not None


def list_last_requests(session: Session, limit: int) -> list[LastRequest]:
    """List the latest editions that single readers asked for, the latest day first."""
    query = select(Edition.digest, Edition.period, Edition.freeze_at).where(Edition.cadence == REQUEST)
    digests = session.exec(select(CadenceStart.digest).distinct()).all()
    query = query.where(col(Edition.digest).in_(digests))  # so that an index is searched by both
    return [
        LastRequest(*row) for row in session.exec(query.order_by(col(Edition.period).desc()).limit(limit))
    ]


def take_over(session: Session, edition: Edition, worker_id: int) -> Edition | None:
    """Take over the compiling of an edition; None if another worker was first."""
    taken = session.exec(
        update(Edition)
        .where(col(Edition.id) == edition.id, col(Edition.state) == EditionState.COMPILING)
        .where(col(Edition.compiler) == edition.compiler)
        .values(compiler=worker_id)
    ).rowcount
    return own_edition(session, row_id(edition), worker_id) if taken else None


def own_edition(session: Session, edition_id: int, worker_id: int | None) -> Edition | None:
    """Return an edition that this worker is compiling, locked until the commit; None if it is not.

    Breaking news and corrections are compiled for no worker (None) until a run takes them over.
    """
    query = select(Edition).where(
        Edition.id == edition_id, Edition.state == EditionState.COMPILING, Edition.compiler == worker_id
    )
    return session.exec(query.with_for_update()).first()


def is_compiling(session: Session, digest: str, cadence: str) -> bool:
    """Return whether an edition of a digest and cadence is being compiled."""
    query = select(Edition.id).where(Edition.digest == digest, Edition.cadence == cadence)
    return session.exec(query.where(Edition.state == EditionState.COMPILING).limit(1)).first() is not None


def lock_against_new(session: Session) -> None:
    """Keep every other process from entering an edition until the commit, as on SQLite any writer does."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("LOCK TABLE edition IN SHARE ROW EXCLUSIVE MODE"))


def lock_held(session: Session, edition_id: int) -> Edition | None:
    """Return an edition that is held, locked until the commit; None if it is not."""
    query = select(Edition).where(Edition.id == edition_id, Edition.state == EditionState.HELD)
    return session.exec(query.with_for_update()).first()


def lock_made(session: Session, edition_id: int) -> Edition | None:
    """Return an edition that is frozen or finished, locked until the commit; None if it is not."""
    states = EditionState.FROZEN, EditionState.FINISHED
    query = select(Edition).where(Edition.id == edition_id, col(Edition.state).in_(states))
    return session.exec(query.with_for_update()).first()


def set_state(session: Session, edition: Edition, state: EditionState, reason: str = "") -> None:
    """Set an edition's state and the reason."""
    edition.state = state
    edition.reason = reason
    session.add(edition)
    session.flush()


def pause(session: Session, edition_id: int, reason: str, *, retry_at: datetime | None) -> None:
    """Pause a frozen edition with a reason; `retry_at` None leaves it to the operator to resume it."""
    session.exec(
        update(Edition)
        .where(col(Edition.id) == edition_id, col(Edition.state) == EditionState.FROZEN)
        .values(state=EditionState.PAUSED, reason=reason, retry_at=retry_at)
    )


def pause_frozen(session: Session, reason: str, *, digest: str | None, retry_at: datetime) -> None:
    """Pause every frozen edition (of a digest): the fault is ours or the relay's, not a reader's."""
    for edition in list_editions(session, digest=digest, states=[EditionState.FROZEN]):
        pause(session, row_id(edition), reason, retry_at=retry_at)


def resume_retried(session: Session, now: datetime | None) -> None:
    """Resume editions that a fault paused: those whose time has come, or all of them without `now`."""
    change = update(Edition).where(
        col(Edition.state) == EditionState.PAUSED, col(Edition.retry_at).is_not(None)
    )
    if now is not None:
        change = change.where(col(Edition.retry_at) <= now)
    session.exec(change.values(state=EditionState.FROZEN, reason="", retry_at=None))
