"""What is looked at before an edition goes: the message as it would leave, and what stands around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Checked:
    """One check, how it ended, and a reason for each thing that it found."""

    check: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the HTML part; `alt` is None where it has no such attribute."""

    url: str
    alt: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """An article of the edition as it is stored."""

    id: int
    title: str
    url: str
    summary: str
    language: str
    dated_at: datetime
    picture: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mail program makes of the message; sizes are of the HTML, as it is and as it is encoded."""

    subject: str
    preheader: str
    html: str
    html_text: str
    text: str
    links: tuple[str, ...]
    pictures: tuple[Picture, ...]
    active: tuple[str, ...]
    size: int
    encoded_size: int
    leave_url: str
    one_click: bool


@dataclass(frozen=True, slots=True)
class Around:
    """The settings and the history that an edition goes out with."""

    at: datetime
    base_url: str
    language: str
    postal_address: str
    from_domain: str
    signing_domain: str
    relay_is_local: bool
    carry: timedelta
    last_subject: str = ""
    readers: int = 0
    readers_without: int = 0
    own_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Visit:
    """What an address answered: `trouble` says what is wrong, `is_gone` that it will not mend itself."""

    trouble: str = ""
    is_gone: bool = False
    kind: str = ""
    size: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """An edition as one reader would get it; `visits` are empty where nobody was asked."""

    parts: Parts
    pieces: tuple[Piece, ...]
    around: Around
    visits: Mapping[str, Visit] = field(default_factory=dict)
    unsupported: tuple[str, ...] = ()
