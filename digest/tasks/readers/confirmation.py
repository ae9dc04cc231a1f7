"""Confirmation: what the link in a message is about, and the act that makes subscriptions active."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from digest.models import (
    SUBSCRIBED,
    Act,
    Confirmation,
    NoticeKind,
    Subscriber,
    Subscription,
)
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.consent import Deed
from digest.rules.tokens import tokens
from digest.store.readers import confirmations, notices, subscribers, used_tokens
from digest.tasks.readers.readers import Origin, Readers, begin, record_consent
from digest.tasks.readers.sign_up import Choices, check_choices, offers

_DAY = timedelta(hours=24)


class ConfirmationResult(StrEnum):
    """What a confirmation's link leads to."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    ALREADY = "already"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The result of following a confirmation's link.

    `chosen` has the choices, by digest: those that are kept once a subscription is active, and then
    `preferences` has the token of each digest's preferences.
    """

    answer: ConfirmationResult
    digest: str = ""
    preferences: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, Choices] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a token leads to: the confirmation, its subscriber, and the subscriptions by digest."""

    asking: Confirmation
    subscriber: Subscriber
    rows: Mapping[str, Subscription]
    chosen: Mapping[str, Choices]


def look_up(readers: Readers, token: str, now: datetime) -> Confirmed:
    """Return what confirming would do, without changing anything."""
    with readers.database.read() as session:
        return _judge(readers, session, _find(readers, session, token), now)


def confirm(
    readers: Readers,
    token: str,
    now: datetime,
    origin: Origin,
    choices: Mapping[str, Choices] | None = None,
) -> Confirmed:
    """Activate subscriptions as the address's holder asks, and lift a suppression that the holder may lift.

    `choices` replaces those of the sign-up; a digest that it leaves out is not confirmed. The token works
    once; the second time the answer is the same and nothing changes. Raise InputError for a cadence or topic
    that a digest does not offer.
    """
    with readers.database.write() as session:
        found = _find(readers, session, token)
        judged = _judge(readers, session, found, now)
        if found is None or judged.answer != ConfirmationResult.OPEN:
            return judged
        wanted = found.chosen if choices is None else choices
        taken = {name: chosen for name, chosen in wanted.items() if name in found.chosen}
        taken = {name: check_choices(readers.settings.digest(name), chosen) for name, chosen in taken.items()}
        if not taken:
            return judged
        if not used_tokens.use_token(session, found.asking, now):
            session.expire_all()  # another request has confirmed meanwhile
            return _judge(readers, session, _find(readers, session, token), now)
        subscribers.lift_suppression(session, readers.hash_address(found.subscriber.address_key))
        asked = found.asking.choices
        agreed = str(asked.get("wording", "")), str(asked.get("language", ""))
        for name, chosen in taken.items():
            _activate(session, readers, found.rows[name], chosen, now, origin, agreed)
            if readers.settings.digest(name).welcome == "mail":
                _plan_welcome(session, found.subscriber, name, now)
        done = [found.rows[name] for name in taken]
        return _show_active(readers, ConfirmationResult.CONFIRMED, found.subscriber, done)


def _activate(
    session: Session,
    readers: Readers,
    row: Subscription,
    chosen: Choices,
    now: datetime,
    origin: Origin,
    agreed: tuple[str, str],
) -> None:
    if consent.next_state(row.state, Deed.CONFIRM) is None:
        return
    row.cadence, row.topics = chosen.cadence, consent.choose_topics({}, chosen.topics, now)
    row.breaking = bool(chosen.breaking)
    begin(session, readers.settings.digest(row.digest), row, now)
    record_consent(session, row, Act.CONFIRMED, now, origin, *agreed)


def _plan_welcome(session: Session, subscriber: Subscriber, digest: str, now: datetime) -> None:
    """Plan the welcome message of a reader, at most once a day for each digest."""
    if digest in notices.list_welcomed(session, row_id(subscriber), now - _DAY):
        return
    notices.plan_notice(session, subscriber, NoticeKind.WELCOME, now, {"digest": digest})


def _find(readers: Readers, session: Session, token: str) -> _Found | None:
    asking = confirmations.find_confirmation(session, tokens.hash_token(token))
    if asking is None:
        return None
    first = subscribers.get_subscription(session, asking.subscription_id)
    subscriber = subscribers.get_subscriber(session, first.subscriber_id)
    also = asking.choices.get("also")
    picked = {first.digest: asking.choices, **(also if isinstance(also, dict) else {})}
    rows = {row.digest: row for row in subscribers.list_subscriptions(session, first.subscriber_id)}
    chosen = {
        name: _read_choices(readers, name, written)
        for name, written in picked.items()
        if name in rows and readers.find_digest(name) is not None
    }
    return _Found(asking, subscriber, rows, chosen)


def _read_choices(readers: Readers, name: str, written: object) -> Choices:
    """Return the choices of the sign-up, as far as the digest still offers them."""
    digest = readers.settings.digest(name)
    picked = written if isinstance(written, dict) else {}
    cadence, topics = picked.get("cadence"), picked.get("topics")
    kept = tuple(str(one) for one in topics if offers(digest, str(one))) if isinstance(topics, list) else ()
    breaking = digest.breaking and picked.get("breaking") is True
    return Choices(str(cadence) if cadence in digest.cadences else digest.default_cadence, kept, breaking)


def _judge(readers: Readers, session: Session, found: _Found | None, now: datetime) -> Confirmed:
    if found is None:
        return Confirmed(ConfirmationResult.UNKNOWN)
    rows = [found.rows[name] for name in found.chosen]
    language = found.subscriber.language
    banned = subscribers.find_suppression(session, readers.hash_address(found.subscriber.address_key))
    void = found.asking.used_at is not None or consent.has_expired(found.asking.expires_at, now)
    barred = banned is not None and not consent.lifted_by_confirming(banned.reason)
    waiting = [row for row in rows if consent.next_state(row.state, Deed.CONFIRM) is not None]
    if waiting and not void and not barred:
        return Confirmed(ConfirmationResult.OPEN, waiting[0].digest, {}, found.chosen, language)
    active = [row for row in rows if row.state in SUBSCRIBED]
    if active:
        return _show_active(readers, ConfirmationResult.ALREADY, found.subscriber, active)
    digest = rows[0].digest if rows else ""
    return Confirmed(ConfirmationResult.EXPIRED, digest, language=language)


def _show_active(
    readers: Readers, answer: ConfirmationResult, subscriber: Subscriber, rows: Sequence[Subscription]
) -> Confirmed:
    """Return active subscriptions with the choices that are kept."""
    chosen = {row.digest: Choices(row.cadence, consent.list_topics(row.topics), row.breaking) for row in rows}
    preferences = {row.digest: sign_preferences(readers, subscriber, row) for row in rows}
    return Confirmed(answer, rows[0].digest, preferences, chosen, subscriber.language)


def sign_preferences(readers: Readers, subscriber: Subscriber, row: Subscription) -> str:
    """Return the token of a subscription's preferences."""
    return tokens.sign(readers.signing_keys, tokens.PREFERENCES, subscriber.public_id, row.digest)
