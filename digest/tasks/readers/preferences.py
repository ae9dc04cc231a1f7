"""What a reader may change by the link in each message: cadence, topics, a pause.

The link works for ever and travels with every forwarded digest, so nothing here reveals who the reader is.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import SUBSCRIBED, Act, Subscription, SubscriptionState
from digest.rules.readers import consent
from digest.rules.readers.consent import Deed
from digest.rules.tokens import tokens
from digest.settings import DigestSettings
from digest.store.readers import subscribers
from digest.tasks.readers.readers import Origin, Readers, find_linked, record_consent
from digest.tasks.readers.rhythm import Rhythm, set_rhythm
from digest.tasks.readers.sign_up import Choices, check_choices


@dataclass(frozen=True, slots=True)
class Preferences:
    """A reader's choices; no topics means every topic. `leave` is the token of the unsubscribe link."""

    digest: DigestSettings
    state: SubscriptionState
    cadence: str
    hour: int | None
    topics: tuple[str, ...]
    paused_until: datetime | None
    leave: str
    breaking: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether there is anything to change: not before confirming, not after leaving."""
        return self.state in SUBSCRIBED


def find_preferences(readers: Readers, token: str) -> Preferences | None:
    """Find what a preferences link is about; None if we did not sign it."""
    with readers.database.read() as session:
        row = find_linked(session, readers, tokens.PREFERENCES, token)
        digest = readers.find_digest(row.digest) if row else None
        if row is None or digest is None:
            return None
        public_id = subscribers.get_subscriber(session, row.subscriber_id).public_id
    return Preferences(
        digest,
        SubscriptionState(row.state),
        row.cadence,
        row.hour,
        consent.list_topics(row.topics),
        row.paused_until,
        tokens.sign(readers.signing_keys, tokens.UNSUBSCRIBE, public_id, row.digest),
        row.breaking,
    )


def set_preferences(
    readers: Readers,
    token: str,
    choices: Choices,
    now: datetime,
    origin: Origin,
    *,
    hour: int | None = None,
    usual_hour: bool = False,
) -> bool:
    """Store a reader's choices, for editions from the next freeze on; return False if the link opens nothing.

    A topic that was chosen before keeps its time. The hour stays unless `hour` or `usual_hour` says
    otherwise. Raise InputError for what the digest does not offer.
    """
    if hour is not None and not 0 <= hour <= 23:
        raise InputError(f'"{hour}" is not an hour: pick 0 to 23')
    with readers.database.write() as session:
        row = _find_open(session, readers, token)
        if row is None:
            return False
        wanted = check_choices(readers.settings.digest(row.digest), choices)
        topics = consent.choose_topics(row.topics, wanted.topics, now)
        kept = row.hour if hour is None and not usual_hour else hour
        if subscribers.change_choices(session, row, cadence=wanted.cadence, topics=topics, hour=kept):
            changed = {**origin, "cadence": wanted.cadence, "topics": ";".join(topics)}
            record_consent(session, row, Act.CHANGED, now, changed)
        digest = readers.settings.digest(row.digest)
        if chosen := set_rhythm(session, digest, row, Rhythm(breaking=wanted.breaking)):
            record_consent(session, row, Act.CHANGED, now, {**origin, **chosen})
    return True


def set_pause(readers: Readers, token: str, until: datetime | None, now: datetime, origin: Origin) -> bool:
    """Pause a subscription at once, until a time or until the reader resumes it."""
    with readers.database.write() as session:
        row = _find_open(session, readers, token)
        if row is None:
            return False
        if (row.state, row.paused_until) != (SubscriptionState.PAUSED, until):
            row.paused_until = until
            subscribers.change_state(session, row, SubscriptionState.PAUSED, now)
            paused = {**origin, "paused_until": until.isoformat() if until else "until resumed"}
            record_consent(session, row, Act.CHANGED, now, paused)
    return True


def resume(readers: Readers, token: str, now: datetime, origin: Origin) -> bool:
    """End a pause."""
    with readers.database.write() as session:
        row = _find_open(session, readers, token)
        if row is None:
            return False
        if consent.next_state(row.state, Deed.RESUME) is not None:
            subscribers.change_state(session, row, SubscriptionState.CONFIRMED, now)
            record_consent(session, row, Act.CHANGED, now, {**origin, "paused_until": "now"})
    return True


def _find_open(session: Session, readers: Readers, token: str) -> Subscription | None:
    """Find the subscription of a link, if it can be changed.

    A link that works for ever never revives a subscription that ended: that takes a new confirmation.
    """
    row = find_linked(session, readers, tokens.PREFERENCES, token)
    if row is None or readers.find_digest(row.digest) is None:
        return None
    return row if row.state in SUBSCRIBED else None
