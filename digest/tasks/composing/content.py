"""What messages are rendered from: an edition's own words, and the cards of a list of articles."""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote

from digest.kept import Kept
from digest.mail.assembly import CardPieces, ListHead
from digest.mail.rendering.content import Card, Content, Elsewhere, Publication, Section
from digest.models import Article, Edition, Form
from digest.models.cadence import CORRECTION
from digest.models.row import row_id
from digest.rules.editions.selection import Choice
from digest.settings import Settings
from digest.store.articles.duplicates import OtherSource
from digest.store.articles.images import Copy
from digest.tasks.composing.article_images import ImagePolicy
from digest.tasks.composing.variants import VariantContent

_WORDS_A_MINUTE = 230
_KEPT_CARDS = 2_000
_KEPT_EDITIONS = 32
_KEPT_TOPS = 512
_KEPT_ORDERS = 4_096
_PREHEADER_TITLES = 3
_PREHEADER_SIGNS = 120
_MOST_ELSEWHERE = 3


@dataclass(frozen=True, slots=True, eq=False)
class _EditionText:
    """What all lists of an edition share in a language: `content` has no articles and no subject yet.

    One is told from others by its identity.
    A notice of correction has no articles, and says its own; of any other the subject may name the first one.
    """

    content: Content
    subject: str
    day: str
    is_correction: bool
    topics: tuple[str, ...]

    def headline(self, cards: Sequence[Card]) -> tuple[str, str]:
        """Give the subject and the preheader."""
        if self.is_correction:
            return self.subject, self.content.preheader
        shared = self.content
        named = cards[0].title, shared.title, self.day, shared.publication.name
        return _subject(self.subject, *named), _preheader(cards)


@dataclass(frozen=True, slots=True)
class _CachedCard:
    """A card, what it was made of, and what is kept of it as encoded."""

    article: Article
    told: Sequence[OtherSource]
    copy: Copy | None
    card: Card
    stock: CardPieces


@dataclass(frozen=True, slots=True)
class _SharedReads:
    """What the lists of an edition and a language share that were read together."""

    listing: VariantContent
    begun: _EditionText
    cards: dict[Choice, CardPieces]

    def has(self, listing: VariantContent) -> bool:
        """Tell whether a list was read with these."""
        own = self.listing
        return (
            own.edition is listing.edition
            and own.language == listing.language
            and own.articles is listing.articles
            and own.told is listing.told
            and own.copies is listing.copies
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """A list as it is `shown`: its cards in the document's order, and its Top last.

    Lists of one `shape` have the same document.
    """

    shape: Hashable
    shown: list[CardPieces]


class EditionContents:
    """Gives what is rendered; cards, and what an edition's lists share, are made once and kept."""

    def __init__(self, settings: Settings, speaks: Callable[[str], bool]) -> None:
        self._settings = settings
        self._speaks = speaks
        self._titles = {source.name: source.title or source.name for source in settings.sources}
        self._topics = {digest.name: digest.topics for digest in settings.digests}
        site = settings.site
        self._publication = Publication(site.name, site.base_url, site.postal_address)
        self._showing = ImagePolicy.by(settings)
        self._cards = Kept[tuple[int, Form, str], _CachedCard](_KEPT_CARDS)
        self._begun = Kept[tuple[object, ...], _EditionText](_KEPT_EDITIONS)
        self._tops = Kept[tuple[object, ...], CardPieces](_KEPT_TOPS)
        self._read: _SharedReads | None = None

    def lay_out(self, listing: VariantContent) -> Layout:
        """Give the same list as pieces that are kept, to be joined without a Content of its own."""
        read, chosen = self._read_with(listing), listing.chosen
        begun, choices = read.begun, chosen.choices
        try:
            cards = [read.cards[choice] for choice in choices]
        except KeyError:
            read.cards.update((choice, self._chosen(listing, choice).stock) for choice in choices)
            cards = [read.cards[choice] for choice in choices]
        related = [shown.stock for shown in self._named(listing)] if chosen.related else []
        order = _order(tuple([choice.section for choice in choices]), begun.topics)
        shown = [cards[at] for at in order.shown]
        shown += related
        shown.append(self._top(begun, cards, chosen.left_out))
        return Layout((begun, order.shape, len(related), chosen.left_out > 0), shown)

    def of(self, listing: VariantContent) -> Content:
        """Give what a list of articles is rendered from."""
        begun, chosen = self._begin(listing.edition, listing.language), listing.chosen
        cards = [self._chosen(listing, choice).card for choice in chosen.choices]
        subject, preheader = begun.headline(cards)
        return replace(
            begun.content,
            subject=subject,
            preheader=preheader,
            lead=cards[0] if cards else None,
            sections=_sections(chosen.choices, cards, begun.topics),
            related=tuple([shown.card for shown in self._named(listing)]) if chosen.related else (),
            left_out=chosen.left_out,
        )

    def _read_with(self, listing: VariantContent) -> _SharedReads:
        """Give what this list shares with those that were read with it: they come one after the other."""
        if self._read is None or not self._read.has(listing):
            self._read = _SharedReads(listing, self._begin(listing.edition, listing.language), {})
        return self._read

    def _top(self, begun: _EditionText, cards: Sequence[CardPieces], left_out: int) -> CardPieces:
        key = begun, left_out, *cards[: 1 + _PREHEADER_TITLES]
        top = self._tops.get(key)
        if top is None:
            headline = begun.headline([stock.shown for stock in cards])
            top = self._tops[key] = CardPieces(ListHead(*headline, left_out))
        return top

    def _chosen(self, listing: VariantContent, choice: Choice) -> _CachedCard:
        at = choice.article_id
        return self._card(listing.articles[at], choice, listing.told.get(at, ()), listing.copies.get(at))

    def _named(self, listing: VariantContent) -> Iterator[_CachedCard]:
        for article in listing.related:
            number = row_id(article)
            yield self._card(article, Choice(number, Form.TITLE, ""), (), listing.copies.get(number))

    def _begin(self, edition: Edition, language: str) -> _EditionText:
        key = (
            edition.digest, edition.cadence, edition.period, edition.freeze_at, edition.deadline_at,
            edition.subject, edition.introduction, language,
        )  # fmt: skip
        begun = self._begun.get(key)
        if begun is None:
            begun = self._begun[key] = self._make(edition, language)
        return begun

    def _make(self, edition: Edition, language: str) -> _EditionText:
        digest, site = self._settings.digest(edition.digest), self._settings.site
        is_correction = edition.cadence == CORRECTION
        content = Content(
            publication=self._publication,
            digest=digest.name,
            title=digest.title,
            cadence=edition.cadence,
            period=edition.period,
            dated_at=edition.freeze_at,
            timezone=site.timezone,
            language=language if self._speaks(language) else site.language,
            subject="",
            preheader=_first_words(edition.introduction) if is_correction else "",
            lead=None,
            sections=(),
            introduction=_introduced(edition.introduction, site.base_url),
            look=digest.template,
            archive_url=archive_url(site.base_url, edition) if digest.is_public and not is_correction else "",
        )
        subject = edition.subject if is_correction else edition.subject or digest.subject
        day = edition.deadline_at.astimezone(self._settings.zone).date().isoformat()
        return _EditionText(content, subject, day, is_correction, self._topics[digest.name])

    def _card(
        self, article: Article, choice: Choice, told: Sequence[OtherSource], copy: Copy | None
    ) -> _CachedCard:
        """Give an article's card, the same one as long as it, its picture and who else tells it are."""
        key = choice.article_id, choice.form, choice.section
        known = self._cards.get(key)
        if known is None or known.article is not article or known.told != told or known.copy != copy:
            card = self._showing.on(self._drawn_up(article, choice, told), article, copy)
            stock = CardPieces(card)
            if known is not None and known.card == card:
                card, stock = known.card, known.stock  # the same is found faster than an equal one
            known = self._cards[key] = _CachedCard(article, told, copy, card, stock)
        return known

    def _drawn_up(self, article: Article, choice: Choice, told: Sequence[OtherSource]) -> Card:
        links = {one.source: Elsewhere(self._titles.get(one.source, one.source), one.url) for one in told}
        also_at, language = tuple(links.values())[:_MOST_ELSEWHERE], self._settings.site.language
        return to_card(article, choice.form, language, also_at, _title_of(choice.section))


def to_card(
    article: Article, form: Form, language: str, also_at: tuple[Elsewhere, ...] = (), section: str = ""
) -> Card:
    """Give what an edition shows of a stored article; `language` is of one that states none."""
    return Card(
        id=row_id(article),
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


def _preheader(cards: Sequence[Card]) -> str:
    """Give what an inbox shows beside the subject, which names the first article: the next ones."""
    return " · ".join([card.title for card in cards[1 : 1 + _PREHEADER_TITLES]]) or cards[0].summary


def _first_words(introduction: str) -> str:
    """Give what an inbox shows beside the subject of a notice of correction."""
    words = introduction.partition("\n\n")[2].replace("*", "").split()
    return " ".join(words)[:_PREHEADER_SIGNS]


def _sections(
    choices: Sequence[Choice], cards: Sequence[Card], topics: tuple[str, ...]
) -> tuple[Section, ...]:
    """Put the cards but the first under their topics."""
    order = _order(tuple([choice.section for choice in choices]), topics)
    return tuple([
        Section(_title_of(topic), tuple([cards[at] for at in found])) for topic, found in order.sections
    ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Order:
    """In which order cards are shown, and which come under which topic: all but the first.

    Lists of one `shape` have as many cards under the same topics.
    """

    shown: Sequence[int]
    sections: Sequence[tuple[str, Sequence[int]]]
    shape: Hashable


@lru_cache(maxsize=_KEPT_ORDERS)
def _order(sections: tuple[str, ...], topics: tuple[str, ...]) -> _Order:
    """Put topics in the digest's order; those that it does not have come last."""
    found: dict[str, list[int]] = {}
    for at, section in enumerate(sections[1:], 1):
        found.setdefault(section, []).append(at)
    order = sorted(found, key=lambda topic: topics.index(topic) if topic in topics else len(topics))
    shown = [*range(len(sections[:1])), *(at for topic in order for at in found[topic])]
    shape = len(shown), tuple([(topic, len(found[topic])) for topic in order])
    return _Order(shown, [(topic, found[topic]) for topic in order], shape)


def archive_url(base_url: str, edition: Edition) -> str:
    """Give where an edition can be read by everybody."""
    return f"{base_url}/archive/{edition.digest}/{edition.cadence}/{quote(edition.period)}"


def _title_of(topic: str) -> str:
    return topic.replace("-", " ").capitalize()


@lru_cache(maxsize=256)
def _subject(form: str, lead: str, title: str, day: str, publication: str) -> str:
    known = {"title": title, "lead": lead, "date": day, "publication": publication}
    # Once: a title may hold braces. What an editor wrote may hold others.
    return re.sub(r"\{(\w+)\}", lambda place: known.get(place[1], place[0]), form)


def _introduced(introduction: str, base_url: str) -> str:
    """Give the editors' words as HTML; what reads Markdown is imported where there are any."""
    if not introduction:
        return ""
    from digest.articles.introductions import introduce

    return introduce(introduction, base_url)
