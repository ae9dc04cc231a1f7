"""Send one article at once to the readers who chose breaking news.

It is an edition of its own, unique by digest and article, with a delivery for each reader: claims, marks,
repeats and the audit work as for every edition, and the article is not in those readers' next edition again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.errors import InputError, Refused
from digest.models import Article, Edition, EditionName, EditionState, MailForm, Withheld
from digest.models.cadence import BREAKING
from digest.models.row import row_id
from digest.rules.editions import cadence as calendar
from digest.rules.editions.selection import EVERY_TOPIC, Choice, Chosen
from digest.settings import DigestSettings, Settings
from digest.store import workers
from digest.store.articles import articles, duplicates
from digest.store.database import Database
from digest.store.editions import breaking, drafts, editions, snapshots, variants
from digest.store.editions.breaking import BreakingReader, PlannedNews
from digest.tasks.composing.composer import Composer
from digest.tasks.editions.fitting import Fitter

_RANGE = 5_000


@dataclass(slots=True)
class BreakingNews:
    """An article as breaking news: how many `readers` by digest, and the digests that sent it `before`."""

    article_id: int
    title: str
    readers: dict[str, int] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return how many readers get it."""
        return sum(self.readers.values())


@dataclass(frozen=True, slots=True)
class BreakingDesk:
    """Sends breaking news: what it reads, composes with and says the subject with."""

    database: Database
    settings: Settings
    composer: Composer
    speaks: Callable[[str], bool]
    say: Callable[..., str]

    def count(self, name: str) -> BreakingNews:
        """Return who would get an article; nothing is changed. Raise InputError where it cannot be sent."""
        with self.database.read() as session:
            article, digests = self._check(session, name)
            found = BreakingNews(row_id(article), article.title)
            for digest in digests:
                if breaking.find_sent(session, digest.name, row_id(article)) is not None:
                    found.before.append(digest.name)
                else:
                    found.readers[digest.name] = sum(
                        len(part) for part in self._wanting(session, digest, article, ())
                    )
        return found

    def send(
        self, name: str, who: str, now: datetime, *, acted_on: EditionName | None = None
    ) -> BreakingNews:
        """Plan an article for all who chose breaking news of its topics and do not have it: one commit.

        The edition that somebody `acted_on` at the desk keeps the act in its history as well. A digest that
        it was sent by before is left out. Raise InputError where the article cannot be sent,
        and Refused while an edition of a digest is being compiled: that might hold the article too.
        """
        with self.database.write() as session:
            drafts.take_turns(session)
            article, digests = self._check(session, name)
            found, made = BreakingNews(row_id(article), article.title), list[Edition]()
            for digest in digests:
                if editions.list_editions(session, digest=digest.name, states=[EditionState.COMPILING]):
                    raise Refused(f"an edition of {digest.name} is being compiled: try again in a moment")
                edition = self._enter(session, digest, article, now)
                if edition is None:
                    found.before.append(digest.name)
                    continue
                told = [row_id(one) for one in made]
                found.readers[digest.name] = self._plan(session, digest, edition, article, told)
                made.append(edition)
            if made:
                workers.raise_counter(session)
                readers = "1 reader" if found.count == 1 else f"{found.count:,} readers"
                act = f"sent “{article.title}” as breaking news to {readers}"
                for edition_name in [*([acted_on] if acted_on else []), *(one.name for one in made)]:
                    drafts.note(session, drafts.find_or_new(session, *edition_name), who, act, now)
        return found

    def _check(self, session: Session, name: str) -> tuple[Article, list[DigestSettings]]:
        named = articles.get_article(session, name)
        root = duplicates.story_of(session, row_id(named))[0]
        article = named if root == named.id else articles.get_article(session, str(root))
        if article.withdrawn_at or article.hidden_at or article.held_back:
            why = "was withdrawn" if article.withdrawn_at else "is hidden or held back"
            raise InputError(f"article {article.id} {why}: it cannot be sent")
        offering = [digest for digest in self.settings.digests if digest.breaking]
        if not offering:
            raise InputError(
                "no digest offers breaking news: set breaking = true in [[digests]]; then readers choose it"
            )
        topics = _topics(session, article)
        found = [digest for digest in offering if not digest.topics or topics & set(digest.topics)]
        if not found:
            raise InputError(f"article {article.id} has no topic of a digest that offers breaking news")
        return article, found

    def _enter(
        self, session: Session, digest: DigestSettings, article: Article, now: datetime
    ) -> Edition | None:
        """Enter the edition; None where the article was sent by this digest before."""
        subject = self.say(self.settings.site.language, "breaking", title="{lead}")
        edition = Edition(
            digest=digest.name, cadence=BREAKING, period=str(article.id), state=EditionState.FROZEN,
            at_once=True, deadline_at=now, freeze_at=now, frozen_at=now, subject=subject,
        )  # fmt: skip
        return editions.add_edition(session, edition)

    def _plan(
        self,
        session: Session,
        digest: DigestSettings,
        edition: Edition,
        article: Article,
        told: Sequence[int],
    ) -> int:
        lone = digest.model_copy(update={"related": 0})
        fitter, count = Fitter(self.composer, lone, edition), 0
        offered = [topic for topic in article.topics if not digest.topics or topic in digest.topics]
        chosen = Chosen((Choice(row_id(article), digest.form, next(iter(offered), "")),))
        known: dict[tuple[str, str], int] = {}
        for readers in self._wanting(session, digest, article, told):
            planned = []
            for reader in readers:
                language = self._language(reader)
                key = language, reader.mail_form
                if key not in known:
                    wanted = replace(chosen, mail_form=MailForm(reader.mail_form))
                    fitted = fitter.settle(session, wanted, language, (EVERY_TOPIC,))
                    known[key] = variants.find_or_add_variant(session, row_id(edition), language, fitted)
                due_at = self._due_at(digest, reader, edition.freeze_at)
                reason = Withheld.FEED if reader.mail_form == MailForm.FEED else ""
                planned.append(PlannedNews(reader.subscription_id, known[key], due_at, reason))
            breaking.plan(session, edition, planned, edition.freeze_at)
            count += len(planned)
        snapshots.keep(session, row_id(edition))
        return count

    def _wanting(
        self, session: Session, digest: DigestSettings, article: Article, told: Sequence[int]
    ) -> Iterator[list[BreakingReader]]:
        """Yield who wants an article and does not have it, a few thousand at a time."""
        topics = _topics(session, article)
        story = [row_id(article), *(one.article_id for one in duplicates.list_told(session, [row_id(article)])
                                    .get(row_id(article), []))]  # fmt: skip
        after = 0
        while found := breaking.list_readers(session, digest.name, story, told, after, _RANGE):
            after = found[-1].subscription_id
            wanting = [one for one in found if EVERY_TOPIC in one.topics or topics & set(one.topics)]
            if wanting:
                yield wanting

    def _language(self, reader: BreakingReader) -> str:
        own = self.settings.site.language
        return reader.language if reader.language and self.speaks(reader.language) else own

    def _due_at(self, digest: DigestSettings, reader: BreakingReader, now: datetime) -> datetime:
        """Return when a reader gets it: at once, or after quiet hours that they, or the digest, have set."""
        zone = ZoneInfo(reader.zone) if reader.zone else self.settings.zone
        return calendar.after_quiet(now, digest.news_quiet_hours(reader.quiet), zone)


def _topics(session: Session, article: Article) -> set[str]:
    """Return an article's topics, with those of the sources that tell the same story."""
    told = duplicates.list_told(session, [row_id(article)]).get(row_id(article), [])
    return {*article.topics, *(topic for one in told for topic in one.topics)}
