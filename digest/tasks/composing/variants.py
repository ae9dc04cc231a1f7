"""The variants that messages are composed from, read for a whole claim at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.bounded_cache import BoundedCache
from digest.models import Article, Edition, MailForm
from digest.models.row import row_id
from digest.rules.editions.selection import Chosen
from digest.store.articles import articles, duplicates, images
from digest.store.articles.duplicates import OtherSource
from digest.store.articles.images import Copy
from digest.store.database import Database
from digest.store.delivery.deliveries import Job
from digest.store.editions import snapshots, variants

_KEPT_ARTICLES = 2_000
_KEPT_VARIANTS = 10_000


@dataclass(frozen=True, slots=True)
class VariantContent:
    """A variant with what its messages show: its articles, other sources of their stories, copies of images.

    The mappings have article ids as keys and may hold more than this variant needs.
    """

    edition: Edition
    language: str
    chosen: Chosen
    articles: Mapping[int, Article]
    other_sources: Mapping[int, Sequence[OtherSource]]
    copies: Mapping[int, Copy]

    @property
    def pictures(self) -> bool:
        """Return whether its messages show pictures."""
        return self.chosen.mail_form not in (MailForm.NO_PICTURES, MailForm.TEXT)

    @property
    def related(self) -> list[Article]:
        """List the related articles, without those that have been withdrawn or hidden."""
        known = [self.articles[number] for number in self.chosen.related if number in self.articles]
        return [article for article in known if not is_gone(article)]


class Variants:
    """Reads variants; their articles are cached, because many variants share them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._expected = BoundedCache[int, VariantContent](_KEPT_VARIANTS)
        self._articles = BoundedCache[tuple[int, int], Article](_KEPT_ARTICLES)  # by edition and article

    def expect(self, jobs: Iterable[Job], known: Iterable[int]) -> None:
        """Read the variants of claimed deliveries that are not cached, in a few queries for all."""
        wanted = {job.variant_id for job in jobs}.difference(known)
        if not wanted:
            return
        with self._database.read() as session:
            self._read(session, wanted)

    def gone(self, related: Collection[int]) -> set[int]:
        """Return which of these articles may no longer be named, and drop what was cached of them."""
        if not related:
            return set()
        with self._database.read() as session:
            return self._forget_gone(session, related)

    def _forget_gone(self, session: Session, related: Collection[int]) -> set[int]:
        gone = articles.list_gone(session, related) if related else set()
        for key in [key for key in self._articles if key[1] in gone]:
            if not is_gone(self._articles[key]):
                del self._articles[key]
        return gone

    def take(self, variant_id: int) -> VariantContent:
        """Return a variant and forget it: the caller caches what it makes of it."""
        if variant_id not in self._expected:
            with self._database.read() as session:
                self._read(session, {variant_id})
        return self._expected.pop(variant_id)

    def _read(self, session: Session, wanted: set[int]) -> None:
        """Read variants; those of one edition share the reads of their articles.

        Other sources of their stories are read each time: a later edition may have more.
        """
        read = variants.get_variants(session, wanted)
        self._forget_gone(session, {number for one in read.values() for number in one.chosen.related})
        named: dict[int, set[int]] = {}
        for one in read.values():
            ids = named.setdefault(row_id(one.edition), set())
            ids.update([choice.article_id for choice in one.chosen.choices], one.chosen.related)
        every = set().union(*named.values())
        other_sources, copies = duplicates.list_told(session, every), images.copies_of(session, every)
        shared: dict[
            int, tuple[Mapping[int, Article], Mapping[int, Sequence[OtherSource]], Mapping[int, Copy]]
        ] = {}
        for edition in {id(one.edition): one.edition for one in read.values()}.values():
            at, number = edition.freeze_at, row_id(edition)
            shared[number] = (
                self._articles_of(session, number, named[number]),
                other_sources_at(other_sources, at),
                copies_at(copies, at),
            )
        for variant_id, one in read.items():
            self._expected[variant_id] = VariantContent(*one, *shared[row_id(one.edition)])

    def _articles_of(self, session: Session, edition_id: int, wanted: Collection[int]) -> dict[int, Article]:
        """Return articles as they were at the edition's freeze."""
        found = {
            key: self._articles[edition_id, key] for key in wanted if (edition_id, key) in self._articles
        }
        missing = [key for key in wanted if key not in found]
        if missing:
            found |= snapshots.articles_of(session, edition_id, missing)
        for key in missing:
            if key in found:
                self._articles[edition_id, key] = found[key]
        return found


def is_gone(article: Article) -> bool:
    """Return whether an article may no longer be named as related."""
    return article.withdrawn_at is not None or article.hidden_at is not None


def copies_at(copies: Mapping[int, Copy], freeze_at: datetime) -> dict[int, Copy]:
    """Return the copies of images that existed at a freeze; later ones appear from the next edition on."""
    return {key: copy for key, copy in copies.items() if copy.copied_at <= freeze_at}


def other_sources_at(
    other_sources: Mapping[int, Iterable[OtherSource]], freeze_at: datetime
) -> dict[int, tuple[OtherSource, ...]]:
    """Return the other sources of stories at a freeze, after which an edition does not change.

    Withdrawn ones are left out as well; deliveries that have not been sent get variants of their own for
    that.
    """
    return {
        root: tuple(one for one in found if one.folded_at <= freeze_at and not one.is_withdrawn)
        for root, found in other_sources.items()
    }
