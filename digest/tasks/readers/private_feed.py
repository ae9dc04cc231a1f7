"""A reader's own digest as a feed: the articles that the ledger has for them, in the order of their editions.

The feed's URL is shown only behind a one-hour link. It reveals the digest's content and nothing about the
reader, and ends with the subscription.
"""

from dataclasses import dataclass
from datetime import datetime

from digest.models import Article, Edition, SubscriptionState
from digest.models.row import row_id
from digest.rules.tokens import tokens
from digest.settings import DigestSettings
from digest.store.editions import snapshots, variants
from digest.store.readers import subscribers
from digest.tasks.readers.readers import Readers, find_linked

LENGTH = 20
"""The number of editions in a feed."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An edition as the reader has it, without articles that were withdrawn since."""

    edition: Edition
    articles: tuple[Article, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PrivateFeed:
    """One reader's digest; `language` is the reader's choice, None if there is none."""

    digest: DigestSettings
    language: str | None
    entries: tuple[FeedEntry, ...]


def sign_feed(readers: Readers, public_id: str, digest: str) -> str:
    """Return the token of the feed of a subscription."""
    return tokens.sign(readers.signing_keys, tokens.FEED, public_id, digest)


def find_feed(readers: Readers, token: str) -> PrivateFeed | None:
    """Return the feed that a token opens; None if we did not sign it, or its reader is not active."""
    with readers.database.read() as session:
        row = find_linked(session, readers, tokens.FEED, token)
        digest = readers.find_digest(row.digest) if row else None
        if row is None or digest is None or row.state != SubscriptionState.CONFIRMED:
            return None
        language = subscribers.get_subscriber(session, row.subscriber_id).language
        entries = []
        for found in variants.list_counted(session, row_id(row), LENGTH):
            edition, numbers = found.edition, [choice.article_id for choice in found.chosen.choices]
            known = snapshots.articles_of(session, row_id(edition), numbers)
            shown = [known[number] for number in numbers if number in known]
            standing = tuple(article for article in shown if article.withdrawn_at is None)
            made_at = edition.frozen_at or edition.freeze_at
            changed = [at for article in shown if (at := article.withdrawn_at) is not None]
            entries.append(FeedEntry(edition, standing, max([made_at, *changed])))
    return PrivateFeed(digest, language, tuple(entries))
