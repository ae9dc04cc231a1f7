"""The size of a publication."""

from dataclasses import dataclass

from sqlmodel import Session

from digest.store.articles import articles
from digest.store.editions import variants
from digest.store.readers import subscribers


@dataclass(frozen=True, slots=True)
class PublicationSize:
    """Articles, readers, and the distinct lists of articles of all editions."""

    articles: int
    readers: int
    variants: int


def measure_publication(session: Session) -> PublicationSize:
    """Count a publication's articles, readers and variants."""
    return PublicationSize(
        articles.count_articles(session),
        sum(1 for _ in subscribers.list_subscribers(session)),
        variants.count_variants(session),
    )
