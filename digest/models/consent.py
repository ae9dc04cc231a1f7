"""The record of what readers agreed to (GDPR 7(1)), and the addresses never to write to."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class Act(StrEnum):
    """What a consent event records."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    LEFT = "left"


class ConsentEvent(SQLModel, table=True):
    """One recorded act; never overwritten.

    `origin` tells where it came from, such as {"form": URL, "ip": ADDRESS} or {"import": FILE}.
    """

    __tablename__ = "consent_event"

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    digest: str
    act: str
    at: datetime
    wording: str = ""
    origin: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class SuppressionReason(StrEnum):
    """Why an address is never to be written to."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    ERASED = "erased"
    OPERATOR = "operator"


class Suppression(SQLModel, table=True):
    """A standing ban on an address, kept as a keyed hash so that it outlives the address itself."""

    id: int | None = Field(default=None, primary_key=True)
    address_hash: str = Field(unique=True)
    reason: str
    created_at: datetime
