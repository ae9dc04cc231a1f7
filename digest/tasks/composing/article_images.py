"""Which picture an article is shown with, in messages and in the archive alike."""

from dataclasses import dataclass, replace

from digest.mail.rendering.content import Card
from digest.models import Article
from digest.rules.articles.images import host_of, is_own, keep_pictures
from digest.settings import Settings
from digest.store.articles.images import Copy


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """Decides which picture an article is shown with: linked, copied, or none; never a third party's."""

    images: str
    base_url: str
    hosts: frozenset[str]

    @classmethod
    def by(cls, settings: Settings) -> "ImagePolicy":
        """Read the settings."""
        homes = [host_of(settings.site.base_url), *(host_of(source.url) for source in settings.sources)]
        return cls(
            settings.site.images, settings.site.base_url, frozenset({*homes, *settings.site.image_hosts})
        )

    def on(self, card: Card, article: Article, copy: Copy | None) -> Card:
        """Give a card with the picture that may be shown, and with those in its text that are linked."""
        url = self.of(article, copy) or None
        return replace(card, image_url=url, html=self.in_text(article, card.html))

    def of(self, article: Article, copy: Copy | None) -> str:
        """Give where an article's picture is to be had; empty where none may be shown."""
        if not article.image_url or self.images == "none":
            return ""
        if self.images == "copy":
            return f"{self.base_url}/images/{copy.name}.jpg" if copy is not None else ""
        return article.image_url if is_own(article.image_url, self._homes(article)) else ""

    def in_text(self, article: Article, html: str) -> str:
        """Give an article's text with the pictures that are linked; of those inside no copies are made."""
        if "<img" not in html:
            return html
        homes = self._homes(article)
        return keep_pictures(html, lambda url: self.images == "link" and is_own(url, homes))

    def _homes(self, article: Article) -> frozenset[str]:
        return self.hosts | {host_of(article.url)}
