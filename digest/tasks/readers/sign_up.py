"""Sign-up: what a reader agrees to, the request for confirmation, and the confirmation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Act, Confirmation, Subscriber, Subscription, SubscriptionState
from digest.rules.readers import consent
from digest.rules.readers.address import Address, normalise
from digest.rules.readers.consent import Deed
from digest.rules.tokens import tokens
from digest.settings import DigestSettings, Settings
from digest.store.readers import confirmations, subscribers
from digest.tasks.readers.readers import Origin, Readers, record

_TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def word_consent(settings: Settings, digest: DigestSettings) -> str:
    """Give the words that a reader agrees to; they are kept in the record of consent."""
    return f"Yes, {settings.site.name} may send me {digest.title} by email. I can end this at any time."


@dataclass(frozen=True, slots=True)
class Choices:
    """What a reader picked of a digest; nothing picked is its first cadence and every topic."""

    cadence: str = ""
    topics: tuple[str, ...] = ()


class ConfirmationResult(StrEnum):
    """What became of a click on a confirmation's link."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    ALREADY = "already"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The answer to a confirmation's link; `preferences` is a token once the subscription is active."""

    answer: ConfirmationResult
    digest: str = ""
    preferences: str = ""


def check_choices(digest: DigestSettings, choices: Choices) -> Choices:
    """Fill in what was left open; raise InputError for a cadence or topic that the digest does not offer."""
    cadence = choices.cadence or digest.default_cadence
    if cadence not in digest.cadences:
        raise InputError(f'"{cadence}" is no cadence of {digest.name}: pick {", ".join(digest.cadences)}')
    for topic in choices.topics:
        if not _offers(digest, topic):
            offered = (
                f"pick from {', '.join(digest.topics)}" if digest.topics else "write it as a-z, 0-9 and -"
            )
            raise InputError(f'"{topic}" is no topic of {digest.name}: {offered}')
    return Choices(cadence, choices.topics)


def _offers(digest: DigestSettings, topic: str) -> bool:
    """A digest that lists no topics has those of its articles, which nobody knows beforehand."""
    if topic == consent.EVERY_TOPIC:
        return True
    return topic in digest.topics if digest.topics else _TOPIC.fullmatch(topic) is not None


def ask(
    readers: Readers,
    address: str,
    digest: str,
    choices: Choices,
    origin: Origin,
    now: datetime,
    *,
    wording: str = "",
) -> None:
    """Take a sign-up and plan the message that asks the address's holder, where one may be mailed.

    The result and the work are the same for an address that is new, asked, subscribed or suppressed, so
    that nobody learns which it is. Raise InputError for what is wrong whoever asks: address, cadence, topic.
    """
    wanted = check_choices(readers.settings.digest(digest), choices)
    found = normalise(address)
    with readers.database.write() as session:
        banned = subscribers.find_suppression(session, readers.hash_address(found.key))
        if banned is not None and not consent.lifted_by_confirming(banned.reason):
            subscribers.rewrite_unchanged(session, banned)
            return
        subscriber = subscribers.add_subscriber(session, _new_subscriber(readers, found, now))
        row = subscribers.find_subscription(session, _id(subscriber), digest)
        asked = confirmations.list_asked(session, _id(subscriber), now - timedelta(days=90))
        if not consent.may_ask(row.state if row else None, asked, now):
            subscribers.rewrite_unchanged(session, subscriber)
            return
        row = row or Subscription(
            subscriber_id=_id(subscriber), digest=digest, cadence=wanted.cadence, created_at=now
        )
        _plan_asking(session, row, wanted, origin, now, wording)


def _plan_asking(
    session: Session, row: Subscription, wanted: Choices, origin: Origin, now: datetime, wording: str
) -> None:
    if row.id is None:
        row.topics = consent.choose_topics({}, wanted.topics, now)
    subscribers.change_state(session, row, SubscriptionState.PENDING, now)
    asking = Confirmation(
        subscription_id=_id(row),
        asked_at=now,
        expires_at=now + consent.CONFIRMATION_LIFE,
        due_at=now,
        origin=dict(origin),
        choices={"cadence": wanted.cadence, "topics": list(wanted.topics), "wording": wording},
    )
    confirmations.add_confirmation(session, asking)
    record(session, row, Act.ASKED, now, origin, wording)


def look_up(readers: Readers, token: str, now: datetime) -> Confirmed:
    """Tell what confirming would do, and change nothing."""
    with readers.database.read() as session:
        return _judge(session, readers, token, now)[0]


def confirm(readers: Readers, token: str, now: datetime, origin: Origin) -> Confirmed:
    """Make a subscription active, as its address's holder asks, and end a suppression that is theirs to end.

    The token works once; a second time it answers the same and changes nothing.
    """
    with readers.database.write() as session:
        found, asking, row = _judge(session, readers, token, now)
        if found.answer != ConfirmationResult.OPEN or asking is None or row is None:
            return found
        if not confirmations.use_confirmation(session, asking, now):
            return Confirmed(ConfirmationResult.ALREADY, row.digest)
        subscriber = subscribers.get_subscriber(session, row.subscriber_id)
        subscribers.lift_suppression(session, readers.hash_address(subscriber.address_key))
        _take_choices(readers, row, asking.choices, now)
        row.confirmed_at = now
        subscribers.change_state(session, row, SubscriptionState.CONFIRMED, now)
        record(session, row, Act.CONFIRMED, now, origin, str(asking.choices.get("wording", "")))
        return Confirmed(ConfirmationResult.CONFIRMED, row.digest, _preferences(readers, subscriber, row))


def _judge(
    session: Session, readers: Readers, token: str, now: datetime
) -> tuple[Confirmed, Confirmation | None, Subscription | None]:
    asking = confirmations.find_confirmation(session, tokens.hash_token(token))
    if asking is None:
        return Confirmed(ConfirmationResult.UNKNOWN), None, None
    row = subscribers.get_subscription(session, asking.subscription_id)
    subscriber = subscribers.get_subscriber(session, row.subscriber_id)
    if row.state in (SubscriptionState.CONFIRMED, SubscriptionState.PAUSED):
        already = Confirmed(ConfirmationResult.ALREADY, row.digest, _preferences(readers, subscriber, row))
        return already, asking, row
    banned = subscribers.find_suppression(session, readers.hash_address(subscriber.address_key))
    void = (
        asking.used_at is not None
        or consent.has_expired(asking.expires_at, now)
        or consent.next_state(row.state, Deed.CONFIRM) is None
        or readers.find_digest(row.digest) is None
        or (banned is not None and not consent.lifted_by_confirming(banned.reason))
    )
    return Confirmed(ConfirmationResult.EXPIRED if void else ConfirmationResult.OPEN, row.digest), asking, row


def _take_choices(readers: Readers, row: Subscription, choices: Mapping[str, object], now: datetime) -> None:
    """Take what the asker picked, as far as the digest still offers it."""
    digest = readers.settings.digest(row.digest)
    cadence, topics = choices.get("cadence"), choices.get("topics")
    row.cadence = str(cadence) if cadence in digest.cadences else digest.default_cadence
    picked = [str(topic) for topic in topics] if isinstance(topics, list) else []
    picked = [topic for topic in picked if _offers(digest, topic)]
    row.topics = consent.choose_topics({}, picked, now)


def _preferences(readers: Readers, subscriber: Subscriber, row: Subscription) -> str:
    return tokens.sign(readers.signing_keys, tokens.PREFERENCES, subscriber.public_id, row.digest)


def _new_subscriber(readers: Readers, found: Address, now: datetime) -> Subscriber:
    return Subscriber(
        public_id=readers.new_id(), address=found.address, address_key=found.key, created_at=now
    )


def _id(row: Subscriber | Subscription) -> int:
    assert row.id is not None  # noqa: S101 - rows out of the database have one
    return row.id
