"""A person known by one address, and their relation to each digest."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel, UniqueConstraint


class SubscriptionState(StrEnum):
    """A subscription is active only while confirmed."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    ENDED = "ended"


class Subscriber(SQLModel, table=True):
    """A person; `address_key` is what makes an address the same as another one.

    `public_id` is random and stands in tokens and Message-IDs, never the row id.
    """

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    address: str
    address_key: str = Field(unique=True)
    name: str = ""
    language: str | None = None
    timezone: str | None = None
    created_at: datetime
    erased_at: datetime | None = None


class Subscription(SQLModel, table=True):
    """A subscriber's relation to one digest.

    `topics` maps each chosen topic to the ISO time when it was added; the one key `*` is every topic.
    `cohort_id` is set by compiling only, and unset by every act that changes what selection would decide:
    the ledger is the truth, the cohort its cache.
    """

    __table_args__ = (UniqueConstraint("digest", "subscriber_id"),)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    digest: str
    state: str = SubscriptionState.PENDING
    cadence: str
    hour: int | None = None
    topics: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    cohort_id: int | None = Field(default=None, foreign_key="cohort.id", index=True)
    created_at: datetime
    confirmed_at: datetime | None = None
    paused_until: datetime | None = None
    ended_at: datetime | None = None
