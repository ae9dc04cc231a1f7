"""Breaking news: who wants an article at once and does not have it, and the deliveries to them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlmodel import Session, col, select, update

from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    Edition,
    Subscriber,
    Subscription,
    SubscriptionState,
    VariantArticle,
    is_counted,
)
from digest.models.cadence import BREAKING
from digest.models.row import row_id


class BreakingReader(NamedTuple):
    """A reader who chose breaking news: `BreakingReader(7, 5, "de", {"*": ...}, None, None, "text")`."""

    subscription_id: int
    subscriber_id: int
    language: str | None
    topics: dict[str, str]
    zone: str | None
    quiet: str | None
    mail_form: str


class PlannedNews(NamedTuple):
    """One delivery to plan, or to withhold for `reason`."""

    subscription_id: int
    variant_id: int
    due_at: datetime
    reason: str = ""


def list_readers(
    session: Session, digest: str, story: Collection[int], told: Collection[int], after: int, size: int
) -> list[BreakingReader]:
    """List the next readers of a digest who chose breaking news and have no article of a story, by id.

    Who got it by one of the editions `told`, of another digest, has it too.
    """
    columns: Any = (
        Subscription.id, Subscription.subscriber_id, Subscriber.language, Subscription.topics,
        Subscriber.timezone, Subscription.quiet, Subscription.mail_form,
    )  # fmt: skip
    has_it = (
        select(Delivery.id)
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
        .where(Delivery.subscription_id == Subscription.id, is_counted())
        .where(col(VariantArticle.article_id).in_(story))
    )
    query = (
        select(*columns)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(Subscription.digest == digest, Subscription.state == SubscriptionState.CONFIRMED)
        .where(col(Subscription.breaking), col(Subscription.id) > after, ~has_it.exists())
        .where(
            col(Subscription.welcome_at).is_(None)
        )  # their first edition comes at once, with all that is new
    )
    if told:
        other = Subscription.__table__.alias("other")  # type: ignore[attr-defined]
        elsewhere = (
            select(Delivery.id)
            .join(other, other.c.id == col(Delivery.subscription_id))
            .where(col(Delivery.edition_id).in_(told), other.c.subscriber_id == Subscription.subscriber_id)
        )
        query = query.where(~elsewhere.exists())
    return [BreakingReader(*row) for row in session.exec(query.order_by(col(Subscription.id)).limit(size))]


def plan(session: Session, edition: Edition, planned: Sequence[PlannedNews], now: datetime) -> None:
    """Plan deliveries of an edition of breaking news, and take their readers out of their cohorts.

    The ledger has the article then; what a cohort's history says of them is read from it again.
    """
    rows = [
        {
            "edition_id": row_id(edition), "subscription_id": one.subscription_id,
            "variant_id": one.variant_id, "reason": one.reason,
            "state": DeliveryState.WITHHELD.value if one.reason else DeliveryState.PLANNED.value,
            "due_at": one.due_at, "attempts": 0, "resends": 0, "reply_text": "", "changed_at": now,
        }
        for one in planned
    ]  # fmt: skip
    if rows:
        session.connection().execute(insert(Delivery), rows)
    for start in range(0, len(planned), 500):
        ids = [one.subscription_id for one in planned[start : start + 500]]
        session.exec(update(Subscription).where(col(Subscription.id).in_(ids)).values(cohort_id=None))


def find_sent(session: Session, digest: str, article_id: int) -> Edition | None:
    """Find the edition by which an article was sent as breaking news."""
    query = select(Edition).where(Edition.digest == digest, Edition.cadence == BREAKING)
    return session.exec(query.where(Edition.period == str(article_id))).first()


class SentNews(NamedTuple):
    """An article that a digest sent as breaking news: `SentNews("world", "https://x.example/fire", ...)`."""

    digest: str
    url: str
    at: datetime


def list_last_sent(session: Session, limit: int) -> list[SentNews]:
    """List the latest breaking news, the latest first."""
    query = (
        select(Edition.digest, Edition.period, Edition.freeze_at)
        .where(Edition.cadence == BREAKING, col(Edition.frozen_at).is_not(None))
        .order_by(col(Edition.id).desc())
        .limit(limit)
    )
    rows = [(digest, int(period), at) for digest, period, at in session.exec(query)]
    articles = select(Article.id, Article.url).where(col(Article.id).in_({number for _, number, _ in rows}))
    urls = dict(session.exec(articles).all())
    return [SentNews(digest, urls[number], at) for digest, number, at in rows if number in urls]


def list_beside(session: Session, edition: Edition) -> list[int]:
    """List the editions by which other digests send the same article as breaking news."""
    query = select(Edition.id).where(Edition.cadence == BREAKING, Edition.period == edition.period)
    found = session.exec(query.where(col(Edition.digest) != edition.digest))
    return [number for number in found if number is not None]
