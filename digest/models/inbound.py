"""Received mail and what follows from it: bounces, complaints, letters, answers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, SQLModel

from digest.models.delivery import DELIVERY_ID
from digest.models.row import empty_dict
from digest.models.subscriber import MailState


class InboundMessage(SQLModel, table=True):
    """One received message; `key` is unique, so that it is processed once.

    `raw` holds the bytes of messages that were not understood.
    """

    __tablename__ = "inbound_message"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    received_at: datetime = Field(index=True)
    kind: str
    why: str = ""
    raw: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class BounceWeight(StrEnum):
    """What a bounce counts for: hard and soft against the address, ours against the sender."""

    HARD = "hard"
    SOFT = "soft"
    OURS = "ours"
    NONE = "none"


class Bounce(SQLModel, table=True):
    """One failure that was proved to be about a delivery of ours; `diagnostic` names no address.

    `receiver` is the domain that refused; `message_id` is None for a refusal during SMTP.
    """

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    message_id: int | None = Field(default=None, foreign_key="inbound_message.id")
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    delivery_id: int | None = Field(default=None, sa_type=DELIVERY_ID, foreign_key="delivery.id")
    edition_id: int | None = Field(default=None, foreign_key="edition.id", index=True)
    receiver: str
    reason: str
    status: str = ""
    weight: str
    diagnostic: str = ""


class Complaint(SQLModel, table=True):
    """A reader's "this is spam" about a delivery of ours (RFC 5965)."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    message_id: int | None = Field(default=None, foreign_key="inbound_message.id")
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    edition_id: int | None = Field(default=None, foreign_key="edition.id", index=True)
    receiver: str
    feedback_type: str


class LetterState(StrEnum):
    """The state of a letter."""

    NEW = "new"
    ANSWERED = "answered"
    DONE = "done"


class LetterConsent(StrEnum):
    """A letter writer's answer about printing; empty if nobody asked."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"


class Letter(SQLModel, table=True):
    """A reader's letter to the editors, beside the edition or article that it answers.

    `print_text` and `print_name` are what its writer is asked to have printed, `print_in` the digest and
    cadence it is meant for ("world/daily"), `printed_as` the article that it became.
    """

    id: int | None = Field(default=None, primary_key=True)
    message_id: int | None = Field(default=None, foreign_key="inbound_message.id")
    at: datetime
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", index=True)
    sender: str
    name: str = ""
    subject: str
    text: str
    quoted: str = ""
    signature: str = ""
    mail_id: str = ""
    edition_id: int | None = Field(default=None, foreign_key="edition.id", index=True)
    article_id: int | None = Field(default=None, foreign_key="article.id", index=True)
    state: str = Field(default=LetterState.NEW, index=True)
    handled_by: str = ""
    handled_at: datetime | None = None
    consent: str = ""
    consent_at: datetime | None = None
    print_text: str = ""
    print_name: str = ""
    print_in: str = ""
    printed_as: int | None = Field(default=None, foreign_key="article.id")


class Answer(SQLModel, table=True):
    """One automatic message that received mail causes: a reply, a forwarded letter, a probe.

    `values` are shown by its template; `reply_to` is the address for answers to it.
    """

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(index=True)
    kind: str
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", index=True)
    address: str
    language: str = "en"
    digest: str = ""
    subject: str = ""
    values: dict[str, object] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    reply_to: str = ""
    in_reply_to: str = ""
    state: str = Field(default=MailState.PLANNED, index=True)
    owner: int | None = None
    due_at: datetime
    attempts: int = 0
    reply: str = ""
