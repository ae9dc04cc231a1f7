"""Deliveries as rows: their states, and the counts that prove each edition."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case
from sqlalchemy import select as sa_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, func, or_, select, update

from digest.models import (
    OPEN,
    OWNED,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Subscriber,
    Subscription,
    SubscriptionState,
    VariantArticle,
    Withheld,
    in_states,
    is_counted,
)
from digest.models.delivery import COUNTED, GOT
from digest.models.row import row_id
from digest.rules.delivery.reply_verdicts import Verdict

_DUE = (DeliveryState.PLANNED, DeliveryState.DEFERRED)
_AT_ONCE = 500


class Job(NamedTuple):
    """A claimed delivery with the reader's values that composing needs."""

    delivery_id: int
    edition_id: int
    variant_id: int
    subscription_id: int
    public_id: str
    address: str
    address_key: str
    name: str
    digest: str
    due_at: datetime
    attempts: int
    resends: int
    composed_at: datetime | None


def make_job(delivery: Delivery, subscriber: Subscriber, digest: str) -> Job:
    """Return a delivery as a job."""
    return Job(
        delivery_id=row_id(delivery),
        edition_id=delivery.edition_id,
        variant_id=delivery.variant_id or 0,
        subscription_id=delivery.subscription_id,
        public_id=subscriber.public_id,
        address=subscriber.address,
        address_key=subscriber.address_key,
        name=subscriber.name,
        digest=digest,
        due_at=delivery.due_at,
        attempts=delivery.attempts,
        resends=delivery.resends,
        composed_at=delivery.composed_at,
    )


def withhold(session: Session, job: Job, reason: Withheld, now: datetime) -> DeliveryState:
    """Record that a delivery will not be attempted; one attempted before stays uncertain. Return its
    state."""
    state = DeliveryState.UNCERTAIN if job.resends else DeliveryState.WITHHELD
    _close(session, job, state, reason if not job.resends else f"not repeated: {reason}", now)
    if state is DeliveryState.WITHHELD:
        _unplace(session, job)
    return state


def record(
    session: Session,
    job: Job,
    verdict: Verdict,
    *,
    code: int | None,
    dot_left: bool,
    owner: int,
    now: datetime,
) -> None:
    """Record the outcome of an attempt; the articles of a failed delivery become candidates again.

    A message that never reached the server gets a new Date the next time; one that may have keeps it.
    """
    kept_date = {} if dot_left or job.resends else {"composed_at": None}
    changed = session.exec(
        update(Delivery)
        .where(col(Delivery.id) == job.delivery_id, col(Delivery.owner) == owner)
        .values(
            state=verdict.state,
            reason="" if verdict.state is DeliveryState.ACCEPTED else verdict.reason,
            due_at=verdict.due_at or job.due_at,
            owner=None,
            reply_code=code,
            reply_text=verdict.reason[:500],
            attempts=col(Delivery.attempts) + 1,
            changed_at=now,
            **kept_date,
        )
    ).rowcount
    if changed and verdict.state is DeliveryState.FAILED:
        _unplace(session, job)


def replan(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Plan failed deliveries again, because the message was refused and not the readers."""
    session.exec(
        update(Delivery)
        .where(col(Delivery.id).in_(ids), col(Delivery.state) == DeliveryState.FAILED)
        .values(state=DeliveryState.PLANNED, due_at=now, changed_at=now)
    )


def count_failed(session: Session, edition_id: int) -> int:
    """Count an edition's failed deliveries."""
    wanted = (Delivery.edition_id == edition_id, Delivery.state == DeliveryState.FAILED)
    return session.exec(select(func.count()).where(*wanted)).one()


def replan_failed(session: Session, edition_id: int, now: datetime) -> int:
    """Plan an edition's failed deliveries again; return how many.

    Only for readers who are still confirmed and have received nothing of the digest since, which would have
    brought their articles again. They leave their cohorts, which did not count these articles.
    """
    later = aliased(Delivery)
    since = (
        select(later.id)
        .where(later.subscription_id == col(Delivery.subscription_id), col(later.id) > col(Delivery.id))
        .where(or_(col(later.state).in_(COUNTED), col(later.reason).in_(GOT)))
    )
    confirmed = select(Subscription.id).where(Subscription.state == SubscriptionState.CONFIRMED)
    wanted = select(Delivery.id, Delivery.subscription_id).where(
        Delivery.edition_id == edition_id,
        Delivery.state == DeliveryState.FAILED,
        col(Delivery.subscription_id).in_(confirmed),
        ~since.exists(),
    )
    found = session.exec(wanted).all()
    for start in range(0, len(found), _AT_ONCE):
        part = found[start : start + _AT_ONCE]
        replan(session, [number for number, _ in part if number is not None], now)
        readers = col(Subscription.id).in_([subscription for _, subscription in part])
        session.exec(update(Subscription).where(readers).values(cohort_id=None))
    return len(found)


def release(session: Session, jobs: Sequence[Job], *, owner: int, now: datetime) -> None:
    """Release claims unchanged."""
    session.exec(
        update(Delivery)
        .where(col(Delivery.id).in_([job.delivery_id for job in jobs]), col(Delivery.owner) == owner)
        .where(col(Delivery.state) == DeliveryState.CLAIMED)
        .values(state=DeliveryState.PLANNED, owner=None, changed_at=now)
    )


def postpone(session: Session, due: Mapping[int, datetime], *, owner: int, now: datetime) -> None:
    """Release claims with a later due time, because their domain cannot be served sooner."""
    table = Delivery.__table__  # type: ignore[attr-defined]
    statement = (
        update(table)
        .where(table.c.id == bindparam("row"), table.c.owner == owner, table.c.state == "claimed")
        .values(state=DeliveryState.PLANNED.value, owner=None, due_at=bindparam("until"), changed_at=now)
    )
    session.connection().execute(statement, [{"row": key, "until": until} for key, until in due.items()])


def reap(session: Session, worker_id: int, *, resend: bool, now: datetime) -> tuple[int, int]:
    """Release a dead worker's deliveries: claims are planned again, those in flight become uncertain.

    With `resend`, an uncertain one is planned once more, to be repeated with the same bytes. Return
    (uncertain, planned again).
    """
    # Both states are named: SQLite would not see that one of them is of the partial index, and read all rows.
    owned = and_(col(Delivery.owner) == worker_id, in_states(session.get_bind().dialect.name, *OWNED))
    # Wait for a commit of the dead worker that is still under way, so that both updates see its result.
    session.exec(select(Delivery.id).where(owned).order_by(col(Delivery.id)).with_for_update()).all()
    given_back = session.exec(
        update(Delivery)
        .where(owned, col(Delivery.state) == DeliveryState.CLAIMED)
        .values(state=DeliveryState.PLANNED, owner=None, changed_at=now)
    ).rowcount
    uncertain = session.exec(
        update(Delivery)
        .where(owned, col(Delivery.state) == DeliveryState.IN_FLIGHT)
        .values(
            state=DeliveryState.UNCERTAIN,
            owner=None,
            reason="the process ended before a reply was recorded",
            changed_at=now,
        )
    ).rowcount
    if resend:
        plan_repeats(session, now)
    return uncertain, given_back


def withhold_restored(session: Session, until: datetime, now: datetime) -> int:
    """Withhold what was due up to a time and count it as received; return how many. Uncertain ones are not
    repeated."""
    unfinished = select(Edition.id).where(col(Edition.state).in_((EditionState.FROZEN, EditionState.PAUSED)))
    of_then = (col(Delivery.edition_id).in_(unfinished), col(Delivery.due_at) <= until)
    session.exec(
        update(Delivery).where(*of_then, col(Delivery.state) == DeliveryState.UNCERTAIN).values(resends=1)
    )
    return session.exec(
        update(Delivery)
        .where(*of_then, col(Delivery.state).in_(_DUE))
        .values(state=DeliveryState.WITHHELD, reason=Withheld.RESTORED, changed_at=now)
    ).rowcount


def plan_repeat(session: Session, job: Job, now: datetime) -> None:
    """Plan one uncertain delivery once more, to be repeated with the same bytes."""
    session.exec(
        update(Delivery)
        .where(col(Delivery.id) == job.delivery_id, col(Delivery.state) == DeliveryState.UNCERTAIN)
        .where(col(Delivery.resends) == 0)
        .values(state=DeliveryState.PLANNED, resends=1, changed_at=now)
    )


def plan_repeats(session: Session, now: datetime) -> int:
    """Plan each uncertain delivery of an unfinished edition once more."""
    unfinished = select(Edition.id).where(col(Edition.state).in_((EditionState.FROZEN, EditionState.PAUSED)))
    return session.exec(
        update(Delivery)
        .where(col(Delivery.state) == DeliveryState.UNCERTAIN, col(Delivery.resends) == 0)
        .where(col(Delivery.edition_id).in_(unfinished))
        .values(state=DeliveryState.PLANNED, resends=1, changed_at=now)
    ).rowcount


def finish_editions(session: Session, now: datetime) -> list[Edition]:
    """Finish the frozen editions that have no open delivery, and return them."""
    open_ones = select(Delivery.id).where(Delivery.edition_id == Edition.id, col(Delivery.state).in_(OPEN))
    query = select(Edition).where(Edition.state == EditionState.FROZEN, ~open_ones.exists())
    finished = list(session.exec(query))
    for edition in finished:
        edition.state = EditionState.FINISHED
        edition.finished_at = now
        session.add(edition)
    return finished


def count_due(session: Session, now: datetime, *, digest: str | None = None) -> int:
    """Count the deliveries of frozen editions that may be claimed now."""
    query = (
        select(func.count())
        .select_from(Delivery)
        .join(Edition, col(Edition.id) == col(Delivery.edition_id))
        .where(in_states(session.get_bind().dialect.name, *_DUE), col(Delivery.due_at) <= now)
        .where(Edition.state == EditionState.FROZEN)
    )
    return session.exec(query.where(Edition.digest == digest) if digest else query).one()


def count_owned(session: Session) -> int:
    """Count the deliveries that a worker has claimed or that are in flight."""
    owned = in_states(session.get_bind().dialect.name, *OWNED)
    return session.exec(select(func.count()).select_from(Delivery).where(owned)).one()


def count_states(session: Session, edition_id: int) -> dict[str, int]:
    """Count an edition's deliveries by state.

    SQLite would sort them all for a GROUP BY, so there each state is a sum of its own.
    """
    own = col(Delivery.edition_id) == edition_id
    if session.get_bind().dialect.name == "sqlite":
        sums = [func.count().filter(col(Delivery.state) == state) for state in DeliveryState]
        counts = list(session.connection().execute(sa_select(func.count(), *sums).where(own)).one())
        if counts[0] == sum(counts[1:]):  # each is in a state that this version knows
            found = zip(DeliveryState, counts[1:], strict=True)
            return {state.value: number for state, number in found if number}
    query = select(Delivery.state, func.count()).where(own)
    return dict(session.exec(query.group_by(Delivery.state)).all())


def count_planned(session: Session, edition_id: int) -> tuple[int, int]:
    """Count an edition's deliveries that are not withheld, and those that are.

    There is no GROUP BY, for which SQLite would sort them all.
    """
    withheld = func.count().filter(col(Delivery.state) == DeliveryState.WITHHELD)
    query = select(func.count(), withheld).where(Delivery.edition_id == edition_id)
    total, kept_back = session.exec(query).one()
    return total - kept_back, kept_back


def count_outcomes(session: Session, edition_id: int, most: int) -> tuple[list[tuple[str, str, int]], bool]:
    """Count an edition's first deliveries by state and by what follows the first "@" of the address.

    Return also whether there are more than `most`, of which no other is read.
    """
    own = select(Delivery.subscription_id).where(Delivery.edition_id == edition_id)
    own = own.order_by(col(Delivery.subscription_id))
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    address = func.coalesce(Subscriber.address, "")
    at = func.instr(address, "@") if is_sqlite else func.strpos(address, "@")
    domain: Any = case((at > 0, func.substr(address, at + 1)), else_="")
    first = (
        select(Delivery.state, domain.label("domain"))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(Delivery.edition_id == edition_id)
        .order_by(col(Delivery.subscription_id))
        .limit(most)
        .subquery()
    )
    query = select(first.c.state, first.c.domain, func.count()).group_by(first.c.state, first.c.domain)
    found = [(state, rest, number) for state, rest, number in session.exec(query)]
    return found, session.exec(own.offset(most).limit(1)).first() is not None


def count_reasons(session: Session, edition_id: int) -> list[tuple[str, str, int]]:
    """Count an edition's failed, withheld and deferred deliveries by reason."""
    query = (
        select(Delivery.state, Delivery.reason, func.count())
        .where(Delivery.edition_id == edition_id)
        .where(
            col(Delivery.state).in_((DeliveryState.FAILED, DeliveryState.WITHHELD, DeliveryState.DEFERRED))
        )
        .group_by(Delivery.state, Delivery.reason)
        .order_by(func.count().desc())
    )
    return list(session.exec(query))


def next_due_at(session: Session, edition_id: int) -> datetime | None:
    """Return when the next open delivery of an edition is due."""
    query = select(func.min(Delivery.due_at)).where(
        Delivery.edition_id == edition_id, col(Delivery.state).in_(_DUE)
    )
    return session.exec(query).one()


def find_holding(
    session: Session, subscription_id: int, article_id: int
) -> list[tuple[Delivery, Edition, VariantArticle]]:
    """List the deliveries to a subscription whose variant has an article, latest first."""
    query = (
        select(Delivery, Edition, VariantArticle)
        .join(Edition, col(Edition.id) == col(Delivery.edition_id))
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
        .where(Delivery.subscription_id == subscription_id, VariantArticle.article_id == article_id)
        .order_by(col(Delivery.id).desc())
    )
    return list(session.exec(query))


def history_of(session: Session, subscription_id: int, skip: Sequence[str] = ()) -> frozenset[int]:
    """Return the articles that a reader has received by a subscription, and by those to the digests of
    `skip`."""
    query = (
        select(VariantArticle.article_id)
        .join(Delivery, col(Delivery.variant_id) == col(VariantArticle.variant_id))
        .where(is_counted())
    )
    if not skip:
        return frozenset(session.exec(query.where(Delivery.subscription_id == subscription_id)))
    reader = select(Subscription.subscriber_id).where(Subscription.id == subscription_id).scalar_subquery()
    theirs = select(Subscription.id).where(
        Subscription.subscriber_id == reader,
        or_(col(Subscription.id) == subscription_id, col(Subscription.digest).in_(skip)),
    )
    return frozenset(session.exec(query.where(col(Delivery.subscription_id).in_(theirs))))


def _close(session: Session, job: Job, state: DeliveryState, reason: str, now: datetime) -> None:
    session.exec(
        update(Delivery)
        .where(col(Delivery.id) == job.delivery_id)
        .values(state=state, reason=reason, owner=None, changed_at=now)
    )


def _unplace(session: Session, job: Job) -> None:
    """Remove a reader from their cohort: their history has changed and is read from the ledger again."""
    session.exec(
        update(Subscription).where(col(Subscription.id) == job.subscription_id).values(cohort_id=None)
    )
