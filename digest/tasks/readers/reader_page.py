"""All of a reader's choices and data, behind a link that is mailed to the address and works for an hour.

The links in messages work for ever and travel with every forwarded digest, so they disclose nothing. Whatever
discloses data (which digests, the address, the record of consent) or cannot be undone needs this link.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.errors import InputError
from digest.models import (
    SUBSCRIBED,
    Act,
    MailForm,
    NoticeKind,
    ReaderNotice,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.address import Address, normalise
from digest.rules.tokens import tokens
from digest.settings import DigestSettings
from digest.store.readers import notices, subscribers, used_tokens
from digest.tasks.readers import privacy
from digest.tasks.readers.private_feed import sign_feed
from digest.tasks.readers.readers import Origin, Readers, begin, end, find_linked, record_consent
from digest.tasks.readers.rhythm import UNCHANGED, Rhythm, set_rhythm
from digest.tasks.readers.sign_up import Choices, check_choices, check_form, check_most

LINK_LIFE = timedelta(hours=1)
MOVE_LIFE = timedelta(days=1)
MOST_LINKS, LINKS_IN = 3, timedelta(hours=24)
_NOBODY = 0  # no row has this id


@dataclass(frozen=True, slots=True)
class DigestChoice:
    """One digest as the reader has it; `state` is None if they never subscribed.

    `feed` is the token of the private feed.
    """

    digest: DigestSettings
    state: SubscriptionState | None
    cadence: str
    hour: int | None
    topics: tuple[str, ...]
    paused_until: datetime | None
    most: int | None = None
    feed: str = ""
    breaking: bool = False
    fewest: int | None = None
    quiet: str | None = None
    form: str = MailForm.PICTURES

    @property
    def is_active(self) -> bool:
        """Return whether the reader gets it, now or after a pause."""
        return self.state in SUBSCRIBED


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """What the page shows; `typed` has the fields of a form that came after an earlier link had expired."""

    address: str
    name: str
    language: str | None
    timezone: str | None
    digests: tuple[DigestChoice, ...]
    typed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader wants of one digest; `pause` is None to leave the pause as it is."""

    is_wanted: bool
    choices: Choices
    hour: int | None = None
    most: int | None = None
    form: str = MailForm.PICTURES
    rhythm: Rhythm = UNCHANGED
    paused: bool | None = None
    until: datetime | None = None


def request_link(readers: Readers, address: str, origin: Origin, now: datetime) -> None:
    """Plan a link to an address's own page, if a reader has that address; the answer reveals nothing.

    At most three links a day. The row is written in any case, and rolled back if no message is to be sent, so
    that the time reveals nothing either. Raise InputError for an invalid address.
    """
    found = normalise(address)
    with readers.database.write() as session:
        subscriber = subscribers.find_subscriber(session, found.key)
        _plan_link(session, subscriber, origin, now)


def request_link_by(readers: Readers, action: str, token: str, origin: Origin, now: datetime) -> None:
    """Plan a link for the reader of a message's link; it goes to their address and nowhere else."""
    with readers.database.write() as session:
        row = find_linked(session, readers, action, token)
        _plan_link(
            session, subscribers.get_subscriber(session, row.subscriber_id) if row else None, origin, now
        )


def request_link_again(
    readers: Readers, token: str, typed: Iterable[tuple[str, str]], origin: Origin, now: datetime
) -> None:
    """Plan a new link for the reader of one that has expired; its page shows what was typed.

    The link goes to the reader's address and nowhere else, at most three times a day.
    """
    with readers.database.write() as session:
        notice = notices.find_notice(session, tokens.hash_token(token))
        is_link = notice is not None and notice.kind == NoticeKind.LINK
        subscriber = subscribers.get_subscriber(session, notice.subscriber_id) if notice and is_link else None
        _plan_link(session, subscriber, origin, now, typed)


def _plan_link(
    session: Session,
    subscriber: Subscriber | None,
    origin: Origin,
    now: datetime,
    typed: Iterable[tuple[str, str]] = (),
) -> None:
    """Plan a link for a reader who confirmed something; an unknown address takes the same queries."""
    number = _NOBODY if subscriber is None else row_id(subscriber)
    requested = notices.list_requested(session, number, NoticeKind.LINK, now - LINKS_IN)
    rows = subscribers.list_subscriptions(session, number)
    if subscriber is None or subscriber.erased_at or len(requested) >= MOST_LINKS:
        return
    if any(row.confirmed_at is not None for row in rows):
        notices.plan_notice(session, subscriber, NoticeKind.LINK, now, origin, typed=typed)


def find_language(readers: Readers, token: str) -> str | None:
    """Return the language of the reader whom a link was mailed to, even if it has expired; else None."""
    with readers.database.read() as session:
        notice = notices.find_notice(session, tokens.hash_token(token))
        return subscribers.get_subscriber(session, notice.subscriber_id).language if notice else None


def find_page(readers: Readers, token: str, now: datetime) -> ReaderPage | None:
    """Return what a one-hour link opens; None if it has expired or we did not make it."""
    with readers.database.read() as session:
        found = _find_link(session, token, now)
        if found is None:
            return None
        notice, subscriber = found
        rows = {row.digest: row for row in subscribers.list_subscriptions(session, row_id(subscriber))}
    choices = tuple(
        replace(
            _show(digest, rows.get(digest.name)), feed=sign_feed(readers, subscriber.public_id, digest.name)
        )
        for digest in readers.settings.digests
    )
    typed = tuple((name, value) for name, value in notice.typed or ())
    return ReaderPage(
        subscriber.address, subscriber.name, subscriber.language, subscriber.timezone, choices, typed
    )


def _show(digest: DigestSettings, row: Subscription | None) -> DigestChoice:
    if row is None:
        return DigestChoice(digest, None, digest.default_cadence, None, (), None)
    topics = consent.list_topics(row.topics)
    state, until = SubscriptionState(row.state), row.paused_until
    return DigestChoice(
        digest, state, row.cadence, row.hour, topics, until, row.max_articles, form=row.mail_form,
        breaking=row.breaking, fewest=row.min_articles, quiet=row.quiet,
    )  # fmt: skip


def save_page(
    readers: Readers,
    token: str,
    wishes: Mapping[str, Wish],
    now: datetime,
    origin: Origin,
    *,
    name: str,
    language: str | None,
    timezone: str | None,
    wordings: Mapping[str, str],
    spoken: str,
) -> bool:
    """Store what a reader chose on their page; return False if the link has expired.

    A digest that is ticked and not active becomes active: the link proves that the address's holder asks.
    `wordings` has the sentence shown with each digest. Raise InputError for what a digest does not offer;
    then nothing is changed.
    """
    with readers.database.write() as session:
        found = _find_link(session, token, now)
        if found is None:
            return False
        notice, subscriber = found
        notices.forget_typed(session, notice)
        subscribers.change_details(session, subscriber, name=name, language=language, timezone=timezone)
        for digest in readers.settings.digests:
            wish = wishes.get(digest.name)
            if wish is not None:
                row = subscribers.find_subscription(session, row_id(subscriber), digest.name)
                agreed = wordings.get(digest.name, ""), spoken
                _apply(session, digest, subscriber, row, wish, now, origin, agreed)
    return True


def _apply(
    session: Session,
    digest: DigestSettings,
    subscriber: Subscriber,
    row: Subscription | None,
    wish: Wish,
    now: datetime,
    origin: Origin,
    agreed: tuple[str, str],
) -> None:
    if not wish.is_wanted:
        if row is not None:
            end(session, row, now, origin)
        return
    wanted = check_choices(digest, wish.choices)
    check_most(digest, wish.most)
    form = check_form(wish.form)
    if wish.hour is not None and not 0 <= wish.hour <= 23:
        raise InputError(f'"{wish.hour}" is not an hour: pick 0 to 23')
    if row is None or row.state not in SUBSCRIBED:
        row = row or Subscription(
            subscriber_id=row_id(subscriber), digest=digest.name, cadence=wanted.cadence, created_at=now
        )
        row.cadence, row.hour = wanted.cadence, wish.hour
        row.topics, row.max_articles = consent.choose_topics({}, wanted.topics, now), wish.most
        row.mail_form = form
        begin(session, digest, row, now)
        set_rhythm(session, digest, row, wish.rhythm)
        record_consent(session, row, Act.CONFIRMED, now, origin, *agreed)
        return
    topics = consent.choose_topics(row.topics, wanted.topics, now)
    changed = {**origin, "cadence": wanted.cadence, "topics": ";".join(topics)}
    if subscribers.change_choices(session, row, cadence=wanted.cadence, topics=topics, hour=wish.hour):
        record_consent(session, row, Act.CHANGED, now, changed)
    if subscribers.change_most(session, row, wish.most):
        record_consent(session, row, Act.CHANGED, now, {**origin, "max_articles": str(wish.most or "all")})
    if subscribers.change_form(session, row, form):
        record_consent(session, row, Act.CHANGED, now, {**origin, "form": form})
    if chosen := set_rhythm(session, digest, row, wish.rhythm):
        record_consent(session, row, Act.CHANGED, now, {**origin, **chosen})
    _pause(session, row, wish, now, origin)


def _pause(session: Session, row: Subscription, wish: Wish, now: datetime, origin: Origin) -> None:
    state = SubscriptionState.PAUSED if wish.paused else SubscriptionState.CONFIRMED
    if wish.paused is None or (row.state == state and row.paused_until == wish.until):
        return
    row.paused_until = wish.until
    subscribers.change_state(session, row, state, now)
    until = wish.until.isoformat() if wish.until else "until resumed"
    record_consent(
        session, row, Act.CHANGED, now, {**origin, "paused_until": until if wish.paused else "now"}
    )


def export(readers: Readers, token: str, now: datetime) -> dict[str, object] | None:
    """Return all that is stored about the reader of a one-hour link (GDPR, articles 15 and 20)."""
    page = find_page(readers, token, now)
    return privacy.show(readers, page.address) if page else None


def erase(readers: Readers, token: str, now: datetime) -> bool:
    """Erase the reader of a one-hour link (GDPR, article 17)."""
    page = find_page(readers, token, now)
    if page is None:
        return False
    privacy.erase(readers, page.address, now)
    return True


def request_move(readers: Readers, token: str, address: str, origin: Origin, now: datetime) -> bool:
    """Plan the message that confirms a new address; return False if the link has expired.

    Whether another reader has the address is not revealed. Raise InputError for an invalid address.
    """
    found = normalise(address)
    with readers.database.write() as session:
        linked = _find_link(session, token, now)
        if linked is None:
            return False
        _, subscriber = linked
        since = now - LINKS_IN
        requested = notices.list_requested(session, row_id(subscriber), NoticeKind.MOVE, since)
        if found.key != subscriber.address_key and len(requested) < MOST_LINKS:
            notices.plan_notice(session, subscriber, NoticeKind.MOVE, now, origin, address=found.address)
    return True


def find_move(readers: Readers, token: str, now: datetime) -> str | None:
    """Return the new address that a link confirms, without changing anything."""
    with readers.database.read() as session:
        notice = _find_open(session, token, NoticeKind.MOVE, now)
        return notice.address if notice and notice.used_at is None else None


def move(readers: Readers, token: str, now: datetime, origin: Origin) -> bool:
    """Move a reader to the address that a link confirms; return False if it has been used or is refused."""
    with readers.database.write() as session:
        notice = _find_open(session, token, NoticeKind.MOVE, now)
        subscriber = subscribers.get_subscriber(session, notice.subscriber_id) if notice else None
        if notice is None or subscriber is None or subscriber.erased_at or notice.used_at is not None:
            return False
        if not used_tokens.use_token(session, notice, now):
            return False
        return move_to(session, readers, subscriber, normalise(notice.address), now, origin)


def move_to(
    session: Session, readers: Readers, subscriber: Subscriber, found: Address, now: datetime, origin: Origin
) -> bool:
    """Change a reader's address and plan a notice to the old one; return False if the new one is refused.

    Subscriptions, ledger and record of consent stay with the reader. An address that is another reader's, or
    that an operator suppressed, is refused.
    """
    banned = subscribers.find_suppression(session, readers.hash_address(found.key))
    barred = banned is not None and not consent.lifted_by_confirming(banned.reason)
    if barred or subscribers.find_subscriber(session, found.key) is not None:
        return False
    subscribers.lift_suppression(session, readers.hash_address(found.key))
    notices.plan_notice(session, subscriber, NoticeKind.MOVED, now, origin)
    subscriber.address, subscriber.address_key = found.address, found.key
    session.add(subscriber)
    for row in subscribers.list_subscriptions(session, row_id(subscriber)):
        record_consent(session, row, Act.CHANGED, now, {**origin, "address": "changed"})
    return True


def _find_link(session: Session, token: str, now: datetime) -> tuple[ReaderNotice, Subscriber] | None:
    notice = _find_open(session, token, NoticeKind.LINK, now)
    found = subscribers.get_subscriber(session, notice.subscriber_id) if notice else None
    return (notice, found) if notice and found and found.erased_at is None else None


def _find_open(session: Session, token: str, kind: NoticeKind, now: datetime) -> ReaderNotice | None:
    notice = notices.find_notice(session, tokens.hash_token(token))
    if notice is None or notice.kind != kind or notice.expires_at is None or now >= notice.expires_at:
        return None
    return notice
