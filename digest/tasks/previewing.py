"""Show an edition before it is made: the functions of delivery, and nothing is changed."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy

from sqlmodel import Session

from digest.errors import InputError
from digest.mail.rendering import Rendering
from digest.models import (
    Delivery,
    Edition,
    Subscriber,
    Subscription,
)
from digest.rules import cadence as calendar
from digest.rules.address import normalise
from digest.rules.selection import EVERY_TOPIC, Chosen, choose, settle_topics, since, unsettle_topics
from digest.settings import DigestSettings, Settings
from digest.store import articles, deliveries, editions, folds, pictures, subscribers
from digest.store.database import Database
from digest.tasks.choosing import candidates
from digest.tasks.compiling import BEGINNING, limits_of
from digest.tasks.delivery.composing import Composer
from digest.tasks.delivery.variants import copied_by, told_by


@dataclass(frozen=True, slots=True)
class Preview:
    """The very bytes that delivery would hand over, and the parts inside them."""

    edition: Edition
    chosen: Chosen
    rendering: Rendering
    message: bytes

    def parts(self) -> tuple[str, str]:
        """Give the HTML and the text as a mail program decodes them."""
        parsed = message_from_bytes(self.message, policy=policy.default)
        html, text = parsed.get_body(("html",)), parsed.get_body(("plain",))
        assert html is not None and text is not None  # noqa: S101, PT018 - as composed
        return html.get_content(), text.get_content()


def preview(
    database: Database,
    settings: Settings,
    composer: Composer,
    digest: DigestSettings,
    *,
    cadence: str | None,
    address: str | None,
    at: datetime,
) -> Preview:
    """Compose the next edition as a reader would get it at a time; raise InputError where it is empty.

    Without an address: as a reader who has every topic and got nothing yet.
    """
    with database.read() as session:
        subscriber, subscription = _reader(session, digest, address, at)
        name = cadence or subscription.cadence
        edition = _next_edition(session, settings, digest, name, at)
        chosen = _choose(session, digest, subscription, at)
        if not chosen.choices:
            raise InputError(f'nothing is new for this reader of "{digest.name}" at {at.isoformat()}')
        language = subscriber.language or settings.site.language
        stored = articles.get_articles(session, [choice.article_id for choice in chosen.choices])
        told = told_by(folds.list_told(session, list(stored)), at)
        copies = copied_by(pictures.copies_of(session, list(stored)), at)
        rendering = composer.render(edition, chosen.choices, stored, language, chosen.left_out, told, copies)
    delivery = Delivery(
        edition_id=0, subscription_id=0, state="planned", due_at=at, changed_at=at, composed_at=at
    )
    job = deliveries.make_job(delivery, subscriber, digest.name)
    return Preview(edition, chosen, rendering, composer.letter(edition, rendering, job, at).content)


def _reader(
    session: Session, digest: DigestSettings, address: str | None, at: datetime
) -> tuple[Subscriber, Subscription]:
    if address is None:
        anyone = Subscriber(public_id="a" * 26, address="reader@example.org", address_key="", created_at=at)
        return anyone, Subscription(
            subscriber_id=0,
            digest=digest.name,
            cadence=digest.default_cadence,
            topics={EVERY_TOPIC: at.isoformat()},
            created_at=at,
        )
    subscriber = subscribers.find_subscriber(session, normalise(address).key)
    found = subscribers.find_subscription(session, subscriber.id or 0, digest.name) if subscriber else None
    if subscriber is None or found is None:
        raise InputError(f'"{address}" has no subscription to "{digest.name}"')
    return subscriber, found


def _next_edition(
    session: Session, settings: Settings, digest: DigestSettings, cadence: str, at: datetime
) -> Edition:
    recurrence = digest.cadence(cadence)
    occurrence = calendar.current(recurrence, at, settings.zone)
    while editions.find_edition(session, digest.name, cadence, occurrence.period) is not None:
        occurrence = calendar.following(recurrence, max(at, occurrence.deadline_at), settings.zone)
    return Edition(
        digest=digest.name,
        cadence=cadence,
        period=occurrence.period,
        deadline_at=occurrence.deadline_at,
        freeze_at=at,
    )


def _choose(session: Session, digest: DigestSettings, subscription: Subscription, at: datetime) -> Chosen:
    history = frozenset[int]()
    if subscription.id is not None:
        history = deliveries.history_of(session, subscription.id)
    found = candidates(session, seen_from=at - digest.carry, seen_to=at)
    settled = settle_topics(since(subscription.topics, digest.lookback), at, digest.carry)
    topics = unsettle_topics(settled, BEGINNING)
    return choose(found, topics, history, at, limits_of(digest))
