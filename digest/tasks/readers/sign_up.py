"""Sign-up: what a reader agrees to, and the request that plans one confirmation message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Act, Confirmation, MailForm, Subscriber, Subscription, SubscriptionState
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.address import Address, normalise
from digest.rules.readers.origins import find_block
from digest.rules.readers.sign_up_limits import exceeds, hour_of, mailbox_of
from digest.settings import DigestSettings, Settings
from digest.settings.types import is_topic
from digest.store.readers import confirmations, sign_up_counts, subscribers
from digest.tasks.readers.readers import Origin, Readers, record_consent
from digest.tasks.readers.rhythm import check_breaking

_QUARTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Choices:
    """A reader's choices for a digest; none means its first cadence and every topic.

    `breaking` tells whether breaking news is wanted; None leaves that as it is.
    """

    cadence: str = ""
    topics: tuple[str, ...] = ()
    breaking: bool | None = None


def word_consent(settings: Settings, digest: DigestSettings) -> str:
    """Return the sentence that a reader agrees to; it is stored with the consent event."""
    return f"Yes, {settings.site.name} may email me {digest.title}. I can unsubscribe at any time."


def check_choices(digest: DigestSettings, choices: Choices) -> Choices:
    """Fill in defaults; raise InputError for a cadence or topic that the digest does not offer."""
    cadence = choices.cadence or digest.default_cadence
    if cadence not in digest.cadences:
        raise InputError(f'"{cadence}" is not a cadence of {digest.name}: pick {", ".join(digest.cadences)}')
    for topic in choices.topics:
        if not offers(digest, topic):
            offered = (
                f"pick from {', '.join(digest.topics)}"
                if digest.topics
                else "write it in lower-case letters, digits and -"
            )
            raise InputError(f'"{topic}" is not a topic of {digest.name}: {offered}')
    return replace(choices, cadence=cadence, breaking=choices.breaking and check_breaking(digest, True))


def check_most(digest: DigestSettings, most: int | None) -> None:
    """Raise InputError for a number of articles that a digest does not offer."""
    if most is not None and not 1 <= most <= digest.max_articles:
        raise InputError(
            f'"{most}" articles are not what {digest.name} gives: pick 1 to {digest.max_articles}'
        )


def check_form(form: str) -> MailForm:
    """Return a form of mail by its name; raise InputError for one that there is not."""
    if form not in list(MailForm):
        raise InputError(f'"{form}" is not a form of mail: pick {", ".join(MailForm)}')
    return MailForm(form)


def offers(digest: DigestSettings, topic: str) -> bool:
    """Return whether a digest offers a topic; one that lists none offers those of its articles."""
    if topic == consent.EVERY_TOPIC:
        return True
    return topic in digest.topics if digest.topics else is_topic(topic)


def ask(
    readers: Readers,
    address: str,
    digest: str,
    choices: Choices,
    origin: Origin,
    now: datetime,
    *,
    wording: str = "",
) -> bool:
    """Request a sign-up for one digest, as `ask_for` does."""
    return ask_for(readers, address, {digest: choices}, origin, now, wording=wording)


def ask_for(
    readers: Readers,
    address: str,
    wanted: Mapping[str, Choices],
    origin: Origin,
    now: datetime,
    *,
    wording: str = "",
    language: str | None = None,
) -> bool:
    """Request a sign-up for any number of digests, and plan one confirmation message to the address.

    Return False if its network or domain has reached the limit for this hour. Otherwise the answer and the
    work are the same for every state of an address (new, asked, subscribed, suppressed): everything is
    written, and rolled back inside the transaction if no message may be sent. So neither the answer nor its
    time reveals the state. Raise InputError for invalid input.
    """
    checked = {name: check_choices(readers.settings.digest(name), chosen) for name, chosen in wanted.items()}
    if not checked:
        raise InputError("no digest is chosen: pick one or more")
    found = normalise(address)
    with readers.database.write() as session:
        if not _count(session, readers, found, origin, now):
            return False
        attempt = session.begin_nested()
        if _plan(session, readers, found, checked, origin, now, wording, language):
            attempt.commit()
        else:
            attempt.rollback()
    return True


def _count(session: Session, readers: Readers, found: Address, origin: Origin, now: datetime) -> bool:
    """Count a sign-up for its network and its domain; a refused one counts too."""
    web, hour, allowed = readers.settings.web, hour_of(now), True
    domain = found.key.rpartition("@")[2]
    counted = [("domain", domain, web.sign_ups_per_domain)]
    if "ip" in origin:
        counted.append(("network", find_block(origin["ip"]), web.sign_ups_per_network))
    for kind, name, limit in counted:
        key = readers.hash_key(kind, name)
        before = sign_up_counts.find_count(session, key, hour - 1)
        current = sign_up_counts.count_sign_up(session, key, hour)
        allowed = not exceeds(limit, before, current, now) and allowed
    return allowed


def _plan(
    session: Session,
    readers: Readers,
    found: Address,
    wanted: Mapping[str, Choices],
    origin: Origin,
    now: datetime,
    wording: str,
    language: str | None,
) -> bool:
    """Write a whole sign-up and return whether to commit it."""
    banned = subscribers.find_suppression(session, readers.hash_address(found.key))
    subscriber = subscribers.add_subscriber(session, _new_subscriber(readers, found, now, language))
    mailbox = readers.hash_key("mailbox", mailbox_of(found.key))
    asked = confirmations.list_asked(session, row_id(subscriber), now - _QUARTER, mailbox)
    rows, open_ = [], []
    for name, chosen in wanted.items():
        row = subscribers.find_subscription(session, row_id(subscriber), name)
        may = consent.may_ask(row.state if row else None, asked, now)
        row = row or Subscription(
            subscriber_id=row_id(subscriber),
            digest=name,
            cadence=chosen.cadence,
            topics=consent.choose_topics({}, chosen.topics, now),
            created_at=now,
        )
        rows.append(row)
        open_ += [row] if may else []
    asking = open_ or rows
    for row in asking:
        subscribers.change_state(session, row, SubscriptionState.PENDING, now)
        record_consent(session, row, Act.ASKED, now, origin, wording, language or "")
    choices = {row.digest: wanted[row.digest] for row in asking}
    agreed = {"wording": wording, "language": language or ""}
    confirmations.add_confirmation(session, _confirmation(asking[0], choices, mailbox, origin, now, agreed))
    lifted = banned is None or consent.lifted_by_confirming(banned.reason)
    return bool(open_) and lifted


def _confirmation(
    first: Subscription,
    choices: Mapping[str, Choices],
    mailbox: str,
    origin: Origin,
    now: datetime,
    agreed: Mapping[str, str],
) -> Confirmation:
    written = {
        name: {"cadence": chosen.cadence, "topics": list(chosen.topics)}
        | ({"breaking": True} if chosen.breaking else {})
        for name, chosen in choices.items()
    }
    also = {name: chosen for name, chosen in written.items() if name != first.digest}
    return Confirmation(
        subscription_id=row_id(first),
        asked_at=now,
        expires_at=now + consent.CONFIRMATION_LIFE,
        due_at=now,
        mailbox=mailbox,
        origin=dict(origin),
        choices={**written[first.digest], **agreed, **({"also": also} if also else {})},
    )


def _new_subscriber(readers: Readers, found: Address, now: datetime, language: str | None) -> Subscriber:
    return Subscriber(
        public_id=readers.new_id(),
        address=found.address,
        address_key=found.key,
        language=language,
        created_at=now,
    )
