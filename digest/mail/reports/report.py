"""The result of classifying a received message, as plain values."""

from dataclasses import dataclass, field
from enum import StrEnum

from digest.mail.reports.parts import HeaderFields


class MailKind(StrEnum):
    """The kind of a message; `other` is an automatic one that needs no action."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    RECEIPT = "receipt"
    AUTO_REPLY = "auto-reply"
    OTHER = "other"
    PERSONAL = "personal"


class Reason(StrEnum):
    """Why a message was not delivered."""

    UNKNOWN_USER = "unknown user"
    UNKNOWN_HOST = "unknown host"
    DISABLED = "mailbox disabled"
    MOVED = "moved"
    MAILBOX_FULL = "mailbox full"
    TOO_BIG = "message too big"
    CONTENT = "content"
    AUTHENTICATION = "authentication"
    REPUTATION = "reputation"
    POLICY = "policy"
    RATE_LIMITED = "rate limited"
    GREYLISTED = "greylisted"
    RELAYING = "relaying denied"
    LOOP = "mail loop"
    EXPIRED = "expired"
    NETWORK = "network"
    SYSTEM = "system error"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient who did not get the message.

    `status` is an enhanced code (RFC 3463) or empty, `code` a reply code (RFC 5321) or None. `permanent` means
    that the message was given up: class 5, or no class and no warning. `delayed` is a warning before the final
    failure; `mta` is the server that refused. `address` is empty if the report names nobody.
    """

    address: str
    permanent: bool
    reason: Reason
    status: str = ""
    code: int | None = None
    diagnostic: str = ""
    delayed: bool = False
    mta: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """A reader's "this is spam" (RFC 5965), with the reporter if the report names one."""

    feedback_type: str
    reporter: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The classification of a message; `original` are the headers of the message that it returns."""

    kind: MailKind
    failures: tuple[Failure, ...] = ()
    complaint: FeedbackReport | None = None
    original: HeaderFields = field(default_factory=HeaderFields)
    why: str = ""
