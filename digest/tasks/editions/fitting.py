"""Complete what selection chose: add related older articles, and shorten until the message fits.

Compiling and preview both use this, so the preview shows what is sent.
"""

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from digest.articles.related import Index, RelatedStory
from digest.errors import StillComparing
from digest.models import Article, Edition
from digest.rules.editions.age import is_too_old
from digest.rules.editions.selection import EVERY_TOPIC, Chosen
from digest.rules.editions.shortening import fit
from digest.settings import DigestSettings
from digest.store.articles import articles, duplicates, images
from digest.store.articles import related as stories
from digest.store.articles.duplicates import OtherSource
from digest.store.articles.images import Copy
from digest.store.database import Database
from digest.store.editions.snapshots import with_changes
from digest.tasks.background import Background, rest_often
from digest.tasks.composing.composer import Composer
from digest.tasks.composing.variants import VariantContent, copies_at, other_sources_at

_QUICKLY = 2_000
"""So many articles are compared while a page waits."""

_PATIENCE = 0.05
"""For how many seconds a page waits for more."""

_ASKED, _COMPARED = 4, 12
"""From how many first articles related ones are taken, and how many of each."""


Compared = tuple[frozenset[int], Index]
"""The ids of the articles that are too new to be related, and the index of all."""

Comparison = Callable[[Session, DigestSettings, datetime], Compared]


class KeptIndex:
    """Keeps the index of related articles of the last previews: nothing but reading them all makes it.

    It is made again where an article that it is made of has changed, so a preview still shows what is sent.
    Of many articles that takes more than a second, so pages have it made beside them.
    """

    def __init__(self, database: Database, background: Background) -> None:
        self._database, self._background = database, background
        self._lock = threading.Lock()
        self._last: tuple[object, Compared] | None = None
        self._prepared: tuple[str, datetime, int] | None = None

    def find(self, session: Session, digest: DigestSettings, at: datetime) -> Compared:
        """Return what is compared as of a moment."""
        return self._find(session, digest, at, lambda: None)

    def find_soon(self, session: Session, digest: DigestSettings, at: datetime) -> Compared:
        """Do the same; raise StillComparing if that takes longer than a page may."""
        if articles.last_id(session) < _QUICKLY:
            return self.find(session, digest, at)
        key = digest.name, at, stories.fingerprint(session, before=at)
        if self._kept(key) is None:
            self._begin(digest, at, _PATIENCE)
        found = self._kept(key)
        if found is None:
            raise StillComparing
        return found

    def prepare(self, session: Session, digest: DigestSettings, at: datetime) -> None:
        """Have made what a preview will need, if articles have come since it was made."""
        last = articles.last_id(session)
        if digest.related and last >= _QUICKLY and self._prepared != (digest.name, at, last):
            self._prepared = digest.name, at, last
            self._begin(digest, at, 0)

    def _find(
        self, session: Session, digest: DigestSettings, at: datetime, rest: Callable[[], None]
    ) -> Compared:
        key = digest.name, at, stories.fingerprint(session, before=at)
        last = self._kept(key)
        if last is None:
            last = compare_all(session, digest, at, rest)
            with self._lock:
                self._last = key, last
        return last

    def _kept(self, key: object) -> Compared | None:
        with self._lock:
            return self._last[1] if self._last is not None and self._last[0] == key else None

    def _begin(self, digest: DigestSettings, at: datetime, patience: float) -> None:
        def act() -> None:
            with self._database.read() as session:
                self._find(session, digest, at, rest_often())

        self._background.begin(("related", digest.name, at), act, patience)


def compare_all(
    session: Session, digest: DigestSettings, at: datetime, rest: Callable[[], None] = lambda: None
) -> Compared:
    """Read the articles to compare; newer ones only show which words are rare."""
    known: list[RelatedStory] = stories.list_stories(session, before=at, topics=digest.topics)
    newer = frozenset(one.id for one in known if not is_too_old(one.dated_at, at, digest.carry))
    return newer, Index(known if len(newer) < len(known) else (), rest)


class Fitter:
    """Completes the lists of one edition; what several lists need is read and computed once.

    Related articles are too old for this edition and every later one, so they are in nobody's list.
    `articles` holds those of all completed lists, `told` their duplicates, `copies` their images.
    """

    def __init__(
        self, composer: Composer, digest: DigestSettings, edition: Edition, compare: Comparison = compare_all
    ) -> None:
        self._compare = compare
        self._composer = composer
        self._digest = digest
        self._edition = edition
        self._index: Index | None = None
        self._newer: frozenset[int] = frozenset()
        self._near: dict[int, list[int]] = {}
        self.articles: dict[int, Article] = {}
        self.other_sources: dict[int, tuple[OtherSource, ...]] = {}
        self.copies: dict[int, Copy] = {}
        self._completed: dict[tuple[str, str, frozenset[str]], Chosen] = {}

    def complete(
        self,
        session: Session,
        chosen: Chosen,
        language: str,
        topics: Collection[str],
        without: Iterable[int] = (),
    ) -> Chosen:
        """Return the list as it is sent in a language.

        Related articles are of the reader's topics, and none of the articles `without`.
        """
        if not chosen.choices:
            return chosen
        key = chosen.key, language, frozenset(topics)
        if key not in self._completed:
            self._read(session, chosen)
            related = self._related(session, chosen, topics, frozenset(without))
            self._completed[key] = self._fit(session, replace(chosen, related=related), language)
        return self._completed[key]

    def variant(self, chosen: Chosen, language: str) -> VariantContent:
        """Return a completed list with all that its rendering needs."""
        return VariantContent(self._edition, language, chosen, self.articles, self.other_sources, self.copies)

    def _fit(self, session: Session, chosen: Chosen, language: str) -> Chosen:
        self._keep(session, chosen.related)

        return fit(chosen, lambda one: self._composer.measure(self.variant(one, language)))

    def _read(self, session: Session, chosen: Chosen) -> None:
        ids = [choice.article_id for choice in chosen.choices if choice.article_id not in self.articles]
        if ids:
            self._keep(session, ids)
            self.other_sources.update(
                other_sources_at(duplicates.list_told(session, ids), self._edition.freeze_at)
            )

    def _keep(self, session: Session, ids: Iterable[int]) -> None:
        missing = [number for number in ids if number not in self.articles]
        if missing:
            found = articles.get_articles(session, missing)
            self.articles.update(with_changes(found, self._edition.changes))
            self.copies.update(copies_at(images.copies_of(session, missing), self._edition.freeze_at))

    def _related(
        self, session: Session, chosen: Chosen, topics: Collection[str], without: frozenset[int]
    ) -> tuple[int, ...]:
        """Take the nearest of each of the first articles in turn, then the second nearest, and so on."""
        wanted = self._digest.related
        asked = chosen.choices[:_ASKED] if wanted else ()
        inside = without.union(choice.article_id for choice in chosen.choices)
        ranked = [
            [one for one in self._nearest(session, choice.article_id) if self._is_of(one, topics)]
            for choice in asked
        ]
        turns = [one for turn in range(_COMPARED) for near in ranked for one in near[turn : turn + 1]]
        return tuple(one for one in dict.fromkeys(turns) if one not in inside)[:wanted]

    def _is_of(self, article_id: int, topics: Collection[str]) -> bool:
        own = self.articles[article_id].topics
        return EVERY_TOPIC in topics or not set(topics).isdisjoint(own)

    def _nearest(self, session: Session, article_id: int) -> list[int]:
        if article_id not in self._near:
            index, story = self._compared(session), stories.to_story(self.articles[article_id])
            near = self._near[article_id] = index.near([story], _COMPARED, self._newer)
            self._keep(session, near)
        return self._near[article_id]

    def _compared(self, session: Session) -> Index:
        """Return an index of the articles to compare; newer ones only show which words are rare."""
        if self._index is None:
            at, digest = self._edition.freeze_at, self._digest
            self._newer, self._index = self._compare(session, digest, at)
        return self._index
