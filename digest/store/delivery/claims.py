"""The SQL of each turn of the delivery loop, passed to the driver as text.

These statements run thousands of times a minute, and SQLAlchemy's work on each would cost more than executing
it. On PostgreSQL they lock explicitly what SQLite's single writer locks anyway, and are written for few row
versions, index entries and round trips (docs/flow.md); `turns` sends them all at once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection

from digest.models import DeliveryState, EditionState, SubscriptionState, Withheld
from digest.store.delivery.deliveries import Job

T = TypeVar("T")
Ready = Mapping[int, tuple[Job, datetime]]
"""Messages that can be sent: by the delivery's id, its job and the Date in its message."""

_STANDING = (
    "SELECT delivery.id, subscription.state, delivery.state, delivery.owner, edition.state,"
    " delivery.variant_id"
    " FROM delivery JOIN subscription ON subscription.id = delivery.subscription_id"
    " JOIN edition ON edition.id = delivery.edition_id WHERE delivery.id"
)
_IN_JSON = " IN (SELECT value FROM json_each(?))"
_IN_ARRAY = " = ANY(%s::bigint[])"
_MARK = (
    "UPDATE delivery SET state = 'in_flight', composed_at = json_extract(ready.value, '$[1]'), changed_at = ?"
    " FROM json_each(?) AS ready WHERE delivery.id = CAST(ready.key AS INTEGER)"
    " AND delivery.variant_id = json_extract(ready.value, '$[0]')"
    " AND delivery.state = 'claimed' AND owner = ?"
    " AND edition_id IN (SELECT id FROM edition WHERE state = 'frozen') AND EXISTS"
    " (SELECT 1 FROM subscription WHERE subscription.id = delivery.subscription_id"
    " AND subscription.state = 'confirmed') RETURNING delivery.id"
)
# Whoever unsubscribes now waits for our commit. Rows are locked and updated in the order of ids, as
# withdrawing does; the conditions of the UPDATE check again what others have changed meanwhile.
MARK_POSTGRESQL = (
    "WITH free AS MATERIALIZED (SELECT ready.* FROM"
    " unnest(%s::bigint[], %s::int[], %s::int[], %s::timestamptz[])"
    " AS ready (id, subscription_id, variant_id, composed_at)"
    " JOIN subscription ON subscription.id = ready.subscription_id WHERE subscription.state = 'confirmed'"
    " ORDER BY ready.id FOR NO KEY UPDATE OF subscription)"
    " UPDATE delivery SET state = 'in_flight', composed_at = free.composed_at, changed_at = %s"
    " FROM free WHERE delivery.id = free.id AND delivery.subscription_id = free.subscription_id"
    " AND delivery.variant_id = free.variant_id AND delivery.state = 'claimed' AND delivery.owner = %s"
    " AND delivery.edition_id = ANY (ARRAY(SELECT id FROM edition WHERE state = 'frozen'))"
    " RETURNING delivery.id"
)
_ACCEPT = (
    "UPDATE delivery SET state = 'accepted', reason = '', owner = NULL, reply_code = ?, reply_text = '',"
    " attempts = attempts + 1, changed_at = ? WHERE owner = ? AND id"
)

_JOB = (  # the columns of `Job`, in order
    "delivery.id, delivery.edition_id, delivery.variant_id, delivery.subscription_id,"
    " subscriber.public_id, subscriber.address, subscriber.address_key, subscriber.name, subscription.digest,"
    " delivery.due_at, delivery.attempts, delivery.resends, delivery.composed_at"
)
# "CROSS JOIN" and "+" make SQLite walk the open deliveries in index order; it would read them all.
_DUE = (
    "SELECT {job} FROM delivery CROSS JOIN subscription CROSS JOIN subscriber"
    " WHERE delivery.state IN ('planned', 'deferred') AND delivery.due_at <= ? AND +delivery.edition_id IN"
    " (SELECT id FROM edition WHERE state = 'frozen' AND (? = '' OR digest = ?))"
    " AND subscription.id = delivery.subscription_id AND subscriber.id = subscription.subscriber_id"
    " ORDER BY delivery.due_at, delivery.id LIMIT ?"
).replace("{job}", _JOB)
# `is_open` makes this the partial index's query. Claiming and marking do not change it, so those updates need
# no new index entries (HOT). An accepted one leaves a dead entry in it until a vacuum, so a claim begins
# where the last one ended: else each would walk past all that went before. "+ 0" keeps the planner from an
# edition's own index, which has not their order.
CLAIM_POSTGRESQL = (
    "WITH due AS MATERIALIZED (SELECT id FROM delivery WHERE is_open AND state IN ('planned', 'deferred')"
    " AND due_at <= %s AND (due_at, id) > (%s, %s) AND edition_id + 0 = ANY (ARRAY"
    " (SELECT id FROM edition WHERE state = 'frozen' AND (%s = '' OR digest = %s)))"
    " ORDER BY due_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)"
    " UPDATE delivery SET state = 'claimed', owner = %s, changed_at = %s"
    " FROM due, subscription, subscriber WHERE delivery.id = due.id"
    " AND subscription.id = delivery.subscription_id AND subscriber.id = subscription.subscriber_id"
    " RETURNING {job}"
).replace("{job}", _JOB)
_BEGUN = (
    "SELECT count(*) FROM delivery WHERE state IN ('claimed', 'in_flight', 'accepted', 'uncertain')"
    " AND changed_at >= ?"
)
_DUE_AT, _COMPOSED_AT = 9, 12
Position = tuple[datetime, int]
"""Where a claim ended: the due time and the id of its last delivery."""
FROM_THE_START: Position = (datetime(1970, 1, 1, tzinfo=UTC), 0)
_CLAIM = "UPDATE delivery SET state = 'claimed', owner = ?, changed_at = ? WHERE delivery.id"


@dataclass(frozen=True, slots=True)
class _Dialect:
    standing: str
    accept: str
    begun: str
    is_sqlite: bool

    def ids(self, ids: Iterable[int]) -> str:
        return f"[{','.join(map(str, ids))}]" if self.is_sqlite else array(ids)

    def time(self, moment: datetime) -> Any:
        return _write_moment(moment) if self.is_sqlite else moment

    def job(self, row: Sequence[Any]) -> Job:
        values = list(row)
        values[_DUE_AT] = self._moment(row[_DUE_AT])
        values[_COMPOSED_AT] = row[_COMPOSED_AT] and self._moment(row[_COMPOSED_AT])
        return Job._make(values)

    def _moment(self, stored: Any) -> datetime:
        return _read_moment(stored) if self.is_sqlite else stored.astimezone(UTC)


def mark_values(ready: Ready) -> tuple[str, str, str, str]:
    """Return what `MARK_POSTGRESQL` needs of messages: ids, subscriptions, variants and Dates, as arrays."""
    variants = array("NULL" if job.variant_id is None else job.variant_id for job, _ in ready.values())
    moments = array(f'"{_write_moment(at)}Z"' for _, at in ready.values())
    return array(ready), array(job.subscription_id for job, _ in ready.values()), variants, moments


def array(values: Iterable[object]) -> str:
    """Return numbers or times as PostgreSQL writes an array, `{41,42}`: the driver is slow with lists."""
    return "{" + ",".join(map(str, values)) + "}"


@lru_cache(maxsize=64)
def _write_moment(moment: datetime) -> str:
    """Format a time as SQLite stores it; the statements of a turn share the result."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(maxsize=256)
def _read_moment(stored: str) -> datetime:
    """Parse a time as SQLite stores it; cached, as many deliveries have the same."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


ACCEPT_POSTGRESQL = _ACCEPT.replace("?", "%s") + _IN_ARRAY
_DIALECTS = {
    "sqlite": _Dialect(_STANDING + _IN_JSON, _ACCEPT + _IN_JSON, _BEGUN, is_sqlite=True),
    "postgresql": _Dialect(
        _STANDING + _IN_ARRAY + " ORDER BY delivery.id FOR NO KEY UPDATE OF delivery, subscription",
        ACCEPT_POSTGRESQL,
        _BEGUN.replace("?", "%s"),
        is_sqlite=False,
    ),
}


def claim(
    connection: Connection,
    *,
    owner: int,
    now: datetime,
    size: int,
    digest: str | None = None,
    beyond: Position = FROM_THE_START,
) -> list[Job]:
    """Claim due deliveries of frozen editions for a worker, those due longest first.

    On PostgreSQL only those `beyond` a position are looked at; SQLite walks past nothing that is done.
    """
    own, name, cursor = _DIALECTS[connection.dialect.name], digest or "", _cursor(connection)
    at = own.time(now)
    if not own.is_sqlite:
        cursor.execute(CLAIM_POSTGRESQL, (at, *beyond, name, name, size, owner, at))
        return sorted(map(own.job, cursor.fetchall()), key=lambda job: (job.due_at, job.delivery_id))
    jobs = [own.job(row) for row in cursor.execute(_DUE, (at, name, name, size)).fetchall()]
    if jobs:
        ids = own.ids([job.delivery_id for job in jobs])
        cursor.execute(_CLAIM + _IN_JSON, (owner, at, ids))
    return jobs


def mark_in_flight(
    connection: Connection, ready: Ready, *, owner: int, now: datetime
) -> dict[int, Withheld | bool]:
    """Mark messages in flight, each with its Date; their final dots may be sent after the commit.

    Claims and consent are read again, and only deliveries that may still be sent are marked. Return the
    others: each with the reason to withhold it, or False if the claim is gone. `ready` says which variant
    each message was composed from: if an article was withdrawn meanwhile, the delivery has another variant,
    and its message must be composed again.
    """
    if not ready:
        return {}
    own, cursor = _DIALECTS[connection.dialect.name], _cursor(connection)
    if own.is_sqlite:
        rows = {str(key): (job.variant_id, own.time(at)) for key, (job, at) in ready.items()}
        cursor.execute(_MARK, (own.time(now), json.dumps(rows), owner))
    else:
        cursor.execute(MARK_POSTGRESQL, (*mark_values(ready), now, owner))
    marked = {key for (key,) in cursor.fetchall()}
    if len(marked) == len(ready):
        return {}
    return _kept_back(cursor, own, {key: one for key, one in ready.items() if key not in marked}, owner)


def _kept_back(cursor: Any, own: _Dialect, kept: Ready, owner: int) -> dict[int, Withheld | bool]:
    """Return why these were not marked: a reason to withhold, or False if the claim is gone.

    One that could be sent by now, because its reader has just come back, is released and claimed again.
    """
    found = cursor.execute(own.standing, (own.ids(list(kept)),)).fetchall()
    reasons: dict[int, Withheld | bool] = dict.fromkeys(kept, False)
    for key, subscription, delivery, holder, edition, variant in found:
        is_ours = delivery == DeliveryState.CLAIMED and holder == owner and variant == kept[key][0].variant_id
        reason = _may_go(subscription, is_ours, edition)
        reasons[key] = reason is not True and reason
    return reasons


def _may_go(subscription: str, is_ours: bool, edition: str) -> Withheld | bool:
    if not is_ours or edition != EditionState.FROZEN:
        return False
    if subscription == SubscriptionState.CONFIRMED:
        return True
    return Withheld.PAUSED if subscription == SubscriptionState.PAUSED else Withheld.LEFT


def record_accepted(connection: Connection, codes: Mapping[int, int], *, owner: int, now: datetime) -> None:
    """Record accepted deliveries, each with the code of its reply."""
    if codes:
        own, cursor = _DIALECTS[connection.dialect.name], _cursor(connection)
        for code, ids in grouped(codes).items():
            cursor.execute(own.accept, (code, own.time(now), owner, own.ids(ids)))


def count_begun(connection: Connection, since: datetime) -> int:
    """Count the messages that were claimed or sent since a moment, for a warm-up."""
    own = _DIALECTS[connection.dialect.name]
    (count,) = _cursor(connection).execute(own.begun, (own.time(since),)).fetchone()
    return int(count)


def _cursor(connection: Connection) -> Any:
    """Return a cursor of the driver inside the open transaction."""
    return connection.connection.cursor()


def grouped(values: Mapping[int, T]) -> dict[T, list[int]]:
    """Return the ids of each value."""
    groups: dict[T, list[int]] = {}
    for key, value in values.items():
        groups.setdefault(value, []).append(key)
    return groups
