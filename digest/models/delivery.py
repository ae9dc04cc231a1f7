"""A delivery: one edition for one subscriber."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, Integer, TextClause
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, col, or_, text


class DeliveryState(StrEnum):
    """The states of a delivery; there is no "sent" and no "delivered" (RFC 5321 4.2.5).

    `in_flight` is committed before the final dot may be sent; `accepted`: the relay replied 2yz; `withheld`:
    never attempted, with a reason; `uncertain`: the final dot was sent and no reply is known.
    """

    PLANNED = "planned"
    CLAIMED = "claimed"
    IN_FLIGHT = "in_flight"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    FAILED = "failed"
    WITHHELD = "withheld"
    UNCERTAIN = "uncertain"


class Withheld(StrEnum):
    """Why a delivery was never attempted."""

    NOTHING_NEW = "nothing new"
    TOO_FEW = "fewer new articles than the reader or the digest waits for"
    LEFT = "left"
    PAUSED = "paused"
    SUPPRESSED = "suppressed"
    ERASED = "erased"
    WITHDRAWN = "all its articles were withdrawn"
    NEVER_HAD = "the reader did not get the article that it is about"
    FEED = "read in the reader's own feed"
    RESTORED = "counted as got when a backup was restored"


OWNED = (DeliveryState.CLAIMED, DeliveryState.IN_FLIGHT)
"""Deliveries that a worker owns."""

OPEN = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.IN_FLIGHT, DeliveryState.DEFERRED)
"""Deliveries that can still change by themselves; an edition with one of these is not finished."""

COUNTED = (*OPEN, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
"""Deliveries whose articles count as received, besides those withheld because they were (`counts`)."""

GOT = (Withheld.RESTORED, Withheld.FEED)
"""Why a delivery was withheld though its reader has its articles."""


def counts(state: str, reason: str) -> bool:
    """Return whether a delivery's articles count as received."""
    return state in COUNTED or reason in GOT


DELIVERY_ID = BigInteger().with_variant(Integer(), "sqlite")
"""A million deliveries a day use up 31 bits in six years; SQLite's INTEGER PRIMARY KEY has 64 as it is."""


class Delivery(SQLModel, table=True):
    """One edition for one subscriber, and the last reply about it.

    `due_at` is when it may be claimed next; `owner` the worker that claimed it; `composed_at` the Date of its
    message, kept for a repeat; `resends` how often it was planned again after it was uncertain.
    """

    # PostgreSQL's indexes are in its migrations alone, as naming its dialect here would load it. Its
    # `ix_delivery_open` is partial by a generated column, `is_open`; it has no `ix_delivery_owned` (see
    # `in_states`).
    __table_args__ = (
        UniqueConstraint("edition_id", "subscription_id"),
        Index(
            "ix_delivery_open",
            "due_at",
            "id",
            sqlite_where=text("state IN ('planned', 'deferred')"),
        ),
        Index(
            "ix_delivery_owned",
            "owner",
            sqlite_where=text("state IN ('claimed', 'in_flight')"),
        ),
        Index("ix_delivery_subscription", "subscription_id"),
    )

    id: int | None = Field(default=None, sa_type=DELIVERY_ID, primary_key=True)
    edition_id: int = Field(foreign_key="edition.id")
    subscription_id: int = Field(foreign_key="subscription.id")
    variant_id: int | None = Field(default=None, foreign_key="variant.id")
    state: str = DeliveryState.PLANNED
    reason: str = ""
    due_at: datetime
    owner: int | None = None
    attempts: int = 0
    resends: int = 0
    composed_at: datetime | None = None
    reply_code: int | None = None
    reply_text: str = ""
    changed_at: datetime


def is_counted() -> ColumnElement[bool]:
    """Return `counts` as a condition of a query."""
    return or_(col(Delivery.state).in_(COUNTED), col(Delivery.reason).in_(GOT))


def in_states(dialect: str, *states: str) -> TextClause:
    """Return "is in one of these open states" as a condition that the partial indexes match.

    The states are literals, because a planner does not see that bound values match an index. PostgreSQL's
    index is partial by `is_open`: one by `state` would need a new entry for each state of a delivery.
    """
    written = ", ".join(f"'{state}'" for state in states)
    condition = f"delivery.state IN ({written})"
    return text(f"delivery.is_open AND {condition}" if dialect == "postgresql" else condition)
