"""Cohorts: the readers whom selection cannot tell apart, and how they are found in key ranges."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, cast, delete, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Session, col, func, or_, select, update

from digest.models import (
    Cohort,
    Delivery,
    Edition,
    EditionCohort,
    Subscription,
    SubscriptionState,
)
from digest.models.cadence import WELCOME
from digest.models.row import row_id
from digest.rules.editions.selection import EVERY_TOPIC, Chosen
from digest.store.articles.articles import in_parts
from digest.store.editions.variants import find_or_add_variants

_MANY = 1_000  # with more readers than this without a cohort, they are not looked at one by one


class _Unindexed(FunctionElement[Any]):
    """A column whose index SQLite does not use (sqlite.org/optoverview.html, "Disqualifying WHERE terms").

    PostgreSQL gets the plain column: of an expression it would not know how many rows have that value.
    """

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(_Unindexed)
def _compile_plain(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Unindexed, "sqlite")
def _compile_unary(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


def unindexed(column: Any) -> ColumnElement[Any]:
    """Return a column in a condition for which SQLite is not to use the column's index."""
    return _Unindexed(col(column))


def readers_of(edition: Edition) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for an edition's readers: confirmed before its freeze.

    Who waits for a first edition gets that one and no other, so that two that are compiled at the same time
    never hold the same article for them. SQLite would read all readers of the digest for each range if it
    could look the digest's name up.
    """
    is_confirmed = col(Subscription.state) == SubscriptionState.CONFIRMED
    if edition.cadence == WELCOME:
        return is_confirmed, *_waits(edition.digest, edition.freeze_at)
    return (
        unindexed(Subscription.digest) == edition.digest,
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
    """Stop everybody's wait for a first edition: it was made, or the digest has none."""
    session.exec(update(Subscription).where(*_waits(digest, until)).values(welcome_at=None))


def end_waiting_in(session: Session, edition: Edition) -> None:
    """Stop the wait of readers for whom a first edition was planned, and of those who left meanwhile.

    Somebody who confirms while it is planned may come too late for their range: the next one is theirs.
    """
    planned = select(Delivery.subscription_id).where(Delivery.edition_id == edition.id)
    left = col(Subscription.state) != SubscriptionState.CONFIRMED
    over = or_(left, col(Subscription.id).in_(planned))
    waiting = _waits(edition.digest, edition.freeze_at)
    session.exec(update(Subscription).where(*waiting, over).values(welcome_at=None))


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


def in_range(edition: Edition, last: int, after: int = 0) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the key range that is being planned, or the rest of it after a key; `last` is
    included."""
    key = col(Subscription.id)
    return (key > max(edition.compiled_to, after), key <= last, *readers_of(edition))


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
        select(cast(col(Subscription.topics), String), Subscription.max_articles)
        .where(Subscription.digest == digest, Subscription.cadence == cadence)
        .where(Subscription.state == SubscriptionState.CONFIRMED, col(Subscription.cohort_id).is_(None))
        .order_by(col(Subscription.id))
        .limit(limit)
    )
    read: dict[str, dict[str, str]] = {}  # very many chose the same, and reading JSON takes longest
    return [
        (read.get(topics) or read.setdefault(topics, json.loads(topics)), most)
        for topics, most in session.exec(query)
    ]


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


def list_decided(session: Session, edition_id: int) -> set[int]:
    """Return the ids of the cohorts for which an edition has decided."""
    query = select(EditionCohort.cohort_id).where(EditionCohort.edition_id == edition_id)
    return set(session.exec(query))


def get_cohorts(session: Session, ids: Collection[int]) -> list[Cohort]:
    """Return cohorts by id, in the order of their ids."""
    query = select(Cohort).order_by(col(Cohort.id))
    return [
        one for part in in_parts(sorted(ids)) for one in session.exec(query.where(col(Cohort.id).in_(part)))
    ]


def does_any_wait(session: Session, edition_id: int) -> bool:
    """Return whether a cohort of an edition got nothing because there were too few articles."""
    query = select(EditionCohort.cohort_id).where(EditionCohort.edition_id == edition_id)
    return session.exec(query.where(col(EditionCohort.waits)).limit(1)).first() is not None


def decide(session: Session, edition_id: int, decided: Sequence[tuple[Cohort, Chosen]]) -> None:
    """Record what cohorts get: a variant, or none if nothing is new."""
    lists = [(cohort.language, chosen) for cohort, chosen in decided if chosen.choices]
    made = iter(find_or_add_variants(session, edition_id, lists))
    rows = [
        {
            "edition_id": edition_id, "cohort_id": row_id(cohort),
            "variant_id": next(made) if chosen.choices else None, "waits": chosen.waits,
        }
        for cohort, chosen in decided
    ]  # fmt: skip
    if rows:
        session.connection().execute(insert(EditionCohort), rows)


def list_decisions(session: Session, edition_id: int, after: int, limit: int) -> list[tuple[Cohort, int]]:
    """List the next cohorts that got a variant in this edition, with that variant, by their ids."""
    query = (
        select(Cohort, EditionCohort.variant_id)
        .join(EditionCohort, col(EditionCohort.cohort_id) == col(Cohort.id))
        .where(EditionCohort.edition_id == edition_id, col(EditionCohort.variant_id).is_not(None))
        .where(col(Cohort.id) > after)
        .order_by(col(Cohort.id))
        .limit(limit)
    )
    return [(cohort, variant_id) for cohort, variant_id in session.exec(query) if variant_id is not None]


def lift_keys(session: Session, edition_id: int) -> None:
    """Clear the keys of the cohorts that change with an edition, so that none is merged with an old key."""
    mailed = select(EditionCohort.cohort_id).where(
        EditionCohort.edition_id == edition_id, col(EditionCohort.variant_id).is_not(None)
    )
    lifted = "advancing-" + cast(col(Cohort.id), String)
    session.exec(
        update(Cohort)
        .where(col(Cohort.id).in_(mailed))
        .values(key=lifted)
        .execution_options(synchronize_session=False)
    )


def find_keys(session: Session, keys: Sequence[str]) -> dict[str, int]:
    """Return the cohorts that have these keys."""
    query = select(Cohort.key, Cohort.id).where(col(Cohort.key).in_(keys))
    return {key: number for key, number in session.exec(query) if number is not None}


def advance(session: Session, changed: Sequence[dict[str, Any]]) -> None:
    """Store cohorts' keys, topics and histories, each as a row by its columns, with the id as `row`."""
    table = Cohort.__table__  # type: ignore[attr-defined]
    names = ("key", "topics", "history", "history_from")
    statement = update(table).where(table.c.id == bindparam("row"))
    if changed:
        session.connection().execute(statement.values({name: bindparam(name) for name in names}), changed)
