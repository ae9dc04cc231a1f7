"""The content that messages are rendered from: an edition's own words, and the cards of its articles."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote

from digest.bounded_cache import BoundedCache
from digest.mail.assembly import CardPieces, ListHead
from digest.mail.rendering.catalogues import Catalogues, Translator
from digest.mail.rendering.content import Card, Content, Publication, Section
from digest.mail.rendering.names import Names
from digest.models import Edition, Form
from digest.models.cadence import CORRECTION, RESERVED, WELCOME
from digest.models.row import row_id
from digest.rules.editions.placeholders import fill_notice, fill_subject, is_notice
from digest.rules.editions.sections import SectionOrder, edition_topics, order_sections, place_blocks
from digest.rules.editions.selection import Choice
from digest.rules.tokens.click_links import is_counted
from digest.settings import Settings, SourceSettings
from digest.tasks.composing.cards import CachedCard, Cards
from digest.tasks.composing.variants import VariantContent

_KEPT_EDITIONS = 32
_KEPT_HEADS = 512
_PREHEADER_TITLES = 3
_PREHEADER_CHARACTERS = 120


@dataclass(frozen=True, slots=True, eq=False)
class _EditionText:
    """What all lists of an edition share in a language: `content` without articles and subject.

    Compared by identity. A correction has no articles and its own subject; the subject of any other edition
    may name the first article. `blocks` are the editors' own texts as HTML, each with its place.
    """

    content: Content
    subject: str
    day: str
    is_correction: bool
    topics: tuple[str, ...]
    blocks: tuple[tuple[str, str], ...] = ()

    def headline(self, cards: Sequence[Card]) -> tuple[str, str]:
        """Return the subject and the preheader."""
        if self.is_correction:
            return self.subject, self.content.preheader
        shared = self.content
        named = cards[0].title, shared.title, self.day, shared.publication.name
        return _subject(self.subject, *named), _preheader(cards)


@dataclass(frozen=True, slots=True)
class _SharedReads:
    """What the variants of an edition and a language that were read together share."""

    variant: VariantContent
    edition_text: _EditionText
    cards: dict[Choice, CardPieces]

    def has(self, variant: VariantContent) -> bool:
        """Return whether a variant was read together with these."""
        own = self.variant
        return (
            own.edition is variant.edition
            and own.language == variant.language
            and own.pictures == variant.pictures
            and own.articles is variant.articles
            and own.other_sources is variant.other_sources
            and own.copies is variant.copies
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """A list in the form that an Assembler needs: its cards in the document's order, then its ListHead.

    Lists of one `shape` have the same document.
    """

    shape: Hashable
    pieces: list[CardPieces]


class EditionContents:
    """Makes the content of variants; cards, and what an edition's variants share, are made once and cached.

    `of(variant)` is a Content for the renderer, `lay_out(variant)` the same list as cached pieces for the
    assembler.
    """

    def __init__(
        self, settings: Settings, catalogues: Catalogues, sources: Sequence[SourceSettings] | None = None
    ) -> None:
        self._settings = settings
        self._catalogues, self._names = catalogues, Names(settings.site.names)
        self._topics = {digest.name: digest.topics for digest in settings.digests}
        site = settings.site
        self._publication = Publication(site.name, site.base_url, site.postal_address)
        self._cards = Cards(settings, self._names, sources)
        self._edition_texts = BoundedCache[tuple[object, ...], _EditionText](_KEPT_EDITIONS)
        self._heads = BoundedCache[tuple[object, ...], CardPieces](_KEPT_HEADS)
        self._last_read: _SharedReads | None = None

    def lay_out(self, variant: VariantContent) -> Layout:
        """Return a variant as cached pieces, to be assembled without a Content of its own."""
        shared, chosen = self._shared_reads(variant), variant.chosen
        edition_text = shared.edition_text
        order = order_sections(tuple([choice.section for choice in chosen.choices]), edition_text.topics)
        choices = _as_shown(chosen.choices, order)
        try:
            cards = [shared.cards[choice] for choice in choices]
        except KeyError:
            shared.cards.update((choice, self._card_of(variant, choice).pieces) for choice in choices)
            cards = [shared.cards[choice] for choice in choices]
        related = [card.pieces for card in self._related_cards(variant)] if chosen.related else []
        pieces = [cards[number] for number in order.shown]
        pieces += related
        pieces.append(self._head_of(edition_text, cards, chosen.left_out))
        return Layout((edition_text, order.shape, len(related), chosen.left_out > 0), pieces)

    def of(self, variant: VariantContent) -> Content:
        """Return the content that a variant is rendered from."""
        edition_text, chosen = self._edition_text(variant), variant.chosen
        order = order_sections(tuple([choice.section for choice in chosen.choices]), edition_text.topics)
        cards = [self._card_of(variant, choice).card for choice in _as_shown(chosen.choices, order)]
        subject, preheader = edition_text.headline(cards)
        return replace(
            edition_text.content,
            subject=subject,
            preheader=preheader,
            lead=cards[0] if cards else None,
            lead_blocks=_blocks_after(0, edition_text, order),
            sections=self._sections(variant, cards, order, edition_text),
            related=tuple([card.card for card in self._related_cards(variant)]) if chosen.related else (),
            left_out=chosen.left_out,
        )

    def _shared_reads(self, variant: VariantContent) -> _SharedReads:
        """Return what this variant shares with those read with it; such variants come one after another."""
        if self._last_read is None or not self._last_read.has(variant):
            self._last_read = _SharedReads(variant, self._edition_text(variant), {})
        return self._last_read

    def _head_of(self, edition_text: _EditionText, cards: Sequence[CardPieces], left_out: int) -> CardPieces:
        key = edition_text, left_out, *cards[: 1 + _PREHEADER_TITLES]
        head = self._heads.get(key)
        if head is None:
            headline = edition_text.headline([pieces.source for pieces in cards])
            head = self._heads[key] = CardPieces(ListHead(*headline, left_out))
        return head

    def _card_of(self, variant: VariantContent, choice: Choice) -> CachedCard:
        number = choice.article_id
        others, copy = variant.other_sources.get(number, ()), variant.copies.get(number)
        article = variant.articles[number]
        spoken, name = self._spoken(variant.language), variant.edition.name
        return self._cards.card_of(article, choice, others, copy, spoken, name, pictures=variant.pictures)

    def _related_cards(self, variant: VariantContent) -> Iterator[CachedCard]:
        for article in variant.related:
            number = row_id(article)
            choice, copy = Choice(number, Form.TITLE, ""), variant.copies.get(number)
            spoken, name = self._spoken(variant.language), variant.edition.name
            yield self._cards.card_of(article, choice, (), copy, spoken, name, pictures=variant.pictures)

    def _sections(
        self, variant: VariantContent, cards: Sequence[Card], order: SectionOrder, edition_text: _EditionText
    ) -> tuple[Section, ...]:
        """Group all cards but the first under their topics."""
        spoken = self._spoken(variant.language)
        return tuple(
            [
                Section(
                    self._names.topic(spoken, topic),
                    tuple([cards[number] for number in found]),
                    _blocks_after(part, edition_text, order),
                )
                for part, (topic, found) in enumerate(order.sections, 1)
            ]
        )

    def _spoken(self, language: str) -> str:
        """Return the language in which a reader gets mail: the publication's if there is no catalogue."""
        return language if self._catalogues.find(language) else self._settings.site.language

    def _edition_text(self, variant: VariantContent) -> _EditionText:
        edition, language, pictures = variant.edition, variant.language, variant.pictures
        key = (
            edition.digest, edition.cadence, edition.period, edition.freeze_at, edition.deadline_at,
            edition.subject, edition.introduction, edition.sponsor, tuple(edition.sections), language,
            pictures, tuple([(block["place"], block["text"]) for block in edition.blocks]),
        )  # fmt: skip
        edition_text = self._edition_texts.get(key)
        if edition_text is None:
            edition_text = self._edition_texts[key] = self._make_edition_text(
                edition, language, pictures=pictures
            )
        return edition_text

    def _make_edition_text(self, edition: Edition, language: str, *, pictures: bool) -> _EditionText:
        digest, site = self._settings.digest(edition.digest), self._settings.site
        is_correction = edition.cadence == CORRECTION
        spoken = self._spoken(language)
        words = self._catalogues.choose([spoken])
        subject, introduction = edition.subject or digest.subject, edition.introduction
        if edition.cadence == WELCOME:
            introduction = self._names.text(spoken, introduction)
        elif is_correction and is_notice(introduction):
            subject = words.say("correction", title=edition.subject)
            introduction = fill_notice(introduction, subject)
        content = Content(
            publication=self._publication,
            digest=digest.name,
            title=self._names.text(spoken, digest.title),
            cadence=self._names.cadence(words, edition.cadence),
            period=edition.period,
            dated_at=edition.deadline_at,
            timezone=site.timezone,
            language=spoken,
            subject="",
            preheader=_first_words(introduction) if is_correction else "",
            lead=None,
            sections=(),
            introduction=_introduced(introduction, edition.sponsor, words, site.base_url),
            look=digest.template,
            archive_url=archive_url(site.base_url, edition)
            if digest.is_public and self._settings.web.enabled and edition.cadence not in RESERVED
            else "",
            pictures=pictures,
            counted_url=f"{site.base_url}/counted"
            if self._settings.analytics.counts_clicks and is_counted(edition.name)
            else "",
        )
        day = edition.deadline_at.astimezone(self._settings.zone).date().isoformat()
        topics = edition_topics(self._topics[digest.name], edition.sections)
        blocks = tuple(
            [(one["place"], _introduced(one["text"], "", words, site.base_url)) for one in edition.blocks]
        )
        return _EditionText(content, subject, day, is_correction, topics, blocks)


def _blocks_after(part: int, edition_text: _EditionText, order: SectionOrder) -> tuple[str, ...]:
    """Return the editors' texts that follow a part of a list: 0 is the lead, 1 the first section."""
    if not edition_text.blocks:
        return ()
    shown = [topic for topic, _ in order.sections]
    placed = place_blocks([place for place, _ in edition_text.blocks], shown, edition_text.topics)
    return tuple([html for at, (_, html) in zip(placed, edition_text.blocks, strict=True) if at == part])


def _as_shown(choices: Sequence[Choice], order: SectionOrder) -> Sequence[Choice]:
    """Return choices as their cards show them: a lead does not name the section whose title comes next."""
    if order.sections and choices[0].section == order.sections[0][0]:
        return (choices[0]._replace(section=""), *choices[1:])
    return choices


def _preheader(cards: Sequence[Card]) -> str:
    """Return the preheader, which names the articles after the one in the subject."""
    return " · ".join([card.title for card in cards[1 : 1 + _PREHEADER_TITLES]]) or cards[0].summary


def _first_words(introduction: str) -> str:
    """Return the preheader of a correction: its first words."""
    words = introduction.partition("\n\n")[2].replace("*", "").split()
    return " ".join(words)[:_PREHEADER_CHARACTERS]


def archive_url(base_url: str, edition: Edition) -> str:
    """Return the address of an edition's page in the archive."""
    return f"{base_url}/archive/{edition.digest}/{edition.cadence}/{quote(edition.period)}"


@lru_cache(maxsize=256)
def _subject(form: str, lead: str, title: str, day: str, publication: str) -> str:
    return fill_subject(form, {"title": title, "lead": lead, "date": day, "publication": publication})


def _introduced(introduction: str, sponsor: str, words: Translator, base_url: str) -> str:
    """Return introduction and sponsor's line as HTML; import the Markdown parser only if there are any."""
    if not introduction and not sponsor:
        return ""
    from digest.articles.introductions import introduce, with_sponsor

    return introduce(with_sponsor(introduction, sponsor, words("Advertisement")), base_url)
