"""What parsers return: articles as plain cleaned values, and the items that they refused."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.safe_text import printable


@dataclass(frozen=True, slots=True)
class ParsedArticle:
    """One article out of a feed, page or file; `html` is cleaned, all other text is plain.

    `url` is absolute and without link decorations; `canonical_url` is its form for comparison;
    `content_hash` covers title and text.
    """

    url: str
    canonical_url: str
    title: str
    content_hash: str
    guid: str | None = None
    title_formed: bool = False
    summary: str = ""
    html: str = ""
    text: str = ""
    author: str | None = None
    image_url: str | None = None
    image_alt: str | None = None
    language: str | None = None
    place: str | None = None
    agency: str | None = None
    topics: tuple[str, ...] = ()
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """One item that was refused: what it was, and why with the remedy; each is one line."""

    item: str
    why: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "item", " ".join(printable(self.item).split()))


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed's articles in its own order, and the items that were refused.

    `pause` is how long the feed asks to be left alone after a fetch; `deleted` are the guids that it declares
    deleted.
    """

    title: str
    articles: tuple[ParsedArticle, ...]
    rejected: tuple[Rejected, ...] = field(default=())
    pause: timedelta | None = None
    deleted: tuple[str, ...] = ()
