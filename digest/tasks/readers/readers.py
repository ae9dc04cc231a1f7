"""What all acts of readers share: keys, the record of consent, signed links, and leaving."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from digest.models import SUBSCRIBED, Act, ConsentEvent, Subscription, SubscriptionState
from digest.models.programs.webhooks import WebhookEvent
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.consent import Deed
from digest.rules.tokens import sealed_values, tokens
from digest.settings import DigestSettings, Settings
from digest.store.database import Database
from digest.store.readers import confirmations, subscribers, wordings
from digest.tasks.webhooks.outbox import tell_of_reader

Origin = Mapping[str, str]
UNDO_LIFE = timedelta(hours=1)
_UNDO = "undo"

MANY = 1_000
"""So many newcomers in one transaction are entered in the order of the indexes."""

_SHARED = 2
"""How many characters of their public ids these have in common."""


@dataclass(frozen=True, slots=True)
class Readers:
    """The dependencies of the readers' use cases; ids and tokens are injected so that tests can predict them.

    `new_id` returns 26 random characters of lower-case base32, `new_token` at least 128 random bits.
    """

    database: Database
    settings: Settings
    signing_keys: Sequence[bytes]
    suppression_key: bytes
    new_id: Callable[[], str]
    new_token: Callable[[], str]

    def draw_ids(self, count: int) -> list[str]:
        """Draw the public ids of people who are entered together.

        Those of many have their first ten bits in common and come in order, so that they are neighbours in
        the index; otherwise nearly each of them would change a page of it.
        """
        ids = [self.new_id() for _ in range(count)]
        if count < MANY:
            return ids
        return sorted(ids[0][:_SHARED] + one[_SHARED:] for one in ids)

    def check_database(self) -> None:
        """Run the smallest query; raise Unreachable if the database does not answer."""
        with self.database.read() as session:
            session.exec(select(1)).one()

    def hash_address(self, key: str) -> str:
        """Return the hash under which a suppression stores an address."""
        return tokens.keyed_hash(self.suppression_key, key)

    def hash_key(self, kind: str, name: str) -> str:
        """Return the keyed hash under which a limit counts a network, a domain or a mailbox."""
        return tokens.keyed_hash(self.suppression_key, f"{kind}\0{name}")

    def find_digest(self, name: str) -> DigestSettings | None:
        """Return the digest of that name, or None where the settings have none."""
        return next((digest for digest in self.settings.digests if digest.name == name), None)

    def give_token(self, session: Session, confirmation_id: int) -> str:
        """Create the token of a request for confirmation and store its hash; the token itself is stored
        nowhere."""
        token = self.new_token()
        confirmations.set_token(session, confirmation_id, tokens.hash_token(token))
        return token


def leave(readers: Readers, token: str, now: datetime, origin: Origin) -> DigestSettings | None:
    """End the subscription that a link names before returning; idempotent (RFC 8058, section 3.1).

    Return None if no key of ours signed the link; the caller gives the same answer.
    """
    signed = tokens.find_signed(readers.signing_keys, tokens.UNSUBSCRIBE, token)
    if signed is None:
        return None
    with readers.database.write() as session:
        subscribers.end_by_public_id(session, *signed, now, dict(origin))
    return readers.find_digest(signed[1])


def find_left_digest(readers: Readers, token: str) -> DigestSettings | None:
    """Return the digest that an unsubscribe link names, without changing anything."""
    signed = tokens.find_signed(readers.signing_keys, tokens.UNSUBSCRIBE, token)
    return readers.find_digest(signed[1]) if signed else None


def find_language(readers: Readers, action: str, token: str) -> str | None:
    """Return the language of a link's reader, which the message with the link reveals as well."""
    signed = tokens.find_signed(readers.signing_keys, action, token)
    if signed is None:
        return None
    with readers.database.read() as session:
        subscriber = subscribers.find_by_public_id(session, signed[0])
        return subscriber.language if subscriber else None


def find_linked(session: Session, readers: Readers, action: str, token: str) -> Subscription | None:
    """Return the subscription that a signed link names."""
    signed = tokens.find_signed(readers.signing_keys, action, token)
    subscriber = subscribers.find_by_public_id(session, signed[0]) if signed else None
    if signed is None or subscriber is None:
        return None
    return subscribers.find_subscription(session, row_id(subscriber), signed[1])


def begin(session: Session, digest: DigestSettings, row: Subscription, now: datetime) -> None:
    """Make a subscription active, and due its own first edition where the digest welcomes with one."""
    row.confirmed_at = now
    tell_of(session, row, WebhookEvent.SUBSCRIBED, now)
    subscribers.change_state(session, row, SubscriptionState.CONFIRMED, now)
    if digest.welcome == "edition":
        row.welcome_at = now
        session.add(row)


def end(session: Session, row: Subscription, now: datetime, origin: Origin) -> bool:
    """End a subscription and invalidate its open confirmations; return False if it had ended before."""
    if consent.next_state(row.state, Deed.LEAVE) is None:
        return False
    if row.state in SUBSCRIBED:
        tell_of(session, row, WebhookEvent.LEFT, now, why=origin.get("suppressed", "left"))
    subscribers.change_state(session, row, SubscriptionState.ENDED, now)
    confirmations.void_confirmations(session, row_id(row), now)
    record_consent(session, row, Act.LEFT, now, origin)
    return True


def tell_of(session: Session, row: Subscription, event: WebhookEvent, now: datetime, **data: str) -> None:
    """Enter for webhooks what happened to a subscription."""
    reader = subscribers.get_subscriber(session, row.subscriber_id)
    tell_of_reader(session, event, reader, now, digest=row.digest, **data)


def sign_undo(readers: Readers, token: str, now: datetime) -> str:
    """Return the token that undoes a departure within an hour, for the page that follows it.

    A message's link works for ever and therefore never revives what ended. This token is on one page only and
    expires; for a link that nobody signed it undoes nothing.
    """
    signed = tokens.find_signed(readers.signing_keys, tokens.UNSUBSCRIBE, token) or ("", "")
    return sealed_values.seal(readers.signing_keys, _UNDO, *signed, now.isoformat())


@dataclass(frozen=True, slots=True)
class Returned:
    """A digest that is active again, with the token of its preferences."""

    digest: DigestSettings
    preferences: str


def undo_leave(readers: Readers, token: str, now: datetime, origin: Origin) -> Returned | None:
    """Undo a departure; return the digest that is active again, or None if nothing can be undone.

    Only a subscription that was confirmed comes back, with its choices, and only if the address is neither
    suppressed nor erased.
    """
    values = sealed_values.unseal(readers.signing_keys, _UNDO, token)
    if values is None or now - datetime.fromisoformat(values[2]) > UNDO_LIFE:
        return None
    with readers.database.write() as session:
        subscriber = subscribers.find_by_public_id(session, values[0])
        digest = readers.find_digest(values[1])
        if subscriber is None or subscriber.erased_at is not None or digest is None:
            return None
        row = subscribers.find_subscription(session, row_id(subscriber), digest.name)
        banned = subscribers.is_suppressed(session, readers.hash_address(subscriber.address_key))
        if row is None or banned or row.confirmed_at is None:
            return None
        if row.state == SubscriptionState.ENDED and row.ended_at and now - row.ended_at <= UNDO_LIFE:
            subscribers.change_state(session, row, SubscriptionState.CONFIRMED, now)
            record_consent(session, row, Act.CHANGED, now, {**origin, "undone": "left"})
            tell_of(session, row, WebhookEvent.SUBSCRIBED, now)
        if row.state != SubscriptionState.CONFIRMED:
            return None
    return Returned(digest, tokens.sign(readers.signing_keys, tokens.PREFERENCES, values[0], digest.name))


def record_consent(
    session: Session,
    row: Subscription,
    act: Act,
    now: datetime,
    origin: Origin,
    wording: str = "",
    language: str = "",
) -> None:
    """Append a consent event; events are never changed (GDPR, article 7(1)).

    `wording` is the sentence agreed to, in a `language`.
    """
    event = ConsentEvent(
        subscriber_id=row.subscriber_id,
        digest=row.digest,
        act=act,
        at=now,
        wording_id=wordings.keep_wording(session, wording, language, now),
        origin=dict(origin),
    )
    subscribers.add_consent_event(session, event)
