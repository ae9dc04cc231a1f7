"""Newcomers in bulk: their rows go to the driver as they are, by COPY where the database has it.

An import of a million readers spends its time here and in reading the list; a row of SQLAlchemy's costs as
much as ten of these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, insert
from sqlmodel import Session, SQLModel, col, func, literal, select

from digest.models import Act, ConsentEvent, Subscriber, Subscription, SubscriptionState

_COLUMNS = "id, public_id, address, address_key, name, language, timezone, created_at"
_IN_SQLITE = f"INSERT INTO subscriber ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
_COPY = f"COPY subscriber ({_COLUMNS}) FROM STDIN"
_NEXT_IDS = "SELECT nextval(pg_get_serial_sequence('subscriber', 'id')) FROM generate_series(1, %s)"
_UNIQUE_VIOLATION = "23505"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class AddressTakenError(Exception):
    """Somebody else entered one of the addresses meanwhile; looked up again, it is found."""


class Newcomer(NamedTuple):
    """A person whose address nobody has yet."""

    public_id: str
    address: str
    address_key: str
    name: str
    language: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class Joining:
    """What newcomers have in common: the digest, what they chose of it, and how they agreed to it.

    Who is not `confirmed` is to be asked.
    """

    digest: str
    cadence: str
    topics: dict[str, str]
    confirmed: bool
    wording_id: int | None
    origin: dict[str, str]
    now: datetime


def add_newcomers(session: Session, groups: Iterable[tuple[Joining, Sequence[Newcomer]]]) -> None:
    """Enter people with their subscription and its event, a group that joins alike with a few statements.

    Raise AddressTakenError where another process entered one of them; the caller undoes the transaction, or
    the savepoint, and looks them up again.
    """
    for joining, people in groups:
        ids = _add_subscribers(session, people, joining.now)
        _add_subscriptions(session, ids, joining)
        _add_events(session, ids, joining)


def _add_subscribers(session: Session, people: Sequence[Newcomer], now: datetime) -> Sequence[int]:
    connection = session.connection()
    driver: Any = connection.connection
    if connection.dialect.name == "sqlite":  # whoever writes is alone
        first = (session.exec(select(func.max(Subscriber.id))).one() or 0) + 1
        ids = range(first, first + len(people))
        at = Subscriber.__table__.c.created_at.type.bind_processor(connection.dialect)(now)  # type: ignore[attr-defined]
        rows = ((number, *person, at) for number, person in zip(ids, people, strict=True))
        driver.cursor().executemany(_IN_SQLITE, rows)
        return ids
    with driver.cursor() as cursor:
        cursor.execute(_NEXT_IDS, (len(people),))
        numbers = [number for (number,) in cursor.fetchall()]
        try:
            with cursor.copy(_COPY) as copy:
                copy.write(_in_text(numbers, people, now))
        except connection.dialect.loaded_dbapi.Error as error:
            if getattr(error, "sqlstate", "") == _UNIQUE_VIOLATION:
                raise AddressTakenError from error
            raise
    return numbers


def _in_text(ids: Sequence[int], people: Sequence[Newcomer], now: datetime) -> bytes:
    r"""Write rows in COPY's text format: a line each, parted by tabs, with \N for what is not known."""
    at = now.isoformat()
    lines = []
    for number, (public_id, address, key, name, language, zone) in zip(ids, people, strict=True):
        kept = (_escape(address), _escape(key), _escape(name), language or "\\N", zone or "\\N")
        lines.append(f"{number}\t{public_id}\t" + "\t".join(kept) + f"\t{at}\n")
    return "".join(lines).encode()


def _escape(text: str) -> str:
    return text.translate(_ESCAPED) if "\\" in text or not text.isprintable() else text


def _add_subscriptions(session: Session, ids: Sequence[int], joining: Joining) -> None:
    state = SubscriptionState.CONFIRMED if joining.confirmed else SubscriptionState.PENDING
    values = {
        "digest": joining.digest,
        "state": state,
        "cadence": joining.cadence,
        "topics": joining.topics,
        "created_at": joining.now,
        "confirmed_at": joining.now if joining.confirmed else None,
    }
    _insert_for(session, Subscription, ids, values)


def _add_events(session: Session, ids: Sequence[int], joining: Joining) -> None:
    values = {
        "digest": joining.digest,
        "act": Act.CONFIRMED if joining.confirmed else Act.ASKED,
        "at": joining.now,
        "wording_id": joining.wording_id,
        "origin": joining.origin,
    }
    _insert_for(session, ConsentEvent, ids, values)


def _insert_for(
    session: Session, model: type[SQLModel], ids: Sequence[int], values: dict[str, object]
) -> None:
    """Insert the same values for each of these subscribers, in one statement."""
    table: Any = model.__table__  # type: ignore[attr-defined]
    shared = [literal(value, table.c[name].type) for name, value in values.items()]
    if session.get_bind().dialect.name == "sqlite":
        rows = select(Subscriber.id, *shared).where(col(Subscriber.id).between(ids[0], ids[-1]))
    else:
        rows = select(func.unnest(literal(list(ids), ARRAY(BigInteger))), *shared)
    session.connection().execute(insert(table).from_select(["subscriber_id", *values], rows))
