"""Placements: which readers need a cohort, what they have by the ledger, and who leaves a cohort."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, and_, cast, false, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, or_, select, update

from digest.models import Cohort, Delivery, Edition, Subscriber, Subscription, is_counted
from digest.store.editions.cohorts import in_range, unindexed

PART = 1_500
"""How many readers one statement takes out of their cohorts, or moves to another, between two commits."""

_ON_SQLITE = text(
    "UPDATE subscription SET cohort_id = placed.value FROM json_each(:placed) AS placed"
    " WHERE subscription.id = CAST(placed.key AS INTEGER)"
)
_ON_POSTGRESQL = text(
    "UPDATE subscription SET cohort_id = placed.cohort"
    " FROM unnest(CAST(:ids AS integer[]), CAST(:cohorts AS integer[])) AS placed (id, cohort)"
    " WHERE subscription.id = placed.id"
)


class Likeness(NamedTuple):
    """All that tells readers apart, as stored: `topics` is JSON, `variants` the ids of what they have."""

    language: str | None
    topics: str
    max_articles: int | None
    min_articles: int | None
    mail_form: str
    variants: str


def group_unplaced(
    session: Session,
    edition: Edition,
    after: int,
    last: int,
    limit: int,
    made_from: datetime,
    skip: Sequence[str] = (),
) -> dict[Likeness, list[int]]:
    """Group the next readers of a key range that need a cohort: the ids of the subscriptions that are alike.

    `variants` names their counted deliveries of editions that were made from a moment on; those by
    subscriptions to the digests of `skip` count too. The readers are locked until the commit: one who changes
    topics or cadence meanwhile leaves the cohort after it.
    """
    columns: Any = (
        Subscription.id, Subscriber.language, cast(col(Subscription.topics), String),
        Subscription.max_articles, Subscription.min_articles, Subscription.mail_form,
        func.coalesce(_variants(made_from, skip), ""),
    )  # fmt: skip
    query = (
        select(*columns)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(*in_range(edition, last, after), col(Subscription.cohort_id).is_(None))
        .order_by(col(Subscription.id))
        .limit(limit)
        .with_for_update(of=Subscription)
    )
    groups: dict[Any, list[int]] = {}
    for row in session.connection().execute(query).all():
        groups.setdefault(row[1:], []).append(row[0])
    return {Likeness(*alike): ids for alike, ids in groups.items()}


def _variants(made_from: datetime, skip: Sequence[str]) -> Any:
    """Return the subquery for the variants that a reader has."""
    query = (
        select(func.aggregate_strings(cast(col(Delivery.variant_id), String), ","))
        .join(Edition, col(Edition.id) == col(Delivery.edition_id))
        .where(is_counted(), col(Delivery.variant_id).is_not(None), col(Edition.freeze_at) >= made_from)
    )
    if not skip:
        return query.where(Delivery.subscription_id == Subscription.id).scalar_subquery()
    other = aliased(Subscription)
    counts = or_(col(other.id) == col(Subscription.id), col(other.digest).in_(skip))
    query = query.join(other, col(other.id) == col(Delivery.subscription_id))
    return query.where(other.subscriber_id == Subscription.subscriber_id, counts).scalar_subquery()


def place(session: Session, groups: Iterable[tuple[int, Sequence[int]]]) -> None:
    """Assign each group's subscriptions to its cohort.

    One statement for all, in the order in which the readers are stored: one for each reader takes half as
    long again, and group by group a quarter.
    """
    placed = sorted((number, cohort_id) for cohort_id, ids in groups for number in ids)
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.execute(_ON_SQLITE, {"placed": json.dumps(dict(placed))})
    elif placed:
        ids, cohorts = [number for number, _ in placed], [cohort_id for _, cohort_id in placed]
        connection.execute(_ON_POSTGRESQL, {"ids": ids, "cohorts": cohorts})


def move_some(session: Session, cohort_id: int, to: int | None) -> bool:
    """Move some of a cohort's readers to another one, or out of it; return whether any may be left."""
    return _set_some(session, (col(Subscription.cohort_id) == cohort_id,), to)


def unplace_short(session: Session, digest: str, cadence: str, needed_from: datetime) -> bool:
    """Remove some readers from cohorts whose history does not reach back far enough (a longer `carry`).

    Return whether any may be left.
    """
    short = select(Cohort.id).where(
        Cohort.digest == digest, Cohort.cadence == cadence, col(Cohort.history_from) > needed_from
    )
    return _set_some(session, (col(Subscription.cohort_id).in_(short),))


def unplace_all(session: Session, digest: str, cadence: str) -> bool:
    """Remove some readers of a cadence from their cohorts, so that their histories are read from the ledger
    again; return whether any may be left."""
    return _set_some(session, _placed(digest, cadence))


def unplace_who_read(session: Session, digest: str, cadence: str, others: Sequence[str]) -> bool:
    """Remove some of a cadence's readers from their cohorts who have, or had, one of the other digests.

    Return whether any may be left.
    """
    theirs = select(Subscription.subscriber_id).where(col(Subscription.digest).in_(others))
    return _set_some(session, (*_placed(digest, cadence), col(Subscription.subscriber_id).in_(theirs)))


def unplace_unplanned(session: Session, edition: Edition, last: int | None) -> None:
    """Remove those of a key range from their cohorts whom an edition is not for; None is all that follow.

    Their cohort's history is to have the edition's articles, which they do not get.
    """
    key, cohort = col(Subscription.id), unindexed(Subscription.cohort_id)  # by the key, not by the cohorts
    is_reader = and_(
        col(Subscription.confirmed_at) <= edition.freeze_at, col(Subscription.welcome_at).is_(None)
    )
    query = update(Subscription).where(key > edition.compiled_to, cohort.is_not(None))
    if last is not None:
        query = query.where(key <= last)
    query = query.where(unindexed(Subscription.digest) == edition.digest)
    query = query.where(col(Subscription.cadence) == edition.cadence)
    left = query.where(~func.coalesce(is_reader, false())).values(cohort_id=None)
    session.exec(left.execution_options(synchronize_session=False))


def _placed(digest: str, cadence: str) -> tuple[ColumnElement[bool], ...]:
    is_theirs = col(Subscription.digest) == digest, col(Subscription.cadence) == cadence
    return *is_theirs, col(Subscription.cohort_id).is_not(None)


def _set_some(session: Session, wanted: Iterable[ColumnElement[bool]], cohort_id: int | None = None) -> bool:
    some = select(Subscription.id).where(*wanted).limit(PART)
    changed = session.exec(
        update(Subscription)
        .where(col(Subscription.id).in_(some))
        .values(cohort_id=cohort_id)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == PART
