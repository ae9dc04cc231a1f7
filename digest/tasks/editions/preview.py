"""Preview an edition with the functions of delivery, without changing anything."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from sqlmodel import Session

from digest.errors import InputError
from digest.mail.rendering.renderer import Rendering
from digest.models import (
    Article,
    Delivery,
    Draft,
    Edition,
    Subscriber,
    Subscription,
)
from digest.models.row import row_id
from digest.rules.editions.cadence import Occurrence
from digest.rules.editions.selection import (
    EVERY_TOPIC,
    Choice,
    Chosen,
)
from digest.rules.editions.shortening import CLIPPED_AT, list_shortened
from digest.rules.readers.address import normalise
from digest.settings import DigestSettings, Settings
from digest.store.articles import articles
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import drafts, variants
from digest.store.readers import subscribers
from digest.tasks.composing.composer import Composer
from digest.tasks.editions.candidates import shape_of
from digest.tasks.editions.coming import next_open
from digest.tasks.editions.fitting import Comparison, Fitter, compare_all
from digest.tasks.editions.reader_edition import choose_for


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose edition is shown: a reader's by address, else that of these topics (none: all) and language."""

    address: str = ""
    topics: tuple[str, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class LastEdition:
    """What a reader got last: the edition's name and its articles' titles, by id."""

    edition: str
    titles: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Preview:
    """The bytes that delivery would send, and the parts inside them.

    `inert` is the same message with links that change nothing for its reader. `shortened` are the articles
    that are shown shorter than the digest's own form, so that the message fits.
    """

    edition: Edition
    chosen: Chosen
    rendering: Rendering
    message: bytes
    inert: bytes
    titles: Mapping[int, str]
    last: LastEdition | None = None
    shortened: tuple[Choice, ...] = ()

    def parts(self, *, inert: bool = False) -> tuple[str, str]:
        """Return the HTML and the text as a mail client decodes them.

        Text alone, as a reader may want it, comes as a page that shows it as it stands.
        """
        html, text = _parts(self.inert if inert else self.message)
        written = text.get_content()
        return html.get_content() if html else f"<!DOCTYPE html>\n<pre>{escape(written)}</pre>\n", written

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the message."""
        return hashlib.sha256(self.message).hexdigest()


def preview(
    database: Database,
    settings: Settings,
    composer: Composer,
    digest: DigestSettings,
    *,
    cadence: str | None,
    view: Viewer,
    at: datetime,
    occurrence: Occurrence | None = None,
    compare: Comparison = compare_all,
) -> Preview:
    """Compose an edition as a reader would get it at a time; raise InputError if it is empty.

    Without an occurrence it is the next edition; without an address, a reader who has got nothing yet. A
    caller that shows many passes what keeps the index of related articles.
    """
    with database.read() as session:
        subscriber, subscription = _reader(session, digest, view, at)
        name = cadence or subscription.cadence
        coming = occurrence or next_open(session, settings, digest, name, at)
        draft = drafts.find_or_new(session, digest.name, name, coming.period)
        edition = _edition(draft, coming, at)
        fewest = digest.fewest(subscription.min_articles) if view.address else 1
        chosen = choose_for(session, digest, subscription, at, draft, fewest)
        if chosen.waits:
            raise InputError(
                f'this reader of "{digest.name}" waits: {chosen.left_out} of {fewest} articles are new'
                f" at {at.isoformat()}, and none has waited long enough (max_wait)"
            )
        if not chosen.choices and not articles.last_id(session):
            raise InputError("there are no articles yet: `digest fetch` reads the sources")
        if not chosen.choices:
            raise InputError(f'nothing is new for this reader of "{digest.name}" at {at.isoformat()}')
        language = subscriber.language or settings.site.language
        composer.renew_sources(session)
        fitter = Fitter(composer, digest, edition, compare)
        chosen = fitter.complete(session, chosen, language, subscription.topics, shape_of(draft).added)
        rendering = composer.render(fitter.variant(chosen, language))
        stored = {choice.article_id: fitter.articles[choice.article_id] for choice in chosen.choices}
        last = _last(session, subscription)
    delivery = Delivery(  # its ids belong to no row: no part of a message depends on them
        id=0, edition_id=0, subscription_id=0, state="planned", due_at=at, changed_at=at, composed_at=at
    )
    job = deliveries.make_job(delivery, subscriber, digest.name)
    return Preview(
        edition, chosen, rendering,
        composer.compose_rendering(edition, rendering, job, at).content,
        composer.compose_inert(edition, rendering, job, at),
        _titles(stored), last, tuple(list_shortened(chosen, digest.form)),
    )  # fmt: skip


def choose_shown(
    session: Session, digest: DigestSettings, view: Viewer, at: datetime, draft: Draft
) -> Chosen:
    """Return what a reader would get of a draft, before anything is shortened."""
    _, subscription = _reader(session, digest, view, at)
    return choose_for(session, digest, subscription, at, draft)


def describe(shown: Preview) -> dict[str, Any]:
    """Return the facts of a preview in a form that JSON can hold."""
    html, text = _parts(shown.message)
    encoded = len(str(html.get_payload()).encode()) if html else 0
    decoded = len(html.get_content().encode()) if html else 0
    ids = [choice.article_id for choice in shown.chosen.choices]
    before = shown.last.titles if shown.last else {}
    forms = Counter(choice.form.value for choice in shown.chosen.choices)
    return {
        "edition": str(shown.edition.name),
        "subject": shown.rendering.subject,
        "articles": ids,
        "forms": dict(forms),
        "shortened": [c.article_id for c in shown.shortened],
        "related": list(shown.chosen.related),
        "left_out": shown.chosen.left_out,
        "bytes": len(shown.message),
        "html_bytes": max(encoded, decoded),
        "text_bytes": len(text.get_content().encode()),
        "clipped_at": CLIPPED_AT,
        "is_clipped": max(encoded, decoded) >= CLIPPED_AT,
        "sha256": shown.digest,
        "last_edition": shown.last.edition if shown.last else None,
        "new": [key for key in ids if key not in before],
        "gone": [key for key in before if key not in ids],
    }


def _parts(message: bytes) -> tuple[Any, Any]:
    from email import message_from_bytes, policy  # here: sending imports this module, and parses nothing

    parsed = message_from_bytes(message, policy=policy.default)
    html, text = parsed.get_body(("html",)), parsed.get_body(("plain",))
    assert text is not None  # noqa: S101 - as composed
    return html, text


def _titles(stored: Mapping[int, Article]) -> dict[int, str]:
    return {key: article.title for key, article in stored.items()}


def _last(session: Session, subscription: Subscription) -> LastEdition | None:
    found = subscription.id and variants.find_last_of(session, subscription.id)
    if not found:
        return None
    edition, choices = found
    stored = articles.get_articles(session, [choice.article_id for choice in choices])
    return LastEdition(str(edition.name), _titles(stored))


def _reader(
    session: Session, digest: DigestSettings, view: Viewer, at: datetime
) -> tuple[Subscriber, Subscription]:
    if not view.address:
        anyone = Subscriber(
            public_id="a" * 26, address="reader@example.org", address_key="", created_at=at,
            language=view.language or None,
        )  # fmt: skip
        return anyone, Subscription(
            subscriber_id=0,
            digest=digest.name,
            cadence=digest.default_cadence,
            topics={topic: at.isoformat() for topic in view.topics or (EVERY_TOPIC,)},
            created_at=at,
        )
    subscriber = subscribers.find_subscriber(session, normalise(view.address).key)
    found = subscribers.find_subscription(session, row_id(subscriber), digest.name) if subscriber else None
    if subscriber is None or found is None:
        raise InputError(f'"{view.address}" has no subscription to "{digest.name}"')
    return subscriber, found


def _edition(draft: Draft, occurrence: Occurrence, at: datetime) -> Edition:
    return Edition(
        digest=draft.digest,
        cadence=draft.cadence,
        period=occurrence.period,
        deadline_at=occurrence.deadline_at,
        freeze_at=at,
        subject=draft.subject,
        introduction=draft.introduction,
        sections=draft.sections,
        changes=draft.changes,
        sponsor=draft.sponsor,
        blocks=draft.blocks,
    )
