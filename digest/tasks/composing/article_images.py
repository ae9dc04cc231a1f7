"""The image that an article is shown with, in messages and in the archive alike."""

from collections.abc import Iterable
from dataclasses import replace

from digest.mail.rendering.content import Card
from digest.models import Article
from digest.rules.articles.images import ImagePolicy, host_of
from digest.settings import Settings, SourceSettings
from digest.store.articles.images import Copy

NO_IMAGES = ImagePolicy("none", "", frozenset())
"""For readers who want no pictures."""


def image_policy(settings: Settings, sources: Iterable[SourceSettings]) -> ImagePolicy:
    """Return the image policy that the settings state, with these sources."""
    homes = [host_of(settings.site.base_url), *(host_of(source.url) for source in sources)]
    hosts = frozenset({*homes, *settings.site.image_hosts})
    return ImagePolicy(settings.site.images, settings.site.base_url, hosts)


def image_url_of(policy: ImagePolicy, article: Article, copy: Copy | None) -> str:
    """Return the URL of the image that may be shown for an article; "" if none may."""
    return policy.image_of(article, copy.name if copy is not None else None)


def show_images(policy: ImagePolicy, card: Card, article: Article, copy: Copy | None) -> Card:
    """Return a card with the image that may be shown, and without images in its text that may not be
    linked."""
    url = image_url_of(policy, article, copy) or None
    return replace(card, image_url=url, html=policy.keep_in_text(article, card.html))
