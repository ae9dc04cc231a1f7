"""The variants that messages are composed of, read for a whole claim at once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.models import Article, Edition, Variant
from digest.rules.selection import Choice, Chosen
from digest.store import folds, frozen, pictures, variants
from digest.store.database import Database
from digest.store.deliveries import Job
from digest.store.folds import Retold
from digest.store.pictures import Copy

_KEPT_ARTICLES = 2_000
_KEPT_VARIANTS = 10_000


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of articles in an edition and a language, with the articles that it names, who else tells their
    stories, and the copies of their pictures."""

    edition: Edition
    language: str
    chosen: Chosen
    articles: Mapping[int, Article]
    told: Mapping[int, Sequence[Retold]]
    copies: Mapping[int, Copy]


class Variants:
    """Reads variants; articles are kept as long as they are used, since many variants share them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._expected: dict[int, tuple[Edition, Variant, list[Choice]]] = {}
        self._articles: OrderedDict[tuple[int, int], Article] = OrderedDict()  # by edition and article
        self._told: dict[int, list[Retold]] = {}
        self._copies: dict[int, Copy] = {}

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
        wanted = [*(choice.article_id for choice in choices), *variant.related]
        found = self._articles_of(edition.id or 0, wanted)
        told = {article_id: self._told[article_id] for article_id in found if article_id in self._told}
        copies = {key: self._copies[key] for key in found if key in self._copies}
        told_then, copied_then = told_by(told, edition.freeze_at), copied_by(copies, edition.freeze_at)
        chosen = Chosen(tuple(choices), variant.left_out, tuple(variant.related))
        return Listing(edition, variant.language, chosen, found, told_then, copied_then)

    def _read(self, session: Session, wanted: set[int]) -> None:
        read = variants.get_variants(session, wanted)
        self._expected.update(read)
        self._read_told(session, {c.article_id for _, _, choices in read.values() for c in choices})
        while len(self._expected) > _KEPT_VARIANTS:
            del self._expected[next(iter(self._expected))]

    def _read_told(self, session: Session, ids: set[int]) -> None:
        """Read who else tells these stories, anew: a later edition may know of more."""
        if len(self._told) > _KEPT_ARTICLES:
            self._told.clear()
            self._copies.clear()
        self._told.update(folds.list_told(session, ids))
        self._copies.update(pictures.copies_of(session, ids))

    def _articles_of(self, edition_id: int, wanted: Sequence[int]) -> dict[int, Article]:
        """Give articles as they stood at the edition's freeze."""
        missing = [key for key in wanted if (edition_id, key) not in self._articles]
        if missing:
            with self._database.read() as session:
                read = frozen.articles_of(session, edition_id, missing)
            self._articles.update(((edition_id, key), article) for key, article in read.items())
        found = {
            key: self._articles[edition_id, key] for key in wanted if (edition_id, key) in self._articles
        }
        for key in found:
            self._articles.move_to_end((edition_id, key))
        self._forget_articles()
        return found

    def _forget_articles(self) -> None:
        while len(self._articles) > _KEPT_ARTICLES:
            self._articles.popitem(last=False)


def copied_by(copies: Mapping[int, Copy], freeze_at: datetime) -> dict[int, Copy]:
    """Give the copies of pictures that there were at a freeze; later ones count from the next."""
    return {key: copy for key, copy in copies.items() if copy.copied_at <= freeze_at}


def told_by(told: Mapping[int, Iterable[Retold]], freeze_at: datetime) -> dict[int, tuple[Retold, ...]]:
    """Give who else told stories by a freeze: what an edition shows does not change after it.

    Who is withdrawn is left out, too; the deliveries that have not left get variants of their own for that.
    """
    return {
        root: tuple(one for one in found if one.folded_at <= freeze_at and not one.is_withdrawn)
        for root, found in told.items()
    }
