"""Planning: the deliveries of an edition, one key range of readers at a time."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, String, Subquery, case, column, insert, literal, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, or_, select

from digest.models import (
    Delivery,
    DeliveryState,
    Edition,
    EditionCohort,
    MailForm,
    Subscriber,
    Subscription,
    SubscriptionState,
    Withheld,
)
from digest.store.database import Database
from digest.store.editions.cohorts import in_range, readers_of
from digest.store.transactions import take_turn

_TURN = 0x706C_616E  # "plan": any number that no other lock of ours has
# DISTINCT makes SQLite read the parameter once, and look the rows up by an index of its own.
_HOURS = {
    "sqlite": (
        "SELECT DISTINCT json_extract(value, '$[0]') AS zone, json_extract(value, '$[1]') AS hour,"
        " json_extract(value, '$[2]') AS quiet, json_extract(value, '$[3]') AS due_at FROM json_each(:due)"
    ),
    "postgresql": (
        "SELECT value->>0 AS zone, CAST(value->>1 AS integer) AS hour, value->>2 AS quiet,"
        " CAST(value->>3 AS timestamptz) AS due_at FROM json_array_elements(CAST(:due AS json))"
    ),
}
_IS_OUTDATED = text(
    "SELECT coalesce(bool_or(n_mod_since_analyze > 1000 + n_live_tup / 5), false) FROM pg_stat_user_tables"
    " WHERE relid IN (CAST('subscriber' AS regclass), CAST('subscription' AS regclass))"
)
_COUNT = text("ANALYZE (SKIP_LOCKED) subscriber, subscription")
_AS_IT_IS = text("SET LOCAL jit = off")  # a range takes less time than compiling its statements
_USUAL = "usual"  # in the place of quiet hours that a reader has not set


class UndecidedError(Exception):
    """A reader of a key range has changed since the range was read: the range is read again."""


class ReaderHours(NamedTuple):
    """When readers want their mail: `ReaderHours("Europe/Paris", 7, "22:00-06:00")`; None is the usual."""

    zone: str | None = None
    hour: int | None = None
    quiet: str | None = None


def refresh_statistics(database: Database) -> None:
    """Have PostgreSQL renew its statistics of readers if many have come or changed since.

    It counts by itself within a minute. Before that, as right after an import, it would take a digest's
    readers to be few, and read all of them for each key range.
    """
    if database.is_sqlite:
        return
    with database.write() as session:
        if session.execute(_IS_OUTDATED).scalar_one():
            session.execute(_COUNT)


def take_turns(session: Session) -> None:
    """Lock planning until the transaction ends: what the process has read of the ledger stays true.

    Otherwise a reader who changes cadence could be planned by two transactions, neither of which sees what
    the other one gives them. SQLite has one writer anyway.
    """
    take_turn(session, _TURN)
    if not keeps_others_out(session):
        session.execute(_AS_IT_IS)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The next readers to plan: the keys `after` one up to `last`, their cohorts and their hours.

    `last` is None when no reader is left; with `is_unplaced` some readers after `placed_to` need a cohort
    first.
    """

    after: int
    last: int | None
    cohorts: frozenset[int]
    hours: frozenset[ReaderHours]
    is_unplaced: bool = False
    placed_to: int = 0


def assume_range(session: Session, edition: Edition, size: int, hours: Iterable[ReaderHours]) -> KeyRange:
    """Return the key range with the next `size` readers, without reading more of it than its end.

    Its readers are taken to have decided cohorts and these hours. That takes a fifth of the time of
    `next_range`.
    """
    last = _find_end(session, edition, size)
    return KeyRange(edition.compiled_to, last, frozenset(), frozenset(hours))


def next_range(session: Session, edition: Edition, size: int) -> KeyRange:
    """Return the key range with the next `size` readers.

    Its end is read first, and then what its readers have: SQLite finds the few different ones as it reads,
    where it would sort all readers if they were grouped.
    """
    last = _find_end(session, edition, size)
    if last is None:
        return KeyRange(edition.compiled_to, None, frozenset(), frozenset())
    query = (
        select(Subscription.cohort_id, Subscriber.timezone, Subscription.hour, Subscription.quiet)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(*in_range(edition, last))
        .distinct()
    )
    rows = session.connection().execute(query).all()  # plain: a digest may have thousands of combinations
    return KeyRange(
        edition.compiled_to,
        last,
        frozenset(row[0] for row in rows if row[0] is not None),
        frozenset(ReaderHours(*hours) for hours in {row[1:] for row in rows}),
        any(row[0] is None for row in rows),
    )


def _find_end(session: Session, edition: Edition, size: int) -> int | None:
    key = col(Subscription.id)
    page = select(key).where(key > edition.compiled_to, *readers_of(edition)).order_by(key).limit(size)
    last: int | None = session.exec(select(func.max(page.subquery().c.id))).one()
    return last


def keeps_others_out(session: Session) -> bool:
    """Return whether nobody else can write during a transaction, as on SQLite.

    On PostgreSQL planning locks its readers FOR KEY SHARE only, by the foreign key: they can leave meanwhile.
    """
    return session.get_bind().dialect.name == "sqlite"


def list_reader_hours(session: Session, digest: str, cadence: str) -> list[ReaderHours]:
    """List the distinct zones, hours and quiet hours of a cadence's confirmed readers."""
    query = (
        select(Subscriber.timezone, Subscription.hour, Subscription.quiet)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .where(Subscription.digest == digest, Subscription.cadence == cadence)
        .where(Subscription.state == SubscriptionState.CONFIRMED)
        .distinct()
    )
    return [ReaderHours(*row) for row in session.exec(query)]


def plan_range(
    session: Session,
    edition: Edition,
    last: int,
    due: Iterable[tuple[ReaderHours, datetime]],
    now: datetime,
) -> int:
    """Plan the deliveries of one key range, and return how many.

    A delivery is withheld if its list is empty, waits for more articles, or the reader takes a private
    feed instead. Raise UndecidedError where nothing is decided for a reader or their hours: outer joins make
    the database refuse such a row by itself, as it has no edition or no due time. They also keep SQLite
    reading the readers in the order of their ids, in which the deliveries are stored: cohort by cohort takes
    three times as long.
    """
    moment = Delivery.__table__.c.due_at.type  # type: ignore[attr-defined]
    hours = _hours(session, due)
    is_empty = col(EditionCohort.variant_id).is_(None)
    is_read = col(Subscription.mail_form) == MailForm.FEED.value
    rows = (
        select(  # type: ignore[call-overload]
            EditionCohort.edition_id,
            Subscription.id,
            EditionCohort.variant_id,
            case((or_(is_empty, is_read), DeliveryState.WITHHELD.value), else_=DeliveryState.PLANNED.value),
            case(
                (col(EditionCohort.waits), Withheld.TOO_FEW.value),
                (is_empty, Withheld.NOTHING_NEW.value),
                (is_read, Withheld.FEED.value),
                else_="",
            ),
            hours.c.due_at, literal(0), literal(0), literal(""), literal(now, moment),
        )
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .outerjoin(EditionCohort, (col(EditionCohort.cohort_id) == col(Subscription.cohort_id))
                   & (col(EditionCohort.edition_id) == edition.id))
        .outerjoin(hours, (hours.c.zone == func.coalesce(Subscriber.timezone, ""))
                   & (hours.c.hour == func.coalesce(Subscription.hour, -1))
                   & (hours.c.quiet == func.coalesce(Subscription.quiet, _USUAL)))
        .where(*in_range(edition, last))
        .order_by(col(Subscription.id))
    )  # fmt: skip
    names = [
        "edition_id", "subscription_id", "variant_id", "state", "reason", "due_at", "attempts", "resends",
        "reply_text", "changed_at",
    ]  # fmt: skip
    try:
        statement = insert(Delivery).from_select(names, rows).execution_options(preserve_rowcount=True)
        return int(session.connection().execute(statement).rowcount)
    except IntegrityError as error:
        if not _is_null_refused(error.orig):
            raise
        raise UndecidedError(f"readers up to {last} changed while they were planned") from None


def _is_null_refused(error: Any) -> bool:
    code: object = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return code in ("23502", "SQLITE_CONSTRAINT_NOTNULL")


def _hours(session: Session, due: Iterable[tuple[ReaderHours, datetime]]) -> Subquery:
    """Return a table of the readers' hours and the moments at which they are due.

    It is one JSON parameter: a statement with a parameter for each value would be written anew each time.
    """
    moment = Delivery.__table__.c.due_at.type  # type: ignore[attr-defined]
    dialect = session.get_bind().dialect
    stored = moment.dialect_impl(dialect).bind_processor(dialect)
    rows = [
        (
            one.zone or "",
            -1 if one.hour is None else one.hour,
            _USUAL if one.quiet is None else one.quiet,
            str(stored(at)),
        )
        for one, at in due
    ]
    table = text(_HOURS[dialect.name]).bindparams(due=json.dumps(rows))
    return table.columns(
        column("zone", String), column("hour", Integer), column("quiet", String), column("due_at", moment)
    ).subquery("hours")
