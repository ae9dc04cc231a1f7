"""The statements of every turn of the courier loop, for the driver as they are.

They run thousands of times a minute: what SQLAlchemy does for a statement would cost more than the
statement. PostgreSQL's differ in their placeholders, and lock what SQLite's one writer locks anyway.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json import dumps
from typing import Any

from sqlalchemy import Connection

from digest.models import DeliveryState, EditionState, SubscriptionState, Withheld
from digest.store.deliveries import Job

_STANDING = (
    "SELECT delivery.id, subscription.state, delivery.state, delivery.owner, edition.state,"
    " delivery.variant_id"
    " FROM delivery JOIN subscription ON subscription.id = delivery.subscription_id"
    " JOIN edition ON edition.id = delivery.edition_id WHERE delivery.id"
)
_IN_JSON = " IN (SELECT value FROM json_each(?))"
_MARK = "UPDATE delivery SET state = 'in_flight', composed_at = ?, changed_at = ? WHERE id = ?"
_ACCEPT = (
    "UPDATE delivery SET state = 'accepted', reason = '', owner = NULL, reply_code = ?, reply_text = '',"
    " attempts = attempts + 1, changed_at = ? WHERE id = ? AND owner = ?"
)


# "CROSS JOIN" keeps SQLite at walking the open deliveries in their order.
_DUE = (
    "SELECT delivery.id, delivery.edition_id, delivery.variant_id, delivery.subscription_id,"
    " subscriber.public_id, subscriber.address, subscriber.address_key, subscriber.name, subscription.digest,"
    " delivery.due_at, delivery.attempts, delivery.resends, delivery.composed_at"
    " FROM delivery CROSS JOIN subscription CROSS JOIN subscriber"
    " WHERE delivery.state IN ('planned', 'deferred') AND delivery.due_at <= ? AND delivery.edition_id IN"
    " (SELECT id FROM edition WHERE state = 'frozen' AND (? = '' OR digest = ?))"
    " AND subscription.id = delivery.subscription_id AND subscriber.id = subscription.subscriber_id"
    " ORDER BY delivery.due_at, delivery.id LIMIT ?"
)
_BEGUN = (
    "SELECT count(*) FROM delivery WHERE state IN ('claimed', 'in_flight', 'accepted', 'uncertain')"
    " AND changed_at >= ?"
)
_DUE_AT, _COMPOSED_AT = 9, 12
_CLAIM = "UPDATE delivery SET state = 'claimed', owner = ?, changed_at = ? WHERE delivery.id"


@dataclass(frozen=True, slots=True)
class _Dialect:
    due: str
    claim: str
    standing: str
    mark: str
    accept: str
    begun: str
    is_sqlite: bool

    def ids(self, ids: Sequence[int]) -> Any:
        return dumps(ids) if self.is_sqlite else ids

    def time(self, moment: datetime) -> Any:
        if not self.is_sqlite:
            return moment
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

    def moments(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        values[_DUE_AT] = self._moment(row[_DUE_AT])
        values[_COMPOSED_AT] = row[_COMPOSED_AT] and self._moment(row[_COMPOSED_AT])
        return values

    def _moment(self, stored: Any) -> datetime:
        return (
            datetime.fromisoformat(stored).replace(tzinfo=UTC) if self.is_sqlite else stored.astimezone(UTC)
        )


_DIALECTS = {
    "sqlite": _Dialect(_DUE, _CLAIM + _IN_JSON, _STANDING + _IN_JSON, _MARK, _ACCEPT, _BEGUN, is_sqlite=True),
    "postgresql": _Dialect(
        _DUE.replace("?", "%s") + " FOR UPDATE OF delivery SKIP LOCKED",
        _CLAIM.replace("?", "%s") + " = ANY(%s)",
        # Whoever leaves now waits for our commit; in the order of ids, as whoever withdraws locks.
        _STANDING + " = ANY(%s) ORDER BY delivery.id FOR NO KEY UPDATE OF delivery, subscription",
        _MARK.replace("?", "%s"),
        _ACCEPT.replace("?", "%s"),
        _BEGUN.replace("?", "%s"),
        is_sqlite=False,
    ),
}


def claim(
    connection: Connection, *, owner: int, now: datetime, size: int, digest: str | None = None
) -> list[Job]:
    """Claim due deliveries of frozen editions for a worker, the longest due first."""
    own, name = _DIALECTS[connection.dialect.name], digest or ""
    found = connection.exec_driver_sql(own.due, (own.time(now), name, name, size)).all()
    jobs = [Job(*own.moments(row)) for row in found]
    if jobs:
        ids = own.ids([job.delivery_id for job in jobs])
        connection.exec_driver_sql(own.claim, (owner, own.time(now), ids))
    return jobs


def may_still_go(
    connection: Connection, variants: Mapping[int, int], *, owner: int
) -> dict[int, Withheld | bool]:
    """Re-read consent and claims: a reason to withhold, False where the claim is gone, else True.

    `variants` maps each delivery to the variant that its message was composed of; where an article was
    withdrawn meanwhile it has another, and must be composed anew.
    """
    own = _DIALECTS[connection.dialect.name]
    found = connection.exec_driver_sql(own.standing, (own.ids(list(variants)),))
    return {
        key: variants[key] == variant and _may_go(subscription, delivery, holder == owner, edition)
        for key, subscription, delivery, holder, edition, variant in found
    }


def _may_go(subscription: str, delivery: str, is_ours: bool, edition: str) -> Withheld | bool:
    if delivery != DeliveryState.CLAIMED or not is_ours or edition != EditionState.FROZEN:
        return False
    if subscription == SubscriptionState.CONFIRMED:
        return True
    return Withheld.PAUSED if subscription == SubscriptionState.PAUSED else Withheld.LEFT


def mark_in_flight(connection: Connection, composed: Mapping[int, datetime], *, now: datetime) -> None:
    """Commit to messages before their final dots may leave, each with the Date that it bears.

    The rows are those that `may_still_go` has just locked.
    """
    if composed:
        own = _DIALECTS[connection.dialect.name]
        at_once = own.time(now)
        rows = [(own.time(at), at_once, key) for key, at in composed.items()]
        connection.exec_driver_sql(own.mark, rows)


def record_accepted(connection: Connection, codes: Mapping[int, int], *, owner: int, now: datetime) -> None:
    """Record messages that the relay took, each with its reply's code."""
    if codes:
        own = _DIALECTS[connection.dialect.name]
        at_once = own.time(now)
        connection.exec_driver_sql(own.accept, [(code, at_once, key, owner) for key, code in codes.items()])


def count_begun(connection: Connection, since: datetime) -> int:
    """Count the messages that were claimed, or left, since a moment: what a warm-up counts."""
    own = _DIALECTS[connection.dialect.name]
    found = connection.exec_driver_sql(own.begun, (own.time(since),))
    return int(found.scalar_one())
