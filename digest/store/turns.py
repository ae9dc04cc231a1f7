"""The statements of every turn of the courier loop, written out: they run thousands of times a minute."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import TextClause, bindparam
from sqlmodel import Session, text

from digest.models import Delivery, DeliveryState, EditionState, SubscriptionState, Withheld

_TIME = Delivery.__table__.c.changed_at.type  # type: ignore[attr-defined]


def _timed(statement: str, *names: str) -> TextClause:
    return text(statement).bindparams(*(bindparam(name, type_=_TIME) for name in names))


_STANDING = (
    "SELECT delivery.id, subscription.state, delivery.state, delivery.owner, edition.state"
    " FROM delivery JOIN subscription ON subscription.id = delivery.subscription_id"
    " JOIN edition ON edition.id = delivery.edition_id WHERE delivery.id IN :ids"
)
_READ = text(_STANDING).bindparams(bindparam("ids", expanding=True))
# On PostgreSQL, whoever leaves now waits for our commit.
_LOCK = text(f"{_STANDING} FOR NO KEY UPDATE OF delivery, subscription").bindparams(
    bindparam("ids", expanding=True)
)
_MARK = _timed(
    "UPDATE delivery SET state = 'in_flight', composed_at = :at, changed_at = :now WHERE id = :row",
    "at",
    "now",
)
_ACCEPT = _timed(
    "UPDATE delivery SET state = 'accepted', reason = '', owner = NULL, reply_code = :code, reply_text = '',"
    " attempts = attempts + 1, changed_at = :now WHERE id = :row AND owner = :owner",
    "now",
)


def may_still_go(session: Session, ids: Sequence[int], *, owner: int) -> dict[int, Withheld | bool]:
    """Re-read consent and claims: a reason to withhold, False where the claim is gone, else True."""
    connection = session.connection()
    statement = _LOCK if connection.dialect.name == "postgresql" else _READ
    return {
        key: _may_go(subscription, delivery, holder == owner, edition)
        for key, subscription, delivery, holder, edition in connection.execute(statement, {"ids": ids})
    }


def _may_go(subscription: str, delivery: str, is_ours: bool, edition: str) -> Withheld | bool:
    if delivery != DeliveryState.CLAIMED or not is_ours or edition != EditionState.FROZEN:
        return False
    if subscription == SubscriptionState.CONFIRMED:
        return True
    return Withheld.PAUSED if subscription == SubscriptionState.PAUSED else Withheld.LEFT


def mark_in_flight(session: Session, composed: Mapping[int, datetime], *, now: datetime) -> None:
    """Commit to messages before their final dots may leave, each with the Date that it bears.

    The rows are those that `may_still_go` has just locked.
    """
    if composed:
        rows = [{"row": key, "at": at, "now": now} for key, at in composed.items()]
        session.connection().execute(_MARK, rows)


def record_accepted(session: Session, codes: Mapping[int, int], *, owner: int, now: datetime) -> None:
    """Record messages that the relay took, each with its reply's code."""
    rows = [{"row": key, "code": code, "owner": owner, "now": now} for key, code in codes.items()]
    session.connection().execute(_ACCEPT, rows)
