"""Compose a message: the same function for preview and for delivery, so the bytes are the same."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import quote

from digest.mail.content import Card, Content, Elsewhere, Publication, Section
from digest.mail.message import Composition, Headers, Message, Own, message_id
from digest.mail.rendering import Renderer, Rendering
from digest.models import Article, Edition, Form
from digest.models.cadence import CORRECTION
from digest.net.smtp import Envelope
from digest.rules import fitting, tokens
from digest.rules.selection import Choice, Chosen
from digest.settings import Settings
from digest.store.database import Database
from digest.store.deliveries import Job
from digest.store.folds import Retold
from digest.store.pictures import Copy
from digest.tasks.delivery.variants import Listing, Variants
from digest.tasks.returning import return_paths
from digest.tasks.showing import Showing

if TYPE_CHECKING:
    from digest.mail.dkim import Signer

_WORDS_A_MINUTE = 230
_KEPT = 32
_KEPT_CARDS = 2_000
_PREHEADER_TITLES = 3
_PREHEADER_SIGNS = 120
_MOST_ELSEWHERE = 3
_NO_COPIES: Mapping[int, Copy] = {}
INERT = "inert"
"""What stands in a link in place of a reader's token; it opens nothing."""


@dataclass(slots=True)
class Letter:
    """One message ready to leave, in pieces; no line of it begins with a full stop (mail.encoding)."""

    envelope: Envelope
    pieces: Sequence[bytes]
    size: int

    @property
    def content(self) -> bytes:
        """Give the message whole."""
        return b"".join(self.pieces)


Named = tuple[str, str, str]
"""An edition as it is told from others: its digest, cadence and period."""


@dataclass(frozen=True, slots=True)
class _Ready:
    named: Named
    composition: Composition


class Composer:
    """Composes messages; what readers share is made once a variant and kept as long as it is used."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        renderer: Renderer,
        identity_key: bytes,
        signer: "Signer | None" = None,
    ) -> None:
        self.signs = signer is not None
        self._signer = signer
        self._settings = settings
        self._titles = {source.name: source.title or source.name for source in settings.sources}
        self._base_url, self._signing_keys = settings.site.base_url, settings.web.signing_keys
        self._renderer = renderer
        self._identity_key = identity_key
        self._from_name, self._from_address = parseaddr(settings.site.from_)[0], settings.site.from_address
        self.return_paths = return_paths(settings)
        self._domain = self._from_address.rpartition("@")[2]
        self._owner = parseaddr(settings.site.reply_to or settings.site.from_)[1]
        self._ready: OrderedDict[int, _Ready] = OrderedDict()
        self._variants = Variants(database)
        self._cards: dict[tuple[int | None, Form, str], tuple[Article, Copy | None, Card]] = {}
        self._showing = Showing.by(settings)

    def compose(self, job: Job, composed_at: datetime) -> Letter:
        """Compose a claimed delivery's message, and sign it where the settings name a key."""
        ready = self._ready_for(job.variant_id)
        message = self._message(ready.named, ready.composition, job, composed_at)
        return self._seal(ready.named, job, message, composed_at)

    def prepare(self, job: Job, composed_at: datetime) -> Callable[[], Letter]:
        """Compose a claimed delivery's message; what is given signs it, which any thread may do."""
        ready = self._ready_for(job.variant_id)
        message = self._message(ready.named, ready.composition, job, composed_at)
        return lambda: self._seal(ready.named, job, message, composed_at)

    def letter(self, edition: Edition, rendering: Rendering, job: Job, composed_at: datetime) -> Letter:
        """Splice a reader's own values and headers into a rendering."""
        named = _named(edition)
        message = self._message(named, self._composition(edition, rendering), job, composed_at)
        return self._seal(named, job, message, composed_at)

    def inert(self, edition: Edition, rendering: Rendering, job: Job, composed_at: datetime) -> bytes:
        """Give the same message with links that change nothing for its reader, to be shown at the desk."""
        composition = self._composition(edition, rendering)
        return bytes(self._message(_named(edition), composition, job, composed_at, inert=True))

    def sealed(self, message: Message, at: datetime) -> bytes:
        """Give a message's bytes, signed where the settings name a key.

        A composed body is its own relaxed form (mail.encoding), so it is hashed as it is.
        """
        return b"".join((*self._signatures(message, at), message.head, *message.pieces))

    def _signatures(self, message: Message, at: datetime) -> tuple[bytes, ...]:
        if self._signer is None:
            return ()
        digest = hashlib.sha256(message.body).digest()
        return (self._signer.sign(message.head, digest, at),)

    def _seal(self, named: Named, job: Job, message: Message, composed_at: datetime) -> Letter:
        envelope = Envelope(self.return_paths.write(job.public_id, named), job.address)
        pieces = [*self._signatures(message, composed_at), message.head, *message.pieces]
        return Letter(envelope, pieces, sum(map(len, pieces)))

    def _message(
        self,
        named: Named,
        composition: Composition,
        job: Job,
        composed_at: datetime,
        *,
        inert: bool = False,
    ) -> Message:
        base = self._base_url
        leave = f"{base}/unsubscribe/{INERT if inert else self._token(tokens.UNSUBSCRIBE, job)}"
        choose = f"{base}/preferences/{INERT if inert else self._token(tokens.PREFERENCES, job)}"
        values = {
            "name": job.name,
            "address": job.address,
            "unsubscribe_url": leave,
            "preferences_url": choose,
        }
        own = Own(
            to_name=job.name,
            to_address=job.address,
            date=composed_at,
            message_id=message_id(self._identity_key, *named, job.public_id, self._domain),
            unsubscribe_url=leave,
        )
        return composition.compose(own, values)

    def _token(self, action: str, job: Job) -> str:
        return tokens.sign(self._signing_keys, action, job.public_id, job.digest)

    def render(
        self,
        edition: Edition,
        chosen: Chosen,
        stored: Mapping[int, Article],
        language: str,
        told: Mapping[int, Sequence[Retold]],
        copies: Mapping[int, Copy] = _NO_COPIES,
    ) -> Rendering:
        """Render a list of articles as an edition's variant; `told` is who else tells their stories."""
        return self._renderer.render(self._content(edition, chosen, stored, language, told, copies))

    def measure(
        self,
        edition: Edition,
        chosen: Chosen,
        stored: Mapping[int, Article],
        language: str,
        told: Mapping[int, Sequence[Retold]],
        copies: Mapping[int, Copy] = _NO_COPIES,
    ) -> int:
        """Give the most bytes that the HTML of a variant may have, whoever the reader is."""
        return self._renderer.measure(self._content(edition, chosen, stored, language, told, copies))

    def _content(
        self,
        edition: Edition,
        chosen: Chosen,
        stored: Mapping[int, Article],
        language: str,
        told: Mapping[int, Sequence[Retold]],
        copies: Mapping[int, Copy],
    ) -> Content:
        digest, site = self._settings.digest(edition.digest), self._settings.site
        own = site.language
        cards = [(c.section, self._card(stored[c.article_id], c, own, told, copies)) for c in chosen.choices]
        related = [stored[number] for number in chosen.related if number in stored]
        subject, preheader = self._headline(edition, [card for _, card in cards])
        is_read_online = digest.is_public and edition.cadence != CORRECTION
        return Content(
            publication=Publication(site.name, site.base_url, site.postal_address),
            digest=digest.name,
            title=digest.title,
            cadence=edition.cadence,
            period=edition.period,
            dated_at=edition.freeze_at,
            timezone=site.timezone,
            language=language if self._renderer.speaks(language) else own,
            subject=subject,
            preheader=preheader,
            lead=cards[0][1] if cards else None,
            sections=_sections(cards[1:], digest.topics),
            related=tuple(
                self._card(article, Choice(article.id or 0, Form.TITLE, ""), own, {}, copies)
                for article in related
                if article.withdrawn_at is None and article.hidden_at is None
            ),
            left_out=chosen.left_out,
            introduction=_introduced(edition.introduction, site.base_url),
            look=digest.template,
            archive_url=archive_url(site.base_url, edition) if is_read_online else "",
        )

    def warn_of(self, html: str) -> tuple[str, ...]:
        """Say what a message uses that some mail programs lack, where it is not known to be whole without."""
        return tuple(one.warning for one in self._renderer.clients.find_unexplained(html))

    def _headline(self, edition: Edition, cards: list[Card]) -> tuple[str, str]:
        """Give the subject and the preheader; a notice of correction has no articles, and says its own."""
        if edition.cadence == CORRECTION:
            words = edition.introduction.partition("\n\n")[2].replace("*", "").split()
            return edition.subject, " ".join(words)[:_PREHEADER_SIGNS]
        digest = self._settings.digest(edition.digest)
        form = edition.subject or digest.subject
        subject = _subject(form, digest.title, cards[0].title, edition, self._settings)
        return subject, _preheader(cards)

    def expect(self, jobs: Sequence[Job]) -> None:
        """Make ready for claimed deliveries: what their variants need is read at once."""
        self._variants.expect(jobs, self._ready)

    def _ready_for(self, variant_id: int) -> _Ready:
        ready = self._ready.get(variant_id)
        if ready is None:
            found = self._variants.take(variant_id)
            composition = self._composition(found.edition, self._fitted(found))
            ready = self._ready[variant_id] = _Ready(_named(found.edition), composition)
            if len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(variant_id)
        return ready

    def _fitted(self, found: Listing) -> Rendering:
        """Render a variant; where an article has grown since the freeze, shorten again, and drop none."""

        def render(chosen: Chosen) -> Rendering:
            language = found.variant.language
            return self.render(found.edition, chosen, found.articles, language, found.told, found.copies)

        rendering = render(found.chosen)
        if rendering.html_most <= fitting.ROOM:
            return rendering
        return render(fitting.fit(found.chosen, lambda one: render(one).html_most, drops=False))

    def _card(
        self,
        article: Article,
        choice: Choice,
        language: str,
        told: Mapping[int, Sequence[Retold]],
        copies: Mapping[int, Copy],
    ) -> Card:
        """Give an article's card, the same one as long as it, its picture and who else tells it are."""
        also_at, copy = self._also_at(told.get(article.id or 0, ())), copies.get(article.id or 0)
        key = article.id, choice.form, choice.section
        known = self._cards.get(key)
        if known is None or known[0] is not article or known[1] != copy or known[2].also_at != also_at:
            if len(self._cards) >= _KEPT_CARDS:
                self._cards.clear()
            card = to_card(article, choice.form, language, also_at, _title_of(choice.section))
            known = self._cards[key] = article, copy, self._showing.on(card, article, copy)
        return known[2]

    def _also_at(self, told: Sequence[Retold]) -> tuple[Elsewhere, ...]:
        links = {one.source: Elsewhere(self._titles.get(one.source, one.source), one.url) for one in told}
        return tuple(links.values())[:_MOST_ELSEWHERE]

    def _composition(self, edition: Edition, rendering: Rendering) -> Composition:
        site, digest = self._settings.site, self._settings.digest(edition.digest)
        headers = Headers(
            from_name=self._from_name or site.name,
            from_address=self._from_address,
            reply_to=site.reply_to,
            subject=rendering.subject,
            list_id=f"{digest.name}.{self._domain}",
            list_name=digest.title,
            help_url=site.base_url + "/",
            owner=self._owner,
            bulk=True,
        )
        return Composition(rendering, headers)


def _named(edition: Edition) -> Named:
    return edition.digest, edition.cadence, edition.period


def to_card(
    article: Article, form: Form, language: str, also_at: tuple[Elsewhere, ...] = (), section: str = ""
) -> Card:
    """Give what an edition shows of a stored article; `language` is of one that states none."""
    return Card(
        id=article.id or 0,
        form=form,
        title=article.title,
        url=article.url,
        summary=article.summary,
        html=article.html if form is Form.FULL else "",
        text=article.text if form is Form.FULL else "",
        image_url=article.image_url,
        image_alt=article.image_alt or "",
        author=article.author,
        source=article.source,
        place=article.place,
        topics=tuple(article.topics),
        published_at=article.published_at,
        language=article.language or language,
        also_at=also_at,
        section=section,
        reading_minutes=max(1, round(article.word_count / _WORDS_A_MINUTE)) if article.word_count else 0,
    )


def _preheader(cards: list[Card]) -> str:
    """Give what an inbox shows beside the subject, which names the first article: the next ones."""
    return " · ".join(card.title for card in cards[1 : 1 + _PREHEADER_TITLES]) or cards[0].summary


def _sections(cards: list[tuple[str, Card]], order: tuple[str, ...]) -> tuple[Section, ...]:
    topics = list(dict.fromkeys(topic for topic, _ in cards))
    topics.sort(key=lambda topic: order.index(topic) if topic in order else len(order))
    return tuple(
        Section(_title_of(topic), tuple(card for own, card in cards if own == topic)) for topic in topics
    )


def archive_url(base_url: str, edition: Edition) -> str:
    """Give where an edition can be read by everybody."""
    return f"{base_url}/archive/{edition.digest}/{edition.cadence}/{quote(edition.period)}"


def _title_of(topic: str) -> str:
    return topic.replace("-", " ").capitalize()


def _subject(form: str, title: str, lead: str, edition: Edition, settings: Settings) -> str:
    day = edition.deadline_at.astimezone(settings.zone).date().isoformat()
    known = {"title": title, "lead": lead, "date": day, "publication": settings.site.name}
    # Once: a title may hold braces. What an editor wrote may hold others.
    return re.sub(r"\{(\w+)\}", lambda place: known.get(place[1], place[0]), form)


def _introduced(introduction: str, base_url: str) -> str:
    """Give the editors' words as HTML; what reads Markdown is imported where there are any."""
    if not introduction:
        return ""
    from digest.articles.introductions import introduce

    return introduce(introduction, base_url)
