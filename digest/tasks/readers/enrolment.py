"""Readers taken in by an operator, a batch at a time: confirmed elsewhere before, or to be asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from digest.models import (
    Act,
    Confirmation,
    ConsentEvent,
    MailState,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.address import Address, normalise
from digest.settings import DigestSettings
from digest.store.readers import confirmations, subscribers
from digest.store.readers.subscribers import Row
from digest.tasks.readers.readers import Origin, Readers
from digest.tasks.readers.sign_up import Choices, check_choices


class Enrolled(StrEnum):
    """What became of one newcomer."""

    ADDED = "added"
    ASKED = "asked"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class NewReader:
    """One reader as an operator brings them; what is None was left open and changes nothing."""

    address: Address
    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    cadence: str | None = None
    topics: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How a batch is taken: into which digest, and confirmed with which wording, or None to ask each."""

    digest: DigestSettings
    wording: str | None
    origin: Origin
    now: datetime


@dataclass(frozen=True, slots=True)
class _KnownReaders:
    """What stands in the database about a batch."""

    suppressed: set[str]
    subscribers: dict[str, Subscriber]
    subscriptions: dict[int, Subscription]
    asked: dict[int, list[datetime]]
    own_changes: set[int]


def subscribe_confirmed(
    readers: Readers, address: str, digest: str, choices: Choices, wording: str, origin: Origin, now: datetime
) -> Enrolled:
    """Take in one reader who agreed elsewhere, with the wording that they agreed to."""
    settings = readers.settings.digest(digest)
    wanted = check_choices(settings, choices)
    newcomer = NewReader(normalise(address), cadence=wanted.cadence, topics=wanted.topics)
    with readers.database.write() as session:
        return enrol(session, readers, [newcomer], Terms(settings, wording, origin, now))[0]


def enrol(session: Session, readers: Readers, newcomers: Sequence[NewReader], terms: Terms) -> list[Enrolled]:
    """Take in a batch of distinct addresses and tell what became of each.

    Nobody who left or is suppressed is revived; what readers chose themselves is not turned back.
    """
    known = _look_up(session, readers, newcomers, terms)
    results, rows, events = [], [], []
    for newcomer in newcomers:
        subscriber = known.subscribers.get(newcomer.address.key)
        if subscriber is None:
            results.append(Enrolled.SUPPRESSED)
            continue
        row = known.subscriptions.get(row_id(subscriber))
        result = _decide(row, known.asked.get(row_id(subscriber), []), terms)
        if row is not None and result == Enrolled.UNCHANGED:
            result = _change(session, subscriber, row, newcomer, known, terms)
        elif row is not None and result == Enrolled.CHANGED:
            row.confirmed_at = terms.now
            subscribers.change_state(session, row, SubscriptionState.CONFIRMED, terms.now)
            _change(session, subscriber, row, newcomer, known, terms)
            events.append(_event_row(subscriber, terms))
        elif row is None and result != Enrolled.UNCHANGED:
            rows.append(_subscription_row(subscriber, newcomer, terms))
            events.append(_event_row(subscriber, terms))
        results.append(result)
    subscribers.insert_new(session, Subscription, rows)
    subscribers.insert_new(session, ConsentEvent, events)
    if terms.wording is None:
        _plan_askings(session, rows, terms)
    return results


def _look_up(
    session: Session, readers: Readers, newcomers: Sequence[NewReader], terms: Terms
) -> _KnownReaders:
    """Read all that concerns a batch in a few statements, after adding the addresses that are new."""
    hashes = {readers.hash_address(one.address.key): one for one in newcomers}
    suppressed = subscribers.find_suppressed(session, list(hashes))
    wanted = [one for hashed, one in hashes.items() if hashed not in suppressed]
    keys = [one.address.key for one in wanted]
    found = subscribers.find_subscribers(session, keys)
    new = [one for one in wanted if one.address.key not in found]
    subscribers.insert_new(session, Subscriber, [_subscriber_row(readers, one, terms) for one in new])
    found |= subscribers.find_subscribers(session, [one.address.key for one in new])
    ids = [row_id(row) for row in found.values()]
    return _KnownReaders(
        suppressed,
        found,
        subscribers.find_subscriptions(session, ids, terms.digest.name),
        confirmations.find_asked(session, ids, terms.now - timedelta(days=90)),
        subscribers.find_own_changes(session, ids, terms.digest.name),
    )


def _decide(row: Subscription | None, asked: Iterable[datetime], terms: Terms) -> Enrolled:
    """Decide what becomes of a reader who is not suppressed, before their details are compared."""
    if row is None and terms.wording is not None:
        return Enrolled.ADDED
    if row is None:
        return Enrolled.ASKED if consent.may_ask(None, asked, terms.now) else Enrolled.UNCHANGED
    if row.state == SubscriptionState.PENDING and terms.wording is not None:
        return Enrolled.CHANGED
    return Enrolled.UNCHANGED


def _change(
    session: Session,
    subscriber: Subscriber,
    row: Subscription,
    newcomer: NewReader,
    known: _KnownReaders,
    terms: Terms,
) -> Enrolled:
    """Take over the columns that are filled in, where the reader is active and has not chosen themselves."""
    active = row.state in (SubscriptionState.CONFIRMED, SubscriptionState.PAUSED)
    if not active or row.subscriber_id in known.own_changes:
        return Enrolled.UNCHANGED
    details = subscribers.change_details(
        session,
        subscriber,
        name=subscriber.name if newcomer.name is None else newcomer.name,
        language=newcomer.language or subscriber.language,
        timezone=newcomer.timezone or subscriber.timezone,
    )
    topics = row.topics
    if newcomer.topics is not None:
        topics = consent.choose_topics(row.topics, newcomer.topics, terms.now)
    cadence = newcomer.cadence or row.cadence
    choices = subscribers.change_choices(session, row, cadence=cadence, topics=topics, hour=row.hour)
    if choices:
        event = _event_row(subscriber, terms) | {"act": Act.CHANGED}
        subscribers.insert_new(session, ConsentEvent, [event])
    return Enrolled.CHANGED if details or choices else Enrolled.UNCHANGED


def _plan_askings(session: Session, rows: Sequence[Row], terms: Terms) -> None:
    ids = [row["subscriber_id"] for row in rows]
    planned = subscribers.find_subscriptions(session, ids, terms.digest.name)
    askings = [
        {
            "subscription_id": planned[row["subscriber_id"]].id,
            "asked_at": terms.now,
            "expires_at": terms.now + consent.CONFIRMATION_LIFE,
            "due_at": terms.now,
            "origin": dict(terms.origin),
            "choices": {"cadence": row["cadence"], "topics": list(row["topics"]), "wording": ""},
            "mail_state": MailState.PLANNED,
            "attempts": 0,
            "reply": "",
        }
        for row in rows
    ]
    subscribers.insert_new(session, Confirmation, askings)


def _subscriber_row(readers: Readers, one: NewReader, terms: Terms) -> Row:
    return {
        "public_id": readers.new_id(),
        "address": one.address.address,
        "address_key": one.address.key,
        "name": one.name or "",
        "language": one.language,
        "timezone": one.timezone,
        "created_at": terms.now,
    }


def _subscription_row(subscriber: Subscriber, one: NewReader, terms: Terms) -> Row:
    confirmed = terms.wording is not None
    return {
        "subscriber_id": subscriber.id,
        "digest": terms.digest.name,
        "state": SubscriptionState.CONFIRMED if confirmed else SubscriptionState.PENDING,
        "cadence": one.cadence or terms.digest.default_cadence,
        "topics": consent.choose_topics({}, one.topics or (), terms.now),
        "created_at": terms.now,
        "confirmed_at": terms.now if confirmed else None,
    }


def _event_row(subscriber: Subscriber, terms: Terms) -> Row:
    return {
        "subscriber_id": subscriber.id,
        "digest": terms.digest.name,
        "act": Act.ASKED if terms.wording is None else Act.CONFIRMED,
        "at": terms.now,
        "wording": terms.wording or "",
        "origin": dict(terms.origin),
    }
