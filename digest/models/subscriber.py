"""A subscriber, known by one address, their subscriptions, and the lists that readers come from and go to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, false, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from digest.models.row import empty_dict


class SubscriptionState(StrEnum):
    """A subscription is active only while confirmed."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    ENDED = "ended"


SUBSCRIBED = (SubscriptionState.CONFIRMED, SubscriptionState.PAUSED)
"""The states of a reader who is on a list: asked and confirmed, and not gone."""


class Subscriber(SQLModel, table=True):
    """A person; `address_key` is the same for equal addresses.

    `public_id` is random and used in tokens and Message-IDs, never the row id.
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


class MailForm(StrEnum):
    """How a reader wants a digest: with or without pictures, as plain text alone, or in their feed alone."""

    PICTURES = "pictures"
    NO_PICTURES = "no-pictures"
    TEXT = "text"
    FEED = "feed"


AWAITS_WELCOME = "welcome_at IS NOT NULL"
"""The condition of the index on readers who wait for their first edition; a query has to repeat it."""


class Subscription(SQLModel, table=True):
    """A subscriber's relation to one digest.

    `topics` maps each chosen topic to the ISO time when it was added; the one key `*` means every topic.
    `max_articles` is how many the reader wants at most; None means as many as the digest gives.
    `min_articles` is how many must be new before an edition is sent; None means as many as the digest waits
    for. `quiet` are hours without messages, such as "22:00-07:00"; "" means none, None the digest's own.
    `breaking` is whether the reader wants breaking news at once. `cohort_id`
    is set by compiling only, and unset by every act that changes what selection would decide: the ledger is
    the truth, the cohort its cache. `welcome_at` is since when the reader waits for a first edition of
    their own; until that is made, no other edition of the digest is for them.
    """

    __table_args__ = (
        UniqueConstraint("digest", "subscriber_id"),
        Index(
            "ix_subscription_welcome",
            "digest",
            "id",
            sqlite_where=text(AWAITS_WELCOME),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    digest: str
    state: str = SubscriptionState.PENDING
    cadence: str
    hour: int | None = None
    max_articles: int | None = None
    min_articles: int | None = None
    quiet: str | None = None
    breaking: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    mail_form: str = MailForm.PICTURES
    topics: dict[str, str] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    cohort_id: int | None = Field(default=None, foreign_key="cohort.id", index=True)
    created_at: datetime
    confirmed_at: datetime | None = None
    paused_until: datetime | None = None
    ended_at: datetime | None = None
    welcome_at: datetime | None = None


class MailState(StrEnum):
    """The state of a request for confirmation: those states of a delivery that a single message can have."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    IN_FLIGHT = "in_flight"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Confirmation(SQLModel, table=True):
    """One request for confirmation: its message's state, and the hash of the token in the message.

    The token exists only in the message; it is made when the message is composed. `choices` holds the choices
    of the sign-up ({"cadence": ..., "topics": [...], "wording": ...}), adopted when the holder confirms;
    "also" maps further digests of the same sign-up to their choices. `mailbox` is the keyed hash of
    `sign_up_limits.mailbox_of` the address, by which confirmation messages are limited.
    """

    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id", index=True)
    token_hash: str | None = Field(default=None, unique=True)
    asked_at: datetime
    expires_at: datetime
    origin: dict[str, str] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    choices: dict[str, object] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    used_at: datetime | None = None
    mailbox: str = Field(default="", index=True)
    mail_state: str = Field(default=MailState.PLANNED, index=True)
    owner: int | None = None
    due_at: datetime
    attempts: int = 0
    reply: str = ""


class Act(StrEnum):
    """What a consent event records."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    LEFT = "left"


class ConsentWording(SQLModel, table=True):
    """A sentence that readers agreed to, word for word: one that changes is another, with the next number.

    `hash` is that of language and text; imports do not state their language.
    """

    __tablename__ = "consent_wording"

    id: int | None = Field(default=None, primary_key=True)
    hash: str = Field(unique=True)
    language: str = ""
    text: str
    first_used_at: datetime


HAS_IP = "CAST(origin AS TEXT) LIKE '%\"ip\"%'"
"""The condition of the index on events with a client's address; queries must repeat it."""


class ConsentEvent(SQLModel, table=True):
    """One recorded act; never overwritten.

    `wording_id` is the number of the sentence that was agreed to. `origin` says where the act came from, such
    as {"form": URL, "ip": ADDRESS} or {"import": FILE}.
    """

    __tablename__ = "consent_event"
    __table_args__ = (Index("ix_consent_event_ip", "at", sqlite_where=text(HAS_IP)),)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    digest: str
    act: str
    at: datetime
    wording_id: int | None = None
    origin: dict[str, str] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))


class SuppressionReason(StrEnum):
    """Why an address is suppressed; LEFT means in another tool, before an import.

    LIFTED stands in place of any other reason once an operator has lifted it: only a confirmed sign-up, never
    an import, brings the address back.
    """

    LEFT = "left"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    ERASED = "erased"
    OPERATOR = "operator"
    LIFTED = "lifted"


class Suppression(SQLModel, table=True):
    """A suppression of an address, stored as a keyed hash so that it outlives the address itself."""

    id: int | None = Field(default=None, primary_key=True)
    address_hash: str = Field(unique=True)
    reason: str
    created_at: datetime


class NoticeKind(StrEnum):
    """The purpose of a notice."""

    LINK = "link"
    MOVE = "move"
    MOVED = "moved"
    WELCOME = "welcome"


class ReaderNotice(SQLModel, table=True):
    """One notice and the state of its message, as in `Confirmation`.

    `link` carries a one-hour link to all of a reader's choices; `move` goes to the new address of a reader,
    with a link that confirms it; `moved` informs the old address; `welcome` greets a reader who confirmed,
    `origin` naming the digest. Tokens exist only in the messages; `token_hash` is set when the message is
    composed, and `expires_at` counts from then. `typed` has the fields of a form that came after its link had
    expired; the page of the new link shows them.
    """

    __tablename__ = "reader_notice"

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    kind: str
    address: str
    token_hash: str | None = Field(default=None, unique=True)
    requested_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    origin: dict[str, str] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    mail_state: str = Field(default=MailState.PLANNED, index=True)
    owner: int | None = None
    due_at: datetime
    attempts: int = 0
    reply: str = ""
    typed: list[list[str]] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class SignUpCount(SQLModel, table=True):
    """How many sign-ups one network or mail domain had in one hour; `key` is a keyed hash of its name."""

    __tablename__ = "sign_up_count"

    key: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    count: int = 0


@dataclass(frozen=True, slots=True)
class ReaderFilter:
    """Which readers a list has; what is empty does not filter. `text` is a part of an address or a name."""

    text: str = ""
    digest: str = ""
    state: str = ""
    cadence: str = ""
    topic: str = ""
    language: str = ""


class ReaderSegment(SQLModel, table=True):
    """A search for readers, saved by name; `wanted` are the fields of its `ReaderFilter` that are set.

    `version` rises with each change, so that nobody changes or uses what they have not seen.
    """

    __tablename__ = "reader_segment"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_key: str = Field(unique=True)
    wanted: dict[str, str] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    version: int = 1
    changed_by: str
    changed_at: datetime

    @property
    def filter(self) -> ReaderFilter:
        """Return the search."""
        return ReaderFilter(**self.wanted)


class TransferKind(StrEnum):
    """The direction of a list: taken in, or written."""

    IMPORT = "import"
    EXPORT = "export"


class TransferState(StrEnum):
    """How far a list is: in its dry run, waiting for a decision, being imported, or at its end."""

    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    FINISHED = "finished"
    FAILED = "failed"
    REMOVED = "removed"


class ListTransfer(SQLModel, table=True):
    """One list that was imported or exported at the desk.

    `name` is the file's own, `options` are those of the import or the filter of the export, `counts` the
    report's sums. No reader is named here: the file and its report lie in the folder of uploads, by
    `public_id`, until they are removed. `version` rises with each act, so that nobody acts on what they have
    not seen; `place` is the machine that the file lies on.
    """

    __tablename__ = "list_transfer"

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    kind: str
    who: str
    at: datetime
    changed_by: str
    changed_at: datetime
    version: int = 1
    name: str = ""
    place: str = ""
    size: int = 0
    options: dict[str, Any] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    state: str
    rows: int = 0
    counts: dict[str, Any] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    error: str = ""
