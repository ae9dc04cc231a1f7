"""The variants that messages are composed of, read for a whole claim at once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from digest.models import Article, Edition, Variant
from digest.rules.selection import Choice
from digest.store import articles, editions
from digest.store.database import Database
from digest.store.deliveries import Job

_KEPT_ARTICLES = 2_000
_KEPT_VARIANTS = 10_000


@dataclass(frozen=True, slots=True)
class Listing:
    """A variant as it is stored: its edition, its choices in order, and the articles that they name."""

    edition: Edition
    variant: Variant
    choices: list[Choice]
    articles: Mapping[int, Article]


class Variants:
    """Reads variants; articles are kept as long as they are used, since many variants share them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._expected: dict[int, tuple[Edition, Variant, list[Choice]]] = {}
        self._articles: OrderedDict[int, Article] = OrderedDict()

    def expect(self, jobs: Iterable[Job], known: Iterable[int]) -> None:
        """Read the variants of claimed deliveries but those that are known, with a few queries for all."""
        wanted = {job.variant_id for job in jobs}.difference(known)
        if not wanted:
            return
        with self._database.read() as session:
            self._read(session, wanted)

    def take(self, variant_id: int) -> Listing:
        """Give a variant, and forget it: whoever takes it keeps what is made of it."""
        if variant_id not in self._expected:
            with self._database.read() as session:
                self._read(session, {variant_id})
        edition, variant, choices = self._expected.pop(variant_id)
        missing = [choice.article_id for choice in choices if choice.article_id not in self._articles]
        if missing:
            with self._database.read() as session:
                self._articles.update(articles.get_articles(session, missing))
        found = {choice.article_id: self._articles[choice.article_id] for choice in choices}
        self._forget_articles(found)
        return Listing(edition, variant, choices, found)

    def _read(self, session: Session, wanted: set[int]) -> None:
        self._expected.update(editions.get_variants(session, wanted))
        while len(self._expected) > _KEPT_VARIANTS:
            del self._expected[next(iter(self._expected))]

    def _forget_articles(self, used: Iterable[int]) -> None:
        for article_id in used:
            self._articles.move_to_end(article_id)
        while len(self._articles) > _KEPT_ARTICLES:
            self._articles.popitem(last=False)
