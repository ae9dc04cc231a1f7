"""What was found to be wrong: how a check ended, and the alerts that are mailed."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel


class Status(StrEnum):
    """The result of one check, of an edition or of the installation, from good to bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Audience(StrEnum):
    """Who is notified: `[site] alerts`, or `[site] operators`."""

    EDITORS = "editors"
    OPERATORS = "operators"


class AlertKind(StrEnum):
    """What is wrong: with an edition (for editors), or with what carries it (for operators)."""

    HELD = "held"
    PAUSED = "paused"
    LATE = "late"
    EMPTY = "empty"
    UNAPPROVED = "unapproved"
    SOURCE = "source"
    MISSED = "missed"
    RELAY = "relay"
    DISK = "disk"
    MAILBOX = "mailbox"
    BLOCKED = "blocked"
    WEBHOOK = "webhook"
    RESTORED = "restored"

    @property
    def audience(self) -> Audience:
        """Return who is notified."""
        return Audience.EDITORS if self in _EDITIONS else Audience.OPERATORS


_EDITIONS = (AlertKind.HELD, AlertKind.PAUSED, AlertKind.LATE, AlertKind.EMPTY, AlertKind.UNAPPROVED)


class Alert(SQLModel, table=True):
    """One condition: `Alert(key="held 7", kind="held", name="World Briefing, daily, 2026-11-26")`.

    `detail` says why and what to do. It stands until `ended_at`; `told_at` and `cleared_at` are when the
    mails about its beginning and its end left, `claimed_at` when a process began to send one.
    """

    key: str = Field(primary_key=True)
    kind: str
    name: str
    detail: str = ""
    path: str = ""
    began_at: datetime
    ended_at: datetime | None = None
    claimed_at: datetime | None = None
    told_at: datetime | None = None
    cleared_at: datetime | None = None
