"""What is kept of one reader beside their choices and consent: for the copy of their data."""

from sqlmodel import Session, col, select

from digest.models import (
    Answer,
    Bounce,
    Complaint,
    Confirmation,
    Delivery,
    Edition,
    ReaderNotice,
    Subscription,
)


def list_deliveries(session: Session, subscriber_id: int) -> list[tuple[Edition, Delivery]]:
    """List a reader's deliveries with their editions, the first one first."""
    query = (
        select(Edition, Delivery)
        .join(Delivery, col(Delivery.edition_id) == col(Edition.id))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(col(Edition.freeze_at), col(Delivery.id))
    )
    return list(session.exec(query))


def list_confirmations(session: Session, subscriber_id: int) -> list[Confirmation]:
    """List the requests to confirm that were made for a reader."""
    query = (
        select(Confirmation)
        .join(Subscription, col(Subscription.id) == col(Confirmation.subscription_id))
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(col(Confirmation.id))
    )
    return list(session.exec(query))


def list_notices(session: Session, subscriber_id: int) -> list[ReaderNotice]:
    """List the notices to a reader that are kept."""
    query = select(ReaderNotice).where(ReaderNotice.subscriber_id == subscriber_id)
    return list(session.exec(query.order_by(col(ReaderNotice.id))))


def list_bounces(session: Session, subscriber_id: int) -> list[Bounce]:
    """List the bounces of messages to a reader."""
    return list(
        session.exec(select(Bounce).where(Bounce.subscriber_id == subscriber_id).order_by(col(Bounce.id)))
    )


def list_complaints(session: Session, subscriber_id: int) -> list[Complaint]:
    """List a reader's complaints about messages."""
    query = select(Complaint).where(Complaint.subscriber_id == subscriber_id)
    return list(session.exec(query.order_by(col(Complaint.id))))


def list_answers(session: Session, subscriber_id: int) -> list[Answer]:
    """List the automatic answers to what a reader mailed."""
    return list(
        session.exec(select(Answer).where(Answer.subscriber_id == subscriber_id).order_by(col(Answer.id)))
    )
