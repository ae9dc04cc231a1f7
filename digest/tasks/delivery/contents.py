"""What messages are rendered from: an edition's own words, and the cards of a list of articles."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from digest.mail.content import Card, Content, Elsewhere, Publication, Section
from digest.models import Article, Edition, Form
from digest.models.cadence import CORRECTION
from digest.rules.selection import Choice
from digest.settings import Settings
from digest.store.folds import Retold
from digest.store.pictures import Copy
from digest.tasks.delivery.variants import Listing
from digest.tasks.showing import Showing

_WORDS_A_MINUTE = 230
_KEPT_CARDS = 2_000
_KEPT_EDITIONS = 32
_PREHEADER_TITLES = 3
_PREHEADER_SIGNS = 120
_MOST_ELSEWHERE = 3


@dataclass(frozen=True, slots=True)
class _Begun:
    """What all lists of an edition share in a language: `content` has no articles and no subject yet.

    A notice of correction has no articles, and says its own; of any other the subject may name the first one.
    """

    content: Content
    subject: str
    day: str
    is_correction: bool

    def headline(self, cards: Sequence[Card]) -> tuple[str, str]:
        """Give the subject and the preheader."""
        if self.is_correction:
            return self.subject, self.content.preheader
        shared = self.content
        named = cards[0].title, shared.title, self.day, shared.publication.name
        return _subject(self.subject, *named), _preheader(cards)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A card, and what it was made of."""

    article: Article
    told: Sequence[Retold]
    copy: Copy | None
    card: Card


class Contents:
    """Gives what is rendered; cards, and what an edition's lists share, are made once and kept."""

    def __init__(self, settings: Settings, speaks: Callable[[str], bool]) -> None:
        self._settings = settings
        self._speaks = speaks
        self._titles = {source.name: source.title or source.name for source in settings.sources}
        self._topics = {digest.name: digest.topics for digest in settings.digests}
        site = settings.site
        self._publication = Publication(site.name, site.base_url, site.postal_address)
        self._showing = Showing.by(settings)
        self._cards: dict[tuple[int, Form, str], _Shown] = {}
        self._begun: OrderedDict[tuple[object, ...], _Begun] = OrderedDict()

    def of(self, listing: Listing) -> Content:
        """Give what a list of articles is rendered from."""
        begun, chosen = self._begin(listing.edition, listing.language), listing.chosen
        articles, told, copies = listing.articles, listing.told, listing.copies
        cards = [
            self._card(articles[at], choice, told.get(at, ()), copies.get(at))
            for choice in chosen.choices
            for at in (choice.article_id,)
        ]
        subject, preheader = begun.headline(cards)
        shared = begun.content
        # Field by field: `replace` takes twice as long, and every reader may have another list.
        return Content(
            publication=shared.publication,
            digest=shared.digest,
            title=shared.title,
            cadence=shared.cadence,
            period=shared.period,
            dated_at=shared.dated_at,
            timezone=shared.timezone,
            language=shared.language,
            subject=subject,
            preheader=preheader,
            lead=cards[0] if cards else None,
            sections=_sections(chosen.choices[1:], cards[1:], self._topics[shared.digest]),
            related=tuple(self._named(listing)) if chosen.related else (),
            left_out=chosen.left_out,
            introduction=shared.introduction,
            look=shared.look,
            archive_url=shared.archive_url,
        )

    def _named(self, listing: Listing) -> Iterator[Card]:
        for article in listing.related:
            number = article.id or 0
            yield self._card(article, Choice(number, Form.TITLE, ""), (), listing.copies.get(number))

    def _begin(self, edition: Edition, language: str) -> _Begun:
        key = (
            edition.digest, edition.cadence, edition.period, edition.freeze_at, edition.deadline_at,
            edition.subject, edition.introduction, language,
        )  # fmt: skip
        begun = self._begun.get(key)
        if begun is None:
            begun = self._begun[key] = self._make(edition, language)
            if len(self._begun) > _KEPT_EDITIONS:
                self._begun.popitem(last=False)
        return begun

    def _make(self, edition: Edition, language: str) -> _Begun:
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
        return _Begun(content, subject, day, is_correction)

    def _card(self, article: Article, choice: Choice, told: Sequence[Retold], copy: Copy | None) -> Card:
        """Give an article's card, the same one as long as it, its picture and who else tells it are."""
        key = choice.article_id, choice.form, choice.section
        known = self._cards.get(key)
        if known is None or known.article is not article or known.told != told or known.copy != copy:
            if len(self._cards) >= _KEPT_CARDS:
                self._cards.clear()
            card = self._showing.on(self._drawn_up(article, choice, told), article, copy)
            if known is not None and known.card == card:
                card = known.card  # the same is found faster than an equal one
            known = self._cards[key] = _Shown(article, told, copy, card)
        return known.card

    def _drawn_up(self, article: Article, choice: Choice, told: Sequence[Retold]) -> Card:
        links = {one.source: Elsewhere(self._titles.get(one.source, one.source), one.url) for one in told}
        also_at, language = tuple(links.values())[:_MOST_ELSEWHERE], self._settings.site.language
        return to_card(article, choice.form, language, also_at, _title_of(choice.section))


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


def _preheader(cards: Sequence[Card]) -> str:
    """Give what an inbox shows beside the subject, which names the first article: the next ones."""
    return " · ".join([card.title for card in cards[1 : 1 + _PREHEADER_TITLES]]) or cards[0].summary


def _first_words(introduction: str) -> str:
    """Give what an inbox shows beside the subject of a notice of correction."""
    words = introduction.partition("\n\n")[2].replace("*", "").split()
    return " ".join(words)[:_PREHEADER_SIGNS]


def _sections(choices: Sequence[Choice], cards: Sequence[Card], order: Sequence[str]) -> tuple[Section, ...]:
    """Put the cards under their topics, in the digest's order; topics that it does not have come last."""
    found: dict[str, list[Card]] = {}
    for choice, card in zip(choices, cards, strict=True):
        found.setdefault(choice.section, []).append(card)
    topics = sorted(found, key=lambda topic: order.index(topic) if topic in order else len(order))
    return tuple([Section(_title_of(topic), tuple(found[topic])) for topic in topics])


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
