"""Current counts and times for a monitoring system."""

from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, exists, func, select

from digest.models import (
    OWNED,
    Answer,
    Confirmation,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Letter,
    LetterState,
    MailState,
    ReaderNotice,
    Source,
    Subscription,
    WebhookMessage,
    in_states,
)


class SourceHealth(NamedTuple):
    """One source: `SourceHealth("wire", 3, None, False)` has failed three times and never succeeded."""

    name: str
    failures: int
    last_success_at: datetime | None
    is_stopped: bool


class FinishedEdition(NamedTuple):
    """The latest edition of a cadence that is finished."""

    digest: str
    cadence: str
    deadline_at: datetime
    finished_at: datetime


def count_editions(session: Session) -> dict[tuple[str, str], int]:
    """Count editions by digest and state."""
    query = select(Edition.digest, Edition.state, func.count()).group_by(Edition.digest, Edition.state)
    return {(digest, state): number for digest, state, number in session.exec(query)}


def count_open(session: Session) -> dict[tuple[str, str], int]:
    """Count the deliveries without a final reply, by digest and state; the partial indexes answer this."""
    dialect, found = session.get_bind().dialect.name, {}
    for states in (("planned", "deferred"), ("claimed", "in_flight")):
        query = (
            select(Edition.digest, Delivery.state, func.count())
            .join(Edition, col(Edition.id) == Delivery.edition_id)
            .where(in_states(dialect, *states))
            .group_by(Edition.digest, Delivery.state)
        )
        found.update({(digest, state): number for digest, state, number in session.exec(query)})
    return found


def count_owned_by(session: Session) -> dict[int, int]:
    """Count the deliveries that each worker has claimed or that are in flight, by its id."""
    owned = in_states(session.get_bind().dialect.name, *OWNED)
    rows = session.exec(select(Delivery.owner, func.count()).where(owned).group_by(col(Delivery.owner)))
    return {owner: number for owner, number in rows if owner is not None}


def count_accepted_since(session: Session, edition_id: int, since: datetime) -> int:
    """Count an edition's deliveries that were accepted since a moment."""
    wanted = (Delivery.edition_id == edition_id, Delivery.state == DeliveryState.ACCEPTED)
    return session.exec(select(func.count()).where(*wanted, col(Delivery.changed_at) >= since)).one()


def count_not_due(session: Session, edition_id: int, now: datetime) -> int:
    """Count an edition's deliveries that are due later than now."""
    waiting = in_states(session.get_bind().dialect.name, "planned", "deferred")
    query = select(func.count()).where(waiting, col(Delivery.due_at) > now)
    return session.exec(query.where(Delivery.edition_id == edition_id)).one()


def oldest_due_at(session: Session, now: datetime) -> datetime | None:
    """Return when the delivery that has waited longest became due; None if nothing waits."""
    waiting = in_states(session.get_bind().dialect.name, "planned", "deferred")
    frozen = select(Edition.id).where(Edition.state == EditionState.FROZEN)
    query = select(Delivery.due_at).where(
        waiting, col(Delivery.due_at) <= now, col(Delivery.edition_id).in_(frozen)
    )
    return session.exec(query.order_by(col(Delivery.due_at), col(Delivery.id)).limit(1)).first()


def list_last_finished(session: Session) -> list[FinishedEdition]:
    """List the latest finished edition of each cadence."""
    key = (col(Edition.digest), col(Edition.cadence))
    query = (
        select(*key, func.max(Edition.deadline_at), func.max(Edition.finished_at))
        .where(col(Edition.finished_at).is_not(None))
        .group_by(*key)
    )
    rows = session.exec(query)
    return [FinishedEdition(digest, cadence, at, end) for digest, cadence, at, end in rows if end]


def list_sources(session: Session) -> list[SourceHealth]:
    """List every source with its failures in a row and its last success."""
    query = select(Source.name, Source.failures, Source.last_success_at, Source.stopped_at)
    return [
        SourceHealth(name, failures, success, stopped is not None)
        for name, failures, success, stopped in session.exec(query.order_by(Source.name))
    ]


def count_subscriptions(session: Session) -> dict[tuple[str, str], int]:
    """Count subscriptions by digest and state."""
    query = select(Subscription.digest, Subscription.state, func.count())
    rows = session.exec(query.group_by(Subscription.digest, Subscription.state))
    return {(digest, state): number for digest, state, number in rows}


def count_waiting_mail(session: Session) -> dict[str, int]:
    """Count readers' letters without an answer, and our answers that have not been sent."""
    letters = select(func.count()).select_from(Letter).where(Letter.state == LetterState.NEW)
    answers = select(func.count()).select_from(Answer).where(Answer.state == MailState.PLANNED)
    return {"letters": session.exec(letters).one(), "answers": session.exec(answers).one()}


def is_message_open(session: Session, now: datetime) -> bool:
    """Return whether any message is still to be sent, now or later, or waits for its reply to be recorded."""
    under_way = (EditionState.COMPILING, EditionState.FROZEN, EditionState.PAUSED)
    unsent = (MailState.PLANNED, MailState.CLAIMED, MailState.IN_FLIGHT)
    requested = select(Confirmation.id).where(
        col(Confirmation.mail_state).in_(unsent),
        Confirmation.expires_at > now,
        col(Confirmation.used_at).is_(None),
    )
    return any(
        session.exec(select(exists(query))).one()
        for query in (
            select(Edition.id).where(col(Edition.state).in_(under_way)),
            requested,
            select(ReaderNotice.id).where(col(ReaderNotice.mail_state).in_(unsent)),
            select(Answer.id).where(col(Answer.state).in_(unsent)),
            select(WebhookMessage.id).where(col(WebhookMessage.due_at).is_not(None)),
        )
    )
