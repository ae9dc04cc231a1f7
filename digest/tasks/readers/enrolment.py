"""Subscribe readers in batches for an operator: confirmed elsewhere before, or to be asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from digest.errors import InputError
from digest.models import (
    Act,
    Confirmation,
    ConsentEvent,
    MailState,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.models.programs.webhooks import WebhookEvent
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.address import Address, normalise
from digest.settings import DigestSettings
from digest.store.readers import batches, confirmations, subscribers, wordings
from digest.store.readers.batches import KnownSubscriber, KnownSubscription, KnownSuppression
from digest.store.readers.newcomers import AddressTakenError, Joining, Newcomer, add_newcomers
from digest.store.readers.subscribers import Row
from digest.tasks.readers.readers import MANY, Origin, Readers, tell_of
from digest.tasks.readers.sign_up import Choices, check_choices


class Enrolled(StrEnum):
    """The result for one new reader."""

    ADDED = "added"
    ASKED = "asked"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    LIMITED = "limited"
    LEFT = "left"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The result for one new reader, with the reason if it is not what was wanted."""

    result: Enrolled
    why: str = ""


_ADDED, _ASKED = Enrolment(Enrolled.ADDED), Enrolment(Enrolled.ASKED)


@dataclass(slots=True)
class NewReader:
    """One reader as an operator brings them; None leaves a field open and changes nothing.

    `pending` readers never confirmed elsewhere: they are asked, whatever the terms. `again` marks a later
    line of a list about the same person: it fills what an earlier one left open and adds its topics.
    """

    address: Address
    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    cadence: str | None = None
    topics: tuple[str, ...] | None = None
    pending: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """How a batch is subscribed: to which digest, and confirmed with which wording, or None to ask each.

    With `update` the choices of known readers are replaced; without it a reader with other choices is
    reported together with the `remedy`.
    """

    digest: DigestSettings
    wording: str | None
    origin: Origin
    now: datetime
    update: bool = False
    remedy: str = "--update replaces them by the list's"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database knows about a batch."""

    suppressions: dict[str, KnownSuppression]
    subscribers: dict[str, KnownSubscriber]
    subscriptions: dict[int, KnownSubscription]
    asked: dict[int, list[datetime]]
    own_changes: set[int]
    departed: dict[int, datetime]
    wording_id: int | None


def subscribe_confirmed(
    readers: Readers, address: str, digest: str, choices: Choices, wording: str, origin: Origin, now: datetime
) -> Enrolled:
    """Take in one reader who agreed elsewhere, with the wording that they agreed to."""
    settings = readers.settings.digest(digest)
    check_choices(settings, choices)
    newcomer = NewReader(normalise(address), cadence=choices.cadence or None, topics=choices.topics or None)
    return enrol_one(readers, newcomer, Terms(settings, wording, origin, now)).result


def enrol_one(readers: Readers, newcomer: NewReader, terms: Terms) -> Enrolment:
    """Subscribe one reader, confirmed or to be asked first."""
    with readers.database.write() as session:
        (done,) = enrol(session, readers, [newcomer], terms)
        if done.result in (Enrolled.ADDED, Enrolled.CHANGED):
            _tell_of_new(session, newcomer, terms.digest.name, terms.now)
        return done


def _tell_of_new(session: Session, newcomer: NewReader, digest: str, now: datetime) -> None:
    """Enter for webhooks that a single reader is confirmed now; whole lists are not told reader by reader."""
    subscriber = subscribers.find_subscriber(session, newcomer.address.key)
    row = subscribers.find_subscription(session, row_id(subscriber), digest) if subscriber else None
    if row is not None and row.state == SubscriptionState.CONFIRMED and row.confirmed_at == now:
        tell_of(session, row, WebhookEvent.SUBSCRIBED, now)


def enrol(
    session: Session, readers: Readers, newcomers: Sequence[NewReader], terms: Terms
) -> list[Enrolment]:
    """Subscribe a batch of distinct addresses and return the result for each.

    Nobody who left or is suppressed is revived, and readers' own choices are not changed. Raise InputError
    for an empty wording, which nobody agreed to.
    """
    if terms.wording is not None and not terms.wording.strip():
        raise InputError("the wording is empty: write the words that the readers agreed to, or leave it out")
    while True:
        try:
            with session.begin_nested():
                return _enrol(session, readers, newcomers, terms)
        except AddressTakenError:  # by somebody who signed up just now: they are found this time
            continue


def _enrol(
    session: Session, readers: Readers, newcomers: Sequence[NewReader], terms: Terms
) -> list[Enrolment]:
    known = _look_up(session, readers, newcomers, terms)
    results: list[Enrolment] = []
    strangers: list[NewReader] = []
    rows: list[Row] = []
    events: list[Row] = []
    asked: list[int] = []
    for newcomer in newcomers:
        result = _decide(newcomer, known, terms)
        results.append(result)
        if result.result == Enrolled.SUPPRESSED:
            continue
        subscriber = known.subscribers.get(newcomer.address.key)
        if subscriber is None:
            strangers.append(newcomer)
        elif result.result in (Enrolled.ADDED, Enrolled.ASKED):
            wording = None if result.result == Enrolled.ASKED else terms.wording
            rows.append(_subscription_row(subscriber, newcomer, terms, wording))
            events.append(_event_row(subscriber.id, terms, wording, known.wording_id))
            if wording is None:
                asked.append(len(rows) - 1)
        elif result.result == Enrolled.CHANGED:
            _change(session, subscriber, newcomer, known, terms)
    _add_strangers(session, readers, strangers, terms, known.wording_id)
    subscribers.insert_new(session, Subscription, rows)
    subscribers.insert_new(session, ConsentEvent, events)
    _plan_askings(session, [rows[place] for place in asked], terms)
    return results


def _add_strangers(
    session: Session,
    readers: Readers,
    strangers: Sequence[NewReader],
    terms: Terms,
    wording_id: int | None,
) -> None:
    """Enter people whose addresses nobody has, those who join alike together, and plan to ask whom to ask.

    Many are entered in the order of their addresses, and so in that of an index.
    """
    if len(strangers) >= MANY:
        strangers = sorted(strangers, key=lambda one: one.address.key)
    groups: dict[tuple[str | None, tuple[str, ...] | None, bool], list[NewReader]] = {}
    for one in strangers:
        groups.setdefault((one.cadence, one.topics, one.pending), []).append(one)
    joining, ids = [], iter(readers.draw_ids(len(strangers)))
    for (cadence, topics, pending), people in groups.items():
        shared = Joining(
            terms.digest.name,
            cadence or terms.digest.default_cadence,
            consent.choose_topics({}, topics or (), terms.now),
            not pending and terms.wording is not None,
            None if pending else wording_id,
            dict(terms.origin),
            terms.now,
        )
        joining.append((shared, [_newcomer(next(ids), one) for one in people]))
    add_newcomers(session, joining)
    for shared, added in joining:
        if not shared.confirmed:
            found = batches.find_subscribers(session, [one.address_key for one in added])
            chosen = {"cadence": shared.cadence, "topics": shared.topics}
            _plan_askings(session, [{"subscriber_id": one.id, **chosen} for one in found.values()], terms)


def _newcomer(public_id: str, one: NewReader) -> Newcomer:
    address = one.address
    return Newcomer(public_id, address.address, address.key, one.name or "", one.language, one.timezone)


def _look_up(session: Session, readers: Readers, newcomers: Sequence[NewReader], terms: Terms) -> _Known:
    """Read all that concerns a batch in a few statements."""
    hashes: dict[str, str] = {}
    if batches.is_anyone_suppressed(session):
        hashes = {one.address.key: readers.hash_address(one.address.key) for one in newcomers}
    suppressions = batches.find_suppressions(session, list(hashes.values()))
    keys = sorted(one.address.key for one in newcomers)  # as the index has them
    if suppressions:
        keys = [key for key in keys if hashes[key] not in suppressions]
    found = batches.find_subscribers(session, keys)
    old = [row.id for row in found.values()]
    subscribed = batches.find_subscriptions(session, old, terms.digest.name)
    pending = [number for number, row in subscribed.items() if row.state == SubscriptionState.PENDING]
    return _Known(
        {key: suppressions[hashed] for key, hashed in hashes.items() if hashed in suppressions},
        found,
        subscribed,
        confirmations.find_asked(session, old, terms.now - timedelta(days=90)) if old else {},
        subscribers.find_own_changes(session, old, terms.digest.name) if old else set(),
        subscribers.find_departed(session, pending, terms.digest.name),
        wordings.keep_wording(session, terms.wording or "", "", terms.now),
    )


def _decide(newcomer: NewReader, known: _Known, terms: Terms) -> Enrolment:
    """Decide the result for one reader."""
    banned = known.suppressions.get(newcomer.address.key)
    if banned is not None:
        return Enrolment(Enrolled.SUPPRESSED, consent.explain_suppression(banned.reason, banned.created_at))
    subscriber = known.subscribers.get(newcomer.address.key)
    if subscriber is None:
        return _ASKED if newcomer.pending or terms.wording is None else _ADDED
    row = known.subscriptions.get(subscriber.id)
    confirmed = terms.wording is not None and not newcomer.pending
    if row is None:
        return _decide_new(known.asked.get(subscriber.id, []), terms.now, confirmed=confirmed)
    if newcomer.again:
        return Enrolment(Enrolled.CHANGED if row.created_at == terms.now else Enrolled.UNCHANGED)
    if row.state == SubscriptionState.ENDED:
        return Enrolment(Enrolled.LEFT, consent.explain_departure(row.ended_at))
    if subscriber.id in known.departed:  # anybody may have typed the address into the sign-up since
        return Enrolment(Enrolled.LEFT, consent.explain_departure(known.departed[subscriber.id]))
    if row.state == SubscriptionState.PENDING and confirmed:
        return Enrolment(Enrolled.CHANGED)
    if not _differs(subscriber, row, newcomer):
        return Enrolment(Enrolled.UNCHANGED)
    if subscriber.id in known.own_changes:
        return Enrolment(Enrolled.KEPT, "has other choices here, made by the reader, which are kept")
    if not terms.update:
        return Enrolment(Enrolled.KEPT, f"has other choices here, which are kept; {terms.remedy}")
    return Enrolment(Enrolled.CHANGED)


def _decide_new(asked: Iterable[datetime], now: datetime, *, confirmed: bool) -> Enrolment:
    if confirmed:
        return _ADDED
    if consent.may_ask(None, asked, now):
        return _ASKED
    return Enrolment(Enrolled.LIMITED, "was asked within a day, or three times in 90 days: try again later")


def _differs(subscriber: KnownSubscriber, row: KnownSubscription, newcomer: NewReader) -> bool:
    """Return whether a reader's given fields differ from what is stored."""
    pairs = (
        (newcomer.name, subscriber.name),
        (newcomer.language, subscriber.language),
        (newcomer.timezone, subscriber.timezone),
        (newcomer.cadence, row.cadence),
    )
    if any(wanted is not None and wanted != known for wanted, known in pairs):
        return True
    return newcomer.topics is not None and set(newcomer.topics) != set(row.topics)


def _change(
    session: Session, subscriber: KnownSubscriber, newcomer: NewReader, known: _Known, terms: Terms
) -> None:
    """Confirm a pending reader, or update the fields that are given."""
    person = subscribers.get_subscriber(session, subscriber.id)
    row = subscribers.get_subscription(session, known.subscriptions[subscriber.id].id)
    if newcomer.again:
        _fill(session, person, row, newcomer, terms)
        return
    confirmed = terms.wording is not None and not newcomer.pending
    if row.state == SubscriptionState.PENDING and confirmed:
        row.confirmed_at = terms.now
        subscribers.change_state(session, row, SubscriptionState.CONFIRMED, terms.now)
        event = _event_row(subscriber.id, terms, terms.wording, known.wording_id)
        subscribers.insert_new(session, ConsentEvent, [event])
    subscribers.change_details(
        session,
        person,
        name=person.name if newcomer.name is None else newcomer.name,
        language=newcomer.language or person.language,
        timezone=newcomer.timezone or person.timezone,
    )
    topics = row.topics
    if newcomer.topics is not None:
        topics = consent.choose_topics(row.topics, newcomer.topics, terms.now)
    cadence = newcomer.cadence or row.cadence
    if subscribers.change_choices(session, row, cadence=cadence, topics=topics, hour=row.hour):
        event = _event_row(subscriber.id, terms, None, None) | {"act": Act.CHANGED}
        subscribers.insert_new(session, ConsentEvent, [event])
        confirmations.change_choices(session, row_id(row), cadence, list(topics))


def _fill(session: Session, person: Subscriber, row: Subscription, newcomer: NewReader, terms: Terms) -> None:
    """Fill in what an earlier line of the same list left open, and add topics to topics."""
    subscribers.change_details(
        session,
        person,
        name=person.name or newcomer.name or "",
        language=person.language or newcomer.language,
        timezone=person.timezone or newcomer.timezone,
    )
    if newcomer.topics is None:
        return
    both = (*row.topics, *newcomer.topics) if consent.EVERY_TOPIC not in row.topics else newcomer.topics
    topics = consent.choose_topics(row.topics, both, terms.now)
    subscribers.change_choices(session, row, cadence=row.cadence, topics=topics, hour=row.hour)
    confirmations.change_choices(session, row_id(row), row.cadence, list(topics))


def _plan_askings(session: Session, rows: Sequence[Row], terms: Terms) -> None:
    if not rows:
        return
    ids = [row["subscriber_id"] for row in rows]
    planned = batches.find_subscriptions(session, ids, terms.digest.name)
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


def _subscription_row(subscriber: KnownSubscriber, one: NewReader, terms: Terms, wording: str | None) -> Row:
    confirmed = wording is not None
    return {
        "subscriber_id": subscriber.id,
        "digest": terms.digest.name,
        "state": SubscriptionState.CONFIRMED if confirmed else SubscriptionState.PENDING,
        "cadence": one.cadence or terms.digest.default_cadence,
        "topics": consent.choose_topics({}, one.topics or (), terms.now),
        "created_at": terms.now,
        "confirmed_at": terms.now if confirmed else None,
    }


def _event_row(subscriber_id: int, terms: Terms, wording: str | None, wording_id: int | None) -> Row:
    return {
        "subscriber_id": subscriber_id,
        "digest": terms.digest.name,
        "act": Act.ASKED if wording is None else Act.CONFIRMED,
        "at": terms.now,
        "wording_id": None if wording is None else wording_id,
        "origin": dict(terms.origin),
    }
