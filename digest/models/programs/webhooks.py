"""Where webhooks go, and the outbox in which each message waits until a receiver has taken it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, false
from sqlmodel import Field, SQLModel

from digest.models.row import empty_dict, empty_list


class WebhookEvent(StrEnum):
    """What a receiver can be notified of."""

    SUBSCRIBED = "reader.subscribed"
    LEFT = "reader.left"
    BOUNCED = "reader.bounced"
    EDITION_FROZEN = "edition.frozen"
    EDITION_FINISHED = "edition.finished"
    ARTICLE_TAKEN = "article.taken"


class WebhookEndpoint(SQLModel, table=True):
    """One receiver: its URL, its events, and the secret that signs its messages.

    Readers' addresses go out `with_addresses` alone. `failing_since` is when it last began to fail; it is
    disabled by an operator, or by us after days of that, and `disabled_why` says so then. For a while after a
    new secret `former_secret` signs as well.
    """

    __tablename__ = "webhook_endpoint"

    id: int | None = Field(default=None, primary_key=True)
    url: str
    events: list[str] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    with_addresses: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    secret: str
    former_secret: str = ""
    former_until: datetime | None = None
    made_by: str
    made_at: datetime
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    disabled_why: str = ""


class WebhookMessage(SQLModel, table=True):
    """One fact for one receiver, entered with the fact itself; delivered at least once.

    `data` has no address: `reader` is a public id, and the address is looked up when the message leaves, if
    it may. It waits until `due_at`, which is None once it was taken, or given up.
    """

    __tablename__ = "webhook_message"

    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(unique=True)
    endpoint_id: int = Field(foreign_key="webhook_endpoint.id", index=True, ondelete="CASCADE")
    event: str
    at: datetime
    data: dict[str, Any] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    reader: str = ""
    due_at: datetime | None = Field(default=None, index=True)
    attempts: int = 0
    tried_at: datetime | None = None
    taken_at: datetime | None = None
    status: int | None = None
    trouble: str = ""

    @property
    def state(self) -> str:
        """Return its state: waiting, taken, or given up."""
        return "taken" if self.taken_at else "waiting" if self.due_at else "given up"
