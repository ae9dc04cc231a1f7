"""The one message that asks whether an address's holder wants a digest (confirmed opt-in)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class MailState(StrEnum):
    """How far the asking message is: the states of a delivery that a single message can have."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    IN_FLIGHT = "in_flight"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Confirmation(SQLModel, table=True):
    """One asking: its message's state, and the hash of the token that the message carries.

    The token exists only in the message; it is made when the message is composed. `choices` holds what
    the asker picked ({"cadence": ..., "topics": [...]}), taken over when the holder confirms.
    """

    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id", index=True)
    token_hash: str | None = Field(default=None, unique=True)
    asked_at: datetime
    expires_at: datetime
    origin: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    choices: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    used_at: datetime | None = None
    mail_state: str = Field(default=MailState.PLANNED, index=True)
    owner: int | None = None
    due_at: datetime
    attempts: int = 0
    reply: str = ""
