"""The archive of editions: the values that its pages, lists and feeds are made from.

Nothing here knows a reader: there is no name, address or token to leak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from digest.articles.related import Index
from digest.bounded_cache import BoundedCache
from digest.models import Article, Correction, Edition
from digest.models.row import row_id
from digest.rules.articles.images import ImagePolicy
from digest.rules.editions.sections import edition_topics, order_topics
from digest.settings import DigestSettings, Settings
from digest.store.articles import articles, images
from digest.store.articles.related import to_story
from digest.store.articles.sources import known_sources
from digest.store.database import Database
from digest.store.editions import archive, corrections
from digest.store.editions.archive import ArchivedArticle, Neighbours
from digest.tasks.composing.article_images import image_policy, image_url_of

PER_PAGE = 30
_TEASED = 3
_COMPARED = 400
_RELATED = 4
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class ArchiveSection:
    """The articles of one topic."""

    topic: str
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """An edition as anybody may read it; `earlier` are articles that only new readers got in it."""

    digest: DigestSettings
    edition: Edition
    lead: Article | None
    parts: tuple[ArchiveSection, ...]
    earlier: tuple[Article, ...]
    withdrawn: int
    updated_at: datetime
    related: tuple[Article, ...] = ()
    pictures: Mapping[int, str] = field(default_factory=dict)
    corrections: Mapping[int, Sequence[Correction]] = field(default_factory=dict)
    beside: Neighbours = field(default=Neighbours(None, None))

    @property
    def articles(self) -> tuple[Article, ...]:
        """Return all articles in the order of the page."""
        lead = (self.lead,) if self.lead else ()
        return (*lead, *(article for part in self.parts for article in part.articles), *self.earlier)


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """An edition in a list, with its first titles."""

    digest: DigestSettings
    edition: Edition
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArchiveList:
    """One page of a list of editions."""

    entries: tuple[ArchiveEntry, ...]
    page: int
    pages: int


class Archive:
    """Reads editions of the public digests; other digests do not exist for it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings, self._sources = settings, settings.sources
        self._images = image_policy(settings, settings.sources)
        self._related = BoundedCache[int, list[int]](_KEPT)
        self.digests = tuple(digest for digest in settings.digests if digest.is_public)

    def find_digest(self, name: str) -> DigestSettings | None:
        """Find a public digest."""
        return next((digest for digest in self.digests if digest.name == name), None)

    def find(self, digest: str, cadence: str, period: str) -> Published | None:
        """Find an edition of a public digest."""
        offered = self.find_digest(digest)
        if offered is None:
            return None
        with self._database.read() as session:
            edition = archive.find_made(session, digest, cadence, period)
            if edition is None:
                return None
            found = self._publish(session, offered, edition, archive.find_neighbours(session, edition))
            return replace(found, related=self._relate(session, found))

    def find_picture(self, name: str) -> bytes | None:
        """Return the copy of an image by the hash that is its name."""
        with self._database.read() as session:
            return images.find_content(session, name)

    def shelf(self, digest: DigestSettings | None, page: int) -> ArchiveList | None:
        """List editions of one digest, or of all public ones; None if there is no such page."""
        names = [one.name for one in ([digest] if digest else self.digests)]
        with self._database.read() as session:
            pages = max(1, -(-archive.count_made(session, names) // PER_PAGE))
            if not 1 <= page <= pages:
                return None
            rows = archive.list_made(session, names, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
            titles = archive.titles_of(session, rows, _TEASED)
        entries = [ArchiveEntry(self._digest_of(row), row, tuple(titles[row_id(row)])) for row in rows]
        return ArchiveList(tuple(entries), page, pages)

    def latest(self, digest: DigestSettings | None, limit: int) -> list[Published]:
        """List the latest editions with their articles, for feeds: without bodies and pictures."""
        names = [one.name for one in ([digest] if digest else self.digests)]
        with self._database.read() as session:
            rows = archive.list_made(session, names, limit=limit)
            shown = archive.list_all_shown(session, rows)
            withdrawn = archive.list_withdrawn(session, rows)
            notices = corrections.list_of(
                session, {row_id(one.article) for some in shown.values() for one in some}
            )
        return [
            _published(self._digest_of(row), row, shown[row_id(row)], withdrawn[row_id(row)], notices)
            for row in rows
        ]

    def list_all(self, limit: int) -> list[Edition]:
        """List the latest editions without their articles, for a sitemap."""
        with self._database.read() as session:
            return archive.list_made(session, [one.name for one in self.digests], limit=limit)

    def _relate(self, session: Session, found: Published) -> tuple[Article, ...]:
        """Return the nearest articles of earlier editions; those do not change, so the result is cached."""
        key = row_id(found.edition)
        if key not in self._related:
            before = archive.list_before(session, found.edition, _COMPARED)
            index = Index(to_story(article) for article in [*before, *found.articles])
            own = [to_story(article) for article in found.articles]
            self._related[key] = index.near(own[:_TEASED], _RELATED, [story.id for story in own])
        nearest = self._related[key]
        known = articles.get_articles(session, nearest)
        near = [known[number] for number in nearest if number in known]
        return tuple(article for article in near if article.withdrawn_at is None)

    def _digest_of(self, edition: Edition) -> DigestSettings:
        return next(digest for digest in self.digests if digest.name == edition.digest)

    def _publish(
        self,
        session: Session,
        digest: DigestSettings,
        edition: Edition,
        beside: Neighbours = Neighbours(None, None),  # noqa: B008 - a frozen value
    ) -> Published:
        shown = archive.list_shown(session, edition)
        withdrawn = archive.list_withdrawn(session, [edition])[row_id(edition)]
        ids = [row_id(one.article) for one in shown]
        whole = _published(digest, edition, shown, withdrawn, corrections.list_of(session, ids))
        copies = images.copies_of(session, ids)
        policy = self._image_policy(session)
        urls = {
            row_id(one.article): image_url_of(policy, one.article, copies.get(row_id(one.article)))
            for one in shown
        }
        return replace(whole, pictures=urls, beside=beside)

    def _image_policy(self, session: Session) -> ImagePolicy:
        """Return the image policy with the sources that there are now."""
        sources = known_sources(session, self._settings)
        if sources != self._sources:
            self._images, self._sources = image_policy(self._settings, sources), sources
        return self._images


def _published(
    digest: DigestSettings,
    edition: Edition,
    shown: Sequence[ArchivedArticle],
    withdrawn: Sequence[datetime],
    notices: Mapping[int, Sequence[Correction]],
) -> Published:
    """Return an edition without its pictures and neighbours; some `notices` may be about other articles."""
    lead, parts, earlier = arrange(shown, edition_topics(digest.topics, edition.sections))
    own = {row_id(one.article): notices.get(row_id(one.article), ()) for one in shown}
    changes = [*withdrawn, *(notice.at for about in own.values() for notice in about)]
    updated_at = max([edition.frozen_at or edition.freeze_at, *changes])
    return Published(digest, edition, lead, parts, earlier, len(withdrawn), updated_at, corrections=own)


def arrange(
    shown: Sequence[ArchivedArticle], topics: tuple[str, ...]
) -> tuple[Article | None, tuple[ArchiveSection, ...], tuple[Article, ...]]:
    """Split an edition's articles into the lead, sections in the digest's order, and earlier ones.

    If all are earlier (every reader was new), none is set apart.
    """
    is_all_earlier = all(one.is_earlier for one in shown)
    own = [one.article for one in shown if is_all_earlier or not one.is_earlier]
    earlier = tuple(one.article for one in shown if one.is_earlier and not is_all_earlier)
    if not own:
        return None, (), earlier
    lead, rest = own[0], own[1:]
    sections: dict[str, list[Article]] = {}
    for article in rest:
        sections.setdefault(_section(article, topics), []).append(article)
    ordered = tuple(ArchiveSection(topic, tuple(sections[topic])) for topic in order_topics(sections, topics))
    return lead, ordered, earlier


def _section(article: Article, topics: tuple[str, ...]) -> str:
    offered = [topic for topic in article.topics if not topics or topic in topics]
    return (offered or [""])[0]
