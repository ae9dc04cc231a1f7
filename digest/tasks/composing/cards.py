"""Cards: how editions show articles; each is made once and cached with its encoded pieces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from digest.bounded_cache import BoundedCache
from digest.mail.assembly import CardPieces
from digest.mail.rendering.content import Card, Elsewhere
from digest.mail.rendering.language_tags import direction, strong_direction
from digest.mail.rendering.names import Names
from digest.models import Article, EditionName, Form
from digest.models.row import row_id
from digest.rules.editions.selection import Choice
from digest.rules.tokens import click_links, mail_tokens
from digest.settings import Settings, SourceSettings
from digest.store.articles.duplicates import OtherSource
from digest.store.articles.images import Copy
from digest.tasks.composing.article_images import NO_IMAGES, image_policy, show_images

_WORDS_A_MINUTE = 230
_KEPT_CARDS = 2_000
_MOST_ELSEWHERE = 3


@dataclass(frozen=True, slots=True)
class CachedCard:
    """A card, the values that it was made from, and its encoded pieces."""

    article: Article
    other_sources: Sequence[OtherSource]
    copy: Copy | None
    card: Card
    pieces: CardPieces


class Cards:
    """Makes the cards of articles; returns the same object as long as nothing that it shows has changed.

    `card_of(article 7, Choice(7, Form.SUMMARY, "world"), (), None, "en").card` is `Card(id=7, title="The
    bridge reopens", section="World", ...)`.
    """

    def __init__(
        self, settings: Settings, names: Names, sources: Sequence[SourceSettings] | None = None
    ) -> None:
        sources = settings.sources if sources is None else sources
        self._names = names
        self._language = settings.site.language
        self._source_titles = {source.name: source.title or source.name for source in sources}
        self._images = image_policy(settings, sources)
        self._reply = _ReplyLinks(settings)
        self._counts = settings.analytics.counts_clicks
        self._base_url, self._keys = settings.site.base_url, settings.web.signing_keys
        self._cards = BoundedCache[tuple[object, ...], CachedCard](_KEPT_CARDS)

    def card_of(
        self,
        article: Article,
        choice: Choice,
        other_sources: Sequence[OtherSource],
        copy: Copy | None,
        language: str,
        edition: EditionName | None = None,
        *,
        pictures: bool = True,
    ) -> CachedCard:
        """Return an article's card for a choice; `language` is that of its section's name.

        Where clicks are counted, its link is that of the edition; else all editions have the same card.
        """
        counted = edition if self._counts and edition and click_links.is_counted(edition) else None
        key = (
            choice.article_id, choice.form, choice.section, language if choice.section else "", pictures,
            counted,
        )  # fmt: skip
        known = self._cards.get(key)
        if (
            known is None
            or known.article is not article
            or known.other_sources != other_sources
            or known.copy != copy
        ):
            card = self._make(article, choice, other_sources, language)
            card = show_images(self._images if pictures else NO_IMAGES, card, article, copy)
            if counted is not None:
                number, url = choice.article_id, card.url
                link = click_links.write_click_link(self._base_url, self._keys, counted, number, url)
                card = replace(card, url=link)
            pieces = CardPieces(card)
            if known is not None and known.card == card:
                card, pieces = (
                    known.card,
                    known.pieces,
                )  # an identical object is found faster than an equal one
            known = self._cards[key] = CachedCard(article, other_sources, copy, card, pieces)
        return known

    def _make(
        self, article: Article, choice: Choice, other_sources: Sequence[OtherSource], language: str
    ) -> Card:
        links = {
            one.source: Elsewhere(self._source_titles.get(one.source, one.source), one.url)
            for one in other_sources
        }
        also_at = tuple(links.values())[:_MOST_ELSEWHERE]
        section, reply_url = self._names.topic(language, choice.section), self._reply.link_of(article)
        return to_card(article, choice.form, self._language, also_at, section, reply_url)


class _ReplyLinks:
    """Makes the links with which readers write to the editors about an article (`[look] reply_link`)."""

    def __init__(self, settings: Settings) -> None:
        self._inbound, self._keys = settings.inbound, settings.web.signing_keys
        self._shown = settings.look.reply_link and bool(settings.inbound.address)

    def link_of(self, article: Article) -> str:
        """Return the mailto URL for letters about an article (RFC 6068); "" if no link is shown."""
        if not self._shown:
            return ""
        token = mail_tokens.sign_number(self._keys, mail_tokens.ARTICLE, row_id(article))
        subject = quote(f"Re: {article.title}"[:120], safe="")
        return f"{self._inbound.mailto(token)}?subject={subject}"


def to_card(
    article: Article,
    form: Form,
    language: str,
    also_at: tuple[Elsewhere, ...] = (),
    section: str = "",
    reply_url: str = "",
) -> Card:
    """Return the card of a stored article; `language` is assumed if the article states none."""
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
        language=article.language or _assumed(language, article.title),
        also_at=also_at,
        section=section,
        reply_url=reply_url,
        reading_minutes=max(1, round(article.word_count / _WORDS_A_MINUTE)) if article.word_count else 0,
    )


def _assumed(language: str, title: str) -> str:
    """Return the language of an article that states none; "" if its script runs in the other direction."""
    return language if strong_direction(title) in ("", direction(language)) else ""
