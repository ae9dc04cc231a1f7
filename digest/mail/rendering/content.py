"""What a message is rendered from: plain values, the same for preview and delivery."""

from dataclasses import dataclass
from datetime import datetime

from digest.models import Form


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another source of the same story, and its link."""

    source: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """One article as an edition shows it; `html` is cleaned HTML, everything else plain text.

    `section` is the title of the section that it stands in, which a lead story shows itself; `reply_url`
    is where a letter about it goes.
    """

    id: int
    form: Form
    title: str
    url: str
    summary: str = ""
    html: str = ""
    text: str = ""
    image_url: str | None = None
    image_alt: str = ""
    author: str | None = None
    source: str = ""
    place: str | None = None
    topics: tuple[str, ...] = ()
    published_at: datetime | None = None
    reading_minutes: int = 0
    language: str = ""
    also_at: tuple[Elsewhere, ...] = ()
    section: str = ""
    reply_url: str = ""

    def __hash__(self) -> int:
        """Hash few fields: cards are looked up for every list that they stand in."""
        return hash((self.id, self.title, self.section))


@dataclass(frozen=True, slots=True)
class Section:
    """The cards of one topic, in order."""

    title: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """Who sends: the parts of `[site]` that readers see; `base_url` has no trailing slash."""

    name: str
    base_url: str
    postal_address: str


@dataclass(frozen=True, slots=True)
class Content:
    """One variant in one language and one look, before any reader's own values.

    `introduction` is cleaned HTML; `left_out` counts the articles that are online and not in it;
    `archive_url` is the edition's page; `related` are older articles, which readers are not taken to have
    got.
    """

    publication: Publication
    digest: str
    title: str
    cadence: str
    period: str
    dated_at: datetime
    timezone: str
    language: str
    subject: str
    preheader: str
    lead: Card | None
    sections: tuple[Section, ...]
    related: tuple[Card, ...] = ()
    left_out: int = 0
    introduction: str = ""
    look: str = "front-page"
    archive_url: str = ""


READER_VALUES = ("name", "address", "unsubscribe_url", "preferences_url")
"""The reader's own values; a template reads them as `{{ reader.name }}` and so on."""
