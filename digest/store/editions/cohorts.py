"""Cohorts: the readers whom selection cannot tell apart, and how they are found in key ranges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, func, or_, select, update

from digest.models import (
    Article,
    Cohort,
    Delivery,
    Edition,
    EditionCohort,
    MailForm,
    Subscriber,
    Subscription,
    SubscriptionState,
    VariantArticle,
    is_counted,
)
from digest.models.cadence import WELCOME
from digest.rules.editions.selection import EVERY_TOPIC, Chosen
from digest.store.editions.variants import find_or_add_variant

_SMALL = 100  # readers: of fewer, an UPDATE by their ids takes longer to write than to run
_MANY = 1_000  # with more readers than this without a cohort, they are not looked at one by one


@dataclass(frozen=True, slots=True)
class UnplacedReader:
    """A confirmed subscription that is not in a cohort yet."""

    subscription_id: int
    language: str | None
    topics: dict[str, str]
    max_articles: int | None = None
    min_articles: int | None = None
    mail_form: str = MailForm.PICTURES


def readers_of(edition: Edition) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for an edition's readers: confirmed before its freeze.

    Who waits for a first edition gets that one and no other, so that two that are compiled at the same time
    never hold the same article for them. The digest's name is an expression, because SQLite would otherwise
    read all readers of the digest for each range.
    """
    is_confirmed = col(Subscription.state) == SubscriptionState.CONFIRMED
    if edition.cadence == WELCOME:
        return is_confirmed, *_waits(edition.digest, edition.freeze_at)
    return (
        col(Subscription.digest) + "" == edition.digest,
        col(Subscription.cadence) == edition.cadence,
        is_confirmed,
        col(Subscription.confirmed_at) <= edition.freeze_at,
        col(Subscription.welcome_at).is_(None),
    )


def has_readers(session: Session, edition: Edition, now: datetime) -> bool:
    """Return whether anybody would be an edition's reader if it were frozen now."""
    frozen_now = Edition(
        digest=edition.digest, cadence=edition.cadence, period=edition.period, deadline_at=now, freeze_at=now
    )
    found = select(Subscription.id).where(*readers_of(frozen_now)).limit(1)
    return session.exec(found).first() is not None


def had_readers(session: Session, edition: Edition) -> bool:
    """Return whether a made edition had any reader, with something new for them or not."""
    decided = select(EditionCohort.cohort_id).where(EditionCohort.edition_id == edition.id).limit(1)
    planned = select(Delivery.id).where(Delivery.edition_id == edition.id).limit(1)
    return any(session.exec(query).first() is not None for query in (decided, planned))


def _waits(digest: str, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of who waits for a first edition since a moment or longer."""
    waits_since = col(Subscription.welcome_at)
    return col(Subscription.digest) == digest, waits_since.is_not(None), waits_since <= until


def is_anyone_new(session: Session, digest: str, until: datetime) -> bool:
    """Return whether any reader waits for a first edition of a digest."""
    return session.exec(select(Subscription.id).where(*_waits(digest, until)).limit(1)).first() is not None


def end_waiting(session: Session, digest: str, until: datetime) -> None:
    """Let nobody wait for a first edition any longer: it was made, or the digest has none."""
    session.exec(update(Subscription).where(*_waits(digest, until)).values(welcome_at=None))


def end_waiting_in(session: Session, edition: Edition) -> None:
    """Let those wait no longer whom an edition of first editions was planned for, or who left meanwhile.

    Somebody who confirms while it is planned may come too late for their range: the next one is theirs.
    """
    planned = select(Delivery.subscription_id).where(Delivery.edition_id == edition.id)
    left = col(Subscription.state) != SubscriptionState.CONFIRMED
    settled = or_(left, col(Subscription.id).in_(planned))
    waiting = _waits(edition.digest, edition.freeze_at)
    session.exec(update(Subscription).where(*waiting, settled).values(welcome_at=None))


def dissolve(session: Session, edition: Edition) -> None:
    """Delete the cohorts of first editions: what their readers have is read from the ledger next time."""
    own = select(EditionCohort.cohort_id).where(EditionCohort.edition_id == edition.id)
    numbers = list(session.exec(own))
    for start in range(0, len(numbers), 500):
        chunk = numbers[start : start + 500]
        session.exec(
            update(Subscription).where(col(Subscription.cohort_id).in_(chunk)).values(cohort_id=None)
        )
        session.exec(delete(EditionCohort).where(col(EditionCohort.cohort_id).in_(chunk)))
        session.exec(delete(Cohort).where(col(Cohort.id).in_(chunk)))


def in_range(edition: Edition, last: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the key range that is being planned, `last` included."""
    key = col(Subscription.id)
    return (key > edition.compiled_to, key <= last, *readers_of(edition))


def next_range(session: Session, edition: Edition, size: int) -> int | None:
    """Return the last subscription id of the next key range to plan; None at the end."""
    page = (
        select(col(Subscription.id).label("id"))
        .where(col(Subscription.id) > edition.compiled_to, *readers_of(edition))
        .order_by(col(Subscription.id))
        .limit(size)
        .subquery()
    )
    highest: int | None = session.exec(select(func.max(page.c.id))).one()
    return highest


def list_unplaced(session: Session, edition: Edition, last: int) -> list[UnplacedReader]:
    """List the readers of a key range that need a cohort.

    They are locked until the commit: one who changes topics or cadence meanwhile leaves the cohort after it.
    """
    columns: Any = (
        Subscription.id,
        Subscriber.language,
        Subscription.topics,
        Subscription.max_articles,
        Subscription.min_articles,
        Subscription.mail_form,
    )
    query = (
        select(*columns)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(*in_range(edition, last), col(Subscription.cohort_id).is_(None))
        .order_by(col(Subscription.id))
        .with_for_update(of=Subscription)
    )
    return [
        UnplacedReader(number, language, dict(topics), most, fewest, mail_form)
        for number, language, topics, most, fewest, mail_form in session.exec(query)
    ]


def counted_history(
    session: Session, edition: Edition, last: int, seen_from: datetime, skip: Sequence[str] = ()
) -> dict[int, frozenset[int]]:
    """Return what the unplaced readers of a key range have, according to the ledger.

    What they have by subscriptions to the digests of `skip` counts too.
    """
    query = select(Subscription.id, VariantArticle.article_id).select_from(Subscription)
    if skip:
        other = aliased(Subscription)
        is_theirs = col(other.subscriber_id) == col(Subscription.subscriber_id)
        counts = or_(col(other.id) == col(Subscription.id), col(other.digest).in_(skip))
        query = query.join(other, and_(is_theirs, counts))
        query = query.join(Delivery, col(Delivery.subscription_id) == col(other.id))
    else:
        query = query.join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
    query = (
        query.join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
        .join(Article, col(Article.id) == col(VariantArticle.article_id))
        .where(*in_range(edition, last), col(Subscription.cohort_id).is_(None))
        .where(is_counted(), col(Article.first_seen_at) >= seen_from)
    )
    history: dict[int, set[int]] = {}
    for subscription_id, article_id in session.exec(query):
        if subscription_id is not None:
            history.setdefault(subscription_id, set()).add(article_id)
    return {subscription_id: frozenset(ids) for subscription_id, ids in history.items()}


def list_sizes(
    session: Session, digest: str, cadence: str, limit: int | None = None
) -> list[tuple[Cohort, int]]:
    """List the cohorts of a cadence with their current number of confirmed readers, the largest first."""
    size = func.count()
    query = (
        select(Cohort, size)
        .join(Subscription, col(Subscription.cohort_id) == col(Cohort.id))
        .where(Cohort.digest == digest, Cohort.cadence == cadence)
        .where(Subscription.state == SubscriptionState.CONFIRMED)
        .group_by(col(Cohort.id))
    )
    return list(session.exec(query.order_by(size.desc(), col(Cohort.id)).limit(limit)))


def find_or_add_cohort(session: Session, cohort: Cohort) -> int:
    """Return the id of the cohort with this key, inserting it if it is new."""
    found = session.exec(select(Cohort.id).where(Cohort.key == cohort.key)).first()
    if found is not None:
        return found
    session.add(cohort)
    session.flush()
    assert cohort.id is not None  # noqa: S101 - flushed
    return cohort.id


def place(session: Session, groups: Sequence[tuple[int, Sequence[int]]]) -> None:
    """Let each group's subscriptions be stood for by its cohort; small groups go out together."""
    small: list[dict[str, int]] = []
    for cohort_id, ids in groups:
        if len(ids) < _SMALL:
            small.extend({"row": number, "cohort": cohort_id} for number in ids)
            continue
        for start in range(0, len(ids), 500):
            chunk = ids[start : start + 500]
            session.exec(
                update(Subscription).where(col(Subscription.id).in_(chunk)).values(cohort_id=cohort_id)
            )
    if small:
        table = Subscription.__table__  # type: ignore[attr-defined]
        one = update(table).where(table.c.id == bindparam("row")).values(cohort_id=bindparam("cohort"))
        session.connection().execute(one, small)


def unplace_where_history_is_short(
    session: Session, digest: str, cadence: str, needed_from: datetime
) -> None:
    """Remove readers from cohorts whose history does not reach back far enough (a longer `carry`)."""
    short = select(Cohort.id).where(
        Cohort.digest == digest, Cohort.cadence == cadence, col(Cohort.history_from) > needed_from
    )
    session.exec(update(Subscription).where(col(Subscription.cohort_id).in_(short)).values(cohort_id=None))


def unplace_all(session: Session, digest: str, cadence: str) -> None:
    """Remove all readers of a cadence from their cohorts, so that their histories are read from the ledger
    again."""
    session.exec(
        update(Subscription)
        .where(col(Subscription.digest) == digest, col(Subscription.cadence) == cadence)
        .values(cohort_id=None)
    )


def unplace_who_read(session: Session, digest: str, cadence: str, others: Sequence[str]) -> None:
    """Take those readers of a cadence out of their cohorts who have, or had, one of the other digests."""
    theirs = select(Subscription.subscriber_id).where(col(Subscription.digest).in_(others))
    session.exec(
        update(Subscription)
        .where(col(Subscription.digest) == digest, col(Subscription.cadence) == cadence)
        .where(col(Subscription.cohort_id).is_not(None), col(Subscription.subscriber_id).in_(theirs))
        .values(cohort_id=None)
    )


def count_readers(session: Session, digest: str, cadence: str) -> int:
    """Count the confirmed readers of a cadence."""
    query = (
        select(func.count())
        .select_from(Subscription)
        .where(Subscription.digest == digest, Subscription.cadence == cadence)
        .where(Subscription.state == SubscriptionState.CONFIRMED)
    )
    return session.exec(query).one()


def sample_unplaced(
    session: Session, digest: str, cadence: str, limit: int
) -> list[tuple[dict[str, str], int | None]]:
    """List topics and limit of the first readers whom no cohort stands for yet."""
    query = (
        select(Subscription.topics, Subscription.max_articles)
        .where(Subscription.digest == digest, Subscription.cadence == cadence)
        .where(Subscription.state == SubscriptionState.CONFIRMED, col(Subscription.cohort_id).is_(None))
        .order_by(col(Subscription.id))
        .limit(limit)
    )
    return [(dict(topics), most) for topics, most in session.exec(query)]


def list_wanted_topics(session: Session, digest: str, cadence: str) -> set[str]:
    """List the topics that a cadence's readers chose; "*" stands for every one."""
    placed = session.exec(select(Cohort.topics).where(Cohort.digest == digest, Cohort.cadence == cadence))
    unplaced = session.exec(
        select(Subscription.topics)
        .where(Subscription.digest == digest, Subscription.cadence == cadence)
        .where(Subscription.state == SubscriptionState.CONFIRMED, col(Subscription.cohort_id).is_(None))
        .limit(_MANY)
    ).all()
    found = {topic for topics in (*placed, *unplaced) for topic in topics}
    return found | {EVERY_TOPIC} if len(unplaced) == _MANY else found


def undecided_cohorts(session: Session, edition: Edition, last: int) -> list[Cohort]:
    """List the cohorts of a key range for which this edition has decided nothing yet."""
    decided = select(EditionCohort.cohort_id).where(EditionCohort.edition_id == edition.id)
    present = select(Subscription.cohort_id).where(*in_range(edition, last)).distinct()
    query = select(Cohort).where(col(Cohort.id).in_(present), col(Cohort.id).not_in(decided))
    return list(session.exec(query))


def decide_cohort(session: Session, edition_id: int, cohort_id: int, language: str, chosen: Chosen) -> None:
    """Record what a cohort gets: a variant, or none if nothing is new."""
    variant_id = find_or_add_variant(session, edition_id, language, chosen) if chosen.choices else None
    session.add(
        EditionCohort(edition_id=edition_id, cohort_id=cohort_id, variant_id=variant_id, waits=chosen.waits)
    )
    session.flush()


def does_any_wait(session: Session, edition_id: int) -> bool:
    """Return whether a cohort of an edition got nothing because there were too few articles."""
    query = select(EditionCohort.cohort_id).where(EditionCohort.edition_id == edition_id)
    return session.exec(query.where(col(EditionCohort.waits)).limit(1)).first() is not None


def list_decisions(session: Session, edition_id: int) -> list[tuple[Cohort, int]]:
    """List the cohorts that got a variant in this edition, with that variant."""
    query = (
        select(Cohort, EditionCohort.variant_id)
        .join(EditionCohort, col(EditionCohort.cohort_id) == col(Cohort.id))
        .where(EditionCohort.edition_id == edition_id)
        .order_by(col(Cohort.id))
    )
    return [(cohort, variant_id) for cohort, variant_id in session.exec(query) if variant_id is not None]


def unplace_unplanned(session: Session, edition: Edition) -> None:
    """Remove readers from a mailed cohort who are in it but not in this edition."""
    mailed = select(EditionCohort.cohort_id).where(
        EditionCohort.edition_id == edition.id, col(EditionCohort.variant_id).is_not(None)
    )
    planned = select(Delivery.id).where(
        Delivery.edition_id == edition.id,
        Delivery.subscription_id == Subscription.id,
        is_counted(),
    )
    session.exec(
        update(Subscription)
        .where(col(Subscription.cohort_id).in_(mailed), ~planned.exists())
        .values(cohort_id=None)
    )


def lift_keys(session: Session, cohorts: Sequence[Cohort]) -> None:
    """Clear the keys of cohorts that all change at once, so that none is merged with another's old key."""
    for cohort in cohorts:
        cohort.key = f"advancing-{cohort.id}"
        session.add(cohort)
    session.flush()


def merge_into(session: Session, cohort: Cohort, key: str) -> bool:
    """Move a cohort's readers into the one that already has this key; return False if none has."""
    other = session.exec(select(Cohort.id).where(Cohort.key == key, col(Cohort.id) != cohort.id)).first()
    if other is None:
        return False
    session.exec(update(Subscription).where(col(Subscription.cohort_id) == cohort.id).values(cohort_id=other))
    cohort.key = f"merged-{cohort.id}"
    session.add(cohort)
    session.flush()
    return True
