"""Settle what selection chose: name related older articles, and shorten until the message fits.

Compiling and preview ask here, so what is shown is what goes.
"""

from collections.abc import Iterable

from sqlmodel import Session

from digest.articles.related import Index, Story
from digest.models import Article, Edition
from digest.rules.fitting import fit
from digest.rules.selection import Chosen
from digest.settings import DigestSettings
from digest.store import articles, folds, stories
from digest.store.folds import Retold
from digest.tasks.delivery.composing import Composer
from digest.tasks.delivery.variants import told_by

_ASKED = 4
"""How many of an edition's first articles say what is related."""


class Fitter:
    """Settles the lists of one edition; what several lists need is read and found out once.

    Related are articles that are too old for this edition and for every later one: they are in nobody's list.
    `articles` holds those of all settled lists, `told` who else tells their stories.
    """

    def __init__(self, composer: Composer, digest: DigestSettings, edition: Edition) -> None:
        self._composer = composer
        self._digest = digest
        self._edition = edition
        self._index: Index | None = None
        self._newer: frozenset[int] = frozenset()
        self._near: dict[int, list[int]] = {}
        self.articles: dict[int, Article] = {}
        self.told: dict[int, tuple[Retold, ...]] = {}
        self._settled: dict[tuple[str, str], Chosen] = {}

    def settle(self, session: Session, chosen: Chosen, language: str, without: Iterable[int] = ()) -> Chosen:
        """Give the list as it goes out in a language; none of the articles `without` is named as related."""
        if not chosen.choices:
            return chosen
        key = chosen.key, language
        if key not in self._settled:
            self._read(session, chosen)
            related = self._related(session, chosen, frozenset(without))
            self._settled[key] = self._fit(
                session, Chosen(chosen.choices, chosen.left_out, related), language
            )
        return self._settled[key]

    def _fit(self, session: Session, chosen: Chosen, language: str) -> Chosen:
        self._keep(session, chosen.related)
        return fit(
            chosen,
            lambda one: self._composer.measure(self._edition, one, self.articles, language, self.told),
        )

    def _read(self, session: Session, chosen: Chosen) -> None:
        ids = [choice.article_id for choice in chosen.choices if choice.article_id not in self.articles]
        if ids:
            self._keep(session, ids)
            self.told.update(told_by(folds.list_told(session, ids), self._edition.freeze_at))

    def _keep(self, session: Session, ids: Iterable[int]) -> None:
        missing = [number for number in ids if number not in self.articles]
        if missing:
            self.articles.update(articles.get_articles(session, missing))

    def _related(self, session: Session, chosen: Chosen, without: frozenset[int]) -> tuple[int, ...]:
        """Take the nearest of each of the first articles in turn, then the second nearest, and so on."""
        wanted = self._digest.related
        ranked = (
            [self._nearest(session, choice.article_id) for choice in chosen.choices[:_ASKED]]
            if wanted
            else []
        )
        turns = [one for turn in range(wanted) for near in ranked for one in near[turn : turn + 1]]
        inside = without.union(choice.article_id for choice in chosen.choices)
        return tuple(one for one in dict.fromkeys(turns) if one not in inside)[:wanted]

    def _nearest(self, session: Session, article_id: int) -> list[int]:
        if article_id not in self._near:
            index, story = self._compared(session), stories.to_story(self.articles[article_id])
            self._near[article_id] = index.near([story], self._digest.related, self._newer)
        return self._near[article_id]

    def _compared(self, session: Session) -> Index:
        """Give an index of all that is compared; newer articles tell which words are rare, and are barred."""
        if self._index is None:
            at, topics = self._edition.freeze_at, self._digest.topics
            known: list[Story] = stories.list_stories(session, before=at, topics=topics)
            self._newer = frozenset(one.id for one in known if one.dated_at >= at - self._digest.carry)
            self._index = Index(known if len(self._newer) < len(known) else ())
        return self._index
