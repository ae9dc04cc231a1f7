"""Send one article at once to the readers who chose breaking news.

It is an edition of its own, unique by digest and article, with a delivery for each reader: claims, marks,
repeats and the audit work as for every edition, and the article is not in those readers' next edition again.
It is planned in key ranges with a commit each; whoever's range is later, this or another edition's, finds in
the ledger what the earlier one gave its readers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Article, Edition, EditionName, EditionState, MailForm, Withheld
from digest.models.cadence import BREAKING
from digest.models.row import row_id
from digest.rules.editions import cadence as calendar
from digest.rules.editions.selection import EVERY_TOPIC, Choice, Chosen
from digest.settings import DigestSettings, Settings
from digest.store.articles import articles, duplicates
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import breaking, drafts, editions, planning, variants
from digest.store.editions.breaking import BreakingReader, PlannedNews
from digest.tasks.composing.composer import Composer
from digest.tasks.editions.fitting import Fitter
from digest.tasks.editions.freeze import freeze

RANGE_SIZE = 500


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
    """Counts who gets an article as breaking news, and sends it to them."""

    database: Database
    settings: Settings
    composer: Composer
    speaks: Callable[[str], bool]
    say: Callable[..., str]

    def count(self, name: str) -> BreakingNews:
        """Return who would get an article; nothing is changed. Raise InputError where it cannot be sent."""
        with self.database.read() as session:
            article, digests = self._check(session, name)
            found, told = BreakingNews(row_id(article), article.title), set[int]()
            for digest in digests:
                if breaking.find_sent(session, digest.name, row_id(article)) is not None:
                    found.before.append(digest.name)
                    continue
                found.readers[digest.name] = 0
                for _, readers in self._ranges(session, digest, article):
                    people = {one.subscriber_id for one in readers} - told
                    found.readers[digest.name] += len(people)
                    told |= people
        return found

    def send(
        self, name: str, who: str, now: datetime, *, acted_on: EditionName | None = None
    ) -> BreakingNews:
        """Plan an article for all who chose breaking news of its topics and do not have it.

        `acted_on` is the edition at whose page somebody did this; its history keeps the act as well.
        Digests that sent it before are left out. Raise InputError where the article cannot be sent. The
        first commit enters the editions; where this process ends before the last one, the next run goes on.
        """
        found = self.count(name)
        with self.database.write() as session:
            drafts.take_turns(session)
            article, digests = self._check(session, name)
            entered = [(digest, self._enter(session, digest, article, now)) for digest in digests]
            made = [(digest, edition) for digest, edition in entered if edition is not None]
            if made:
                readers = "1 reader" if found.count == 1 else f"{found.count:,} readers"
                act = f"sent “{article.title}” as breaking news to {readers}"
                for edition_name in [*([acted_on] if acted_on else []), *(one.name for _, one in made)]:
                    drafts.note(session, drafts.find_or_new(session, *edition_name), who, act, now)
        done = BreakingNews(row_id(article), article.title)
        done.before = [digest.name for digest, edition in entered if edition is None]
        for digest, edition in made:
            self.compile(digest, edition)
            with self.database.read() as session:
                done.readers[digest.name] = sum(deliveries.count_planned(session, row_id(edition)))
        return done

    def enter_lost(self, digest: DigestSettings, url: str, at: datetime) -> Edition | None:
        """Plan breaking news that a restored database has forgotten, as of then.

        None where it is known, or its article is not known any more.
        """
        with self.database.write() as session:
            drafts.take_turns(session)
            article = articles.find_article_named(session, url)
            edition = self._enter(session, digest, article, at) if article else None
        if edition is not None:
            self.compile(digest, edition)
        return edition

    def compile(self, digest: DigestSettings, edition: Edition, worker_id: int | None = None) -> None:
        """Plan an edition in key ranges with a commit each; the last commit freezes it.

        It ends early where a worker took the edition over meanwhile.
        """
        plan = _Plan(Fitter(self.composer, digest.model_copy(update={"related": 0}), edition))
        while True:
            with self.database.write() as session:
                planning.take_turns(session)
                current = editions.own_edition(session, row_id(edition), worker_id)
                if current is None or not self._plan_range(session, digest, current, plan):
                    return
            self.database.give_way()

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
            digest=digest.name, cadence=BREAKING, period=str(article.id), state=EditionState.COMPILING,
            at_once=True, deadline_at=now, freeze_at=now, subject=subject,
        )  # fmt: skip
        return editions.add_edition(session, edition)

    def _plan_range(self, session: Session, digest: DigestSettings, edition: Edition, plan: "_Plan") -> bool:
        """Plan the next readers; where there are none, freeze the edition and return False."""
        article = articles.get_article(session, edition.period)
        told = breaking.list_beside(session, edition)
        found = next(self._ranges(session, digest, article, told, edition.compiled_to), None)
        if found is None:
            freeze(session, edition)
            return False
        offered = [topic for topic in article.topics if not digest.topics or topic in digest.topics]
        chosen = Chosen((Choice(row_id(article), digest.form, next(iter(offered), "")),))
        planned = []
        last, readers = found
        for reader in readers:
            variant_id = plan.find_variant(session, edition, chosen, self._language(reader), reader.mail_form)
            due_at = self._due_at(digest, reader, edition.freeze_at)
            reason = Withheld.FEED if reader.mail_form == MailForm.FEED else ""
            planned.append(PlannedNews(reader.subscription_id, variant_id, due_at, reason))
        breaking.plan(session, edition, planned, edition.freeze_at)
        edition.compiled_to = last
        session.add(edition)
        return True

    def _ranges(
        self,
        session: Session,
        digest: DigestSettings,
        article: Article,
        told: Sequence[int] = (),
        after: int = 0,
    ) -> Iterator[tuple[int, list[BreakingReader]]]:
        """Yield each range's last key, and who of its readers want the article and do not have it."""
        topics = _topics(session, article)
        story = [row_id(article), *(one.article_id for one in duplicates.list_told(session, [row_id(article)])
                                    .get(row_id(article), []))]  # fmt: skip
        while found := breaking.list_readers(session, digest.name, story, told, after, RANGE_SIZE):
            after = found[-1].subscription_id
            yield after, [one for one in found if EVERY_TOPIC in one.topics or topics & set(one.topics)]

    def _language(self, reader: BreakingReader) -> str:
        own = self.settings.site.language
        return reader.language if reader.language and self.speaks(reader.language) else own

    def _due_at(self, digest: DigestSettings, reader: BreakingReader, now: datetime) -> datetime:
        """Return when a reader gets it: at once, or after quiet hours that they, or the digest, have set."""
        zone = ZoneInfo(reader.zone) if reader.zone else self.settings.zone
        return calendar.after_quiet(now, digest.news_quiet_hours(reader.quiet), zone)


@dataclass(slots=True)
class _Plan:
    """The variants of an edition while it is planned: one for each language and form of mail."""

    fitter: Fitter
    known: dict[tuple[str, str], int] = field(default_factory=dict)

    def find_variant(
        self, session: Session, edition: Edition, chosen: Chosen, language: str, mail_form: str
    ) -> int:
        key = language, mail_form
        if key not in self.known:
            wanted = replace(chosen, mail_form=MailForm(mail_form))
            fitted = self.fitter.complete(session, wanted, language, (EVERY_TOPIC,))
            self.known[key] = variants.find_or_add_variant(session, row_id(edition), language, fitted)
        return self.known[key]


def _topics(session: Session, article: Article) -> set[str]:
    """Return an article's topics, with those of the sources that tell the same story."""
    told = duplicates.list_told(session, [row_id(article)]).get(row_id(article), [])
    return {*article.topics, *(topic for one in told for topic in one.topics)}
