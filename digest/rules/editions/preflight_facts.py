"""What preflight checks: the message as it would be sent, and the circumstances."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.models.status import Status


@dataclass(frozen=True, slots=True)
class Checked:
    """One check, its result, and a reason for each finding."""

    check: str
    outcome: Status
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProofImage:
    """An image of the HTML part; `alt` is None if it has no such attribute."""

    url: str
    alt: str | None


@dataclass(frozen=True, slots=True)
class ArticleFacts:
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
class MessageFacts:
    """What a mail client makes of the message; sizes are of the HTML, before and after encoding."""

    subject: str
    preheader: str
    html: str
    html_text: str
    text: str
    links: tuple[str, ...]
    pictures: tuple[ProofImage, ...]
    active: tuple[str, ...]
    size: int
    encoded_size: int
    leave_url: str
    one_click: bool


@dataclass(frozen=True, slots=True)
class PublicationFacts:
    """The settings, the editors' own words, and the history that an edition is sent with.

    `subject_form` is the subject before it is filled in; introduction, sponsor's line and free
    blocks are Markdown.
    """

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
    subject_form: str = ""
    introduction: str = ""
    sponsor: str = ""
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """The response of a URL: `trouble` says what is wrong, `is_gone` that it is permanent."""

    trouble: str = ""
    is_gone: bool = False
    kind: str = ""
    size: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class EditionFacts:
    """An edition as one reader would get it; `visits` are empty if no requests were made."""

    parts: MessageFacts
    pieces: tuple[ArticleFacts, ...]
    around: PublicationFacts
    visits: Mapping[str, LinkCheck] = field(default_factory=dict)
    unsupported: tuple[str, ...] = ()
