"""The input of rendering: plain values, the same for preview and for delivery."""

from dataclasses import dataclass
from datetime import datetime

from digest.models import Form


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another source of the same story, with its link: `Elsewhere("Harbour Times", "https://...")`."""

    source: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """One article as an edition shows it; `html` is cleaned HTML, everything else plain text.

    `section` is the title of its section, which a lead story shows beside itself; `reply_url` is the mailto
    link for letters about it. Example: `Card(id=7, title="The bridge reopens", url="https://...",
    section="World")`.
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
        """Hash a few fields only: cards are looked up for every list that contains them."""
        return hash((self.id, self.title, self.section))


@dataclass(frozen=True, slots=True)
class Section:
    """The cards of one topic, in order: `Section("World", (card 7, card 9))`; `blocks` follow them."""

    title: str
    cards: tuple[Card, ...]
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """The sender: the parts of `[site]` that readers see; `base_url` has no trailing slash.

    Example: `Publication(name="The Harbour Courier", base_url="https://news.example.org", ...)`.
    """

    name: str
    base_url: str
    postal_address: str


@dataclass(frozen=True, slots=True)
class Content:
    """One variant in one language and look, without any reader's own values.

    `lead` and `sections` hold the articles in order; `related` are older articles, which do not count as
    delivered. `introduction` is cleaned HTML, and so are `lead_blocks`, editors' own texts that follow the
    lead; `left_out` is the number of articles that are only online; `archive_url` is the edition's page;
    `counted_url` is the page that explains click counting, or "" without counting.
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
    lead_blocks: tuple[str, ...] = ()
    look: str = "front-page"
    archive_url: str = ""
    pictures: bool = True
    counted_url: str = ""


READER_VALUES = ("name", "address", "unsubscribe_url", "preferences_url")
"""The names of a reader's own values; a template reads them as `{{ reader.name }}` and so on."""
