"""Corrections: the notice, and its deliveries to those whose counted delivery held the article."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, insert
from sqlmodel import Session, case, col, func, literal, or_, select, update

from digest.models import (
    OPEN,
    Correction,
    Delivery,
    DeliveryState,
    Edition,
    MailForm,
    Subscriber,
    Subscription,
    SubscriptionState,
    Variant,
    VariantArticle,
    Withheld,
    is_counted,
)
from digest.store.editions.cohorts import unindexed

_WAITING = (DeliveryState.PLANNED, DeliveryState.DEFERRED, DeliveryState.CLAIMED)


class ToldReaders(NamedTuple):
    """Readers who get a notice in the same words and form."""

    language: str | None
    mail_form: str


@dataclass(frozen=True, slots=True)
class NoticeRange:
    """The next `count` readers of a digest, up to the subscription `last`."""

    last: int
    count: int


def find_same(session: Session, article_id: int, text: str) -> Correction | None:
    """Find the notice that says the same about an article, if there is one."""
    query = select(Correction).where(Correction.article_id == article_id, Correction.text == text)
    return session.exec(query).first()


def list_of(session: Session, article_ids: Collection[int]) -> dict[int, list[Correction]]:
    """List the notices about articles, the earliest first."""
    query = select(Correction).where(col(Correction.article_id).in_(article_ids)).order_by(col(Correction.id))
    found: dict[int, list[Correction]] = {}
    for one in session.exec(query):
        found.setdefault(one.article_id, []).append(one)
    return found


def list_editions_of(session: Session, article_ids: Collection[int]) -> list[Edition]:
    """List the editions that corrected one of these articles, the latest first."""
    query = select(Edition).join(Correction, col(Correction.edition_id) == col(Edition.id))
    query = query.where(col(Correction.article_id).in_(article_ids)).order_by(col(Edition.id).desc())
    return list(session.exec(query))


def get_of(session: Session, edition: Edition) -> Correction:
    """Return the correction that an edition carries."""
    return session.exec(select(Correction).where(Correction.edition_id == edition.id)).one()


def list_digests(session: Session, article_id: int) -> list[str]:
    """List the digests that have readers with an article."""
    query = (
        select(Subscription.digest)
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .where(*_holds(article_id))
        .distinct()
    )
    return sorted(session.exec(query))


def count_readers(session: Session, article_id: int) -> int:
    """Count the readers with an article who would be notified now, each once."""
    query = (
        select(func.count(col(Subscription.subscriber_id).distinct()))
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .where(*_holds(article_id), Subscription.state == SubscriptionState.CONFIRMED)
        .where(Subscription.mail_form != MailForm.FEED)
    )
    return session.exec(query).one()


def next_range(session: Session, edition: Edition, size: int) -> NoticeRange | None:
    """Return the next `size` readers of a digest, with the article or not; None if none is left."""
    key = col(Subscription.id)
    page = select(key).where(key > edition.compiled_to, unindexed(Subscription.digest) == edition.digest)
    some = page.order_by(key).limit(size).subquery()
    last, count = session.exec(select(func.max(some.c.id), func.count())).one()
    return None if last is None else NoticeRange(last, count)


def list_audiences(
    session: Session, correction: Correction, edition: Edition, last: int
) -> list[ToldReaders]:
    """List the languages and forms of mail of those with the article in the key range up to `last`."""
    holding = _holding(correction, edition, last)
    query = (
        select(Subscriber.language, Subscription.mail_form)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .join(holding, holding.c.subscription_id == Subscription.id)
        .distinct()
    )
    return [ToldReaders(language, mail_form) for language, mail_form in session.exec(query)]


def plan(
    session: Session,
    correction: Correction,
    edition: Edition,
    last: int,
    variants: Mapping[int, Sequence[ToldReaders]],
) -> None:
    """Plan a delivery for each reader of a key range with the article; for readers who left or paused it is
    withheld.

    `variants` holds the variant of each audience. Readers whom another digest tells the same get nothing. A
    notice is due at the same time as the message with the article, if that has not been sent.
    """
    if not variants:
        return
    holding = _holding(correction, edition, last)
    moment = Delivery.__table__.c.due_at.type  # type: ignore[attr-defined]
    state, reason = _standing()
    variant_id = case(*((_is_of(audiences), number) for number, audiences in variants.items()))
    names = [
        "edition_id", "subscription_id", "variant_id", "state", "reason", "due_at", "attempts", "resends",
        "reply_text", "changed_at",
    ]  # fmt: skip
    columns: Any = (
        literal(edition.id), holding.c.subscription_id, variant_id, state, reason, holding.c.due_at,
        literal(0), literal(0), literal(""), literal(edition.freeze_at, moment),
    )  # fmt: skip
    rows = (
        select(*columns)
        .select_from(holding)
        .join(Subscription, col(Subscription.id) == holding.c.subscription_id)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(~_is_told(correction))
        .order_by(holding.c.subscription_id)
    )
    session.connection().execute(insert(Delivery).from_select(names, rows))


def withhold_lost(session: Session, article_id: int, now: datetime) -> int:
    """Withhold the notices of readers who turn out not to have the article; return how many."""
    own = select(Correction.edition_id).where(Correction.article_id == article_id)
    having = (
        select(Delivery.subscription_id)
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
        .where(VariantArticle.article_id == article_id, is_counted())
    )
    return session.exec(
        update(Delivery)
        .where(col(Delivery.edition_id).in_(own), col(Delivery.state).in_(_WAITING))
        .where(col(Delivery.subscription_id).not_in(having))
        .values(state=DeliveryState.WITHHELD, reason=Withheld.NEVER_HAD, owner=None, changed_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount


def find_delivery(session: Session, correction: Correction, subscription_id: int) -> Delivery | None:
    """Find a reader's delivery of a notice."""
    query = select(Delivery).where(
        Delivery.edition_id == correction.edition_id, Delivery.subscription_id == subscription_id
    )
    return session.exec(query).first()


def _holds(article_id: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for counted deliveries with an article.

    The editions are named as well as the variants, because deliveries are indexed by edition.
    """
    variants = select(VariantArticle.variant_id).where(VariantArticle.article_id == article_id)
    made = select(Variant.edition_id).where(col(Variant.id).in_(variants))
    return col(Delivery.edition_id).in_(made), col(Delivery.variant_id).in_(variants), is_counted()


def _holding(correction: Correction, edition: Edition, last: int) -> Subquery:
    """Return the subscriptions of a key range whose counted delivery has the article, each with the time when
    a notice is due."""
    moment = Delivery.__table__.c.due_at.type  # type: ignore[attr-defined]
    at = literal(edition.freeze_at, moment)
    still_to_leave = and_(col(Delivery.state).in_(OPEN), col(Delivery.due_at) > at)
    due_at = func.max(case((still_to_leave, col(Delivery.due_at)), else_=at), type_=moment)
    key = col(Delivery.subscription_id)
    query = (
        select(Delivery.subscription_id, due_at.label("due_at"))
        .join(Subscription, col(Subscription.id) == key)
        .where(*_holds(correction.article_id), key > edition.compiled_to, key <= last)
        .where(unindexed(Subscription.digest) == edition.digest)
        .group_by(key)
    )
    return query.subquery()


def _standing() -> tuple[ColumnElement[str], ColumnElement[str]]:
    state = col(Subscription.state)
    is_confirmed, is_paused = state == SubscriptionState.CONFIRMED, state == SubscriptionState.PAUSED
    reads_feed = and_(is_confirmed, col(Subscription.mail_form) == MailForm.FEED.value)
    planned, withheld = DeliveryState.PLANNED.value, DeliveryState.WITHHELD.value
    return (
        case((reads_feed, withheld), (is_confirmed, planned), else_=withheld),
        case(
            (reads_feed, Withheld.FEED.value),
            (is_confirmed, ""),
            (is_paused, Withheld.PAUSED.value),
            else_=Withheld.LEFT.value,
        ),
    )


def _is_of(audiences: Sequence[ToldReaders]) -> ColumnElement[bool]:
    """Return whether a reader is of one of these audiences."""
    return or_(
        *(
            and_(
                col(Subscriber.language).is_not_distinct_from(one.language),
                col(Subscription.mail_form) == one.mail_form,
            )
            for one in audiences
        )
    )


def _is_told(correction: Correction) -> ColumnElement[bool]:
    """Return whether another digest's edition of the same correction tells the same person."""
    other = Subscription.__table__.alias("other")  # type: ignore[attr-defined]
    editions = select(Correction.edition_id).where(
        Correction.article_id == correction.article_id,
        Correction.text == correction.text,
        Correction.edition_id != correction.edition_id,
    )
    told = (
        select(Delivery.id)
        .join(other, other.c.id == col(Delivery.subscription_id))
        .where(col(Delivery.edition_id).in_(editions), other.c.subscriber_id == Subscription.subscriber_id)
        .where(Delivery.state != DeliveryState.WITHHELD)
    )
    return told.exists()
