"""What an operator does for a reader who asks: choices, a new address, leaving, a suppression.

Each act is an event in the reader's record, with the operator's name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from digest.clock import is_time_zone
from digest.errors import InputError
from digest.models import (
    SUBSCRIBED,
    Act,
    NoticeKind,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.address import normalise, tidy_name
from digest.rules.readers.consent import Deed
from digest.store.readers import notices, subscribers
from digest.tasks.readers import privacy, reader_page
from digest.tasks.readers.readers import Origin, Readers, end, record_consent
from digest.tasks.readers.rhythm import UNCHANGED, Rhythm, set_rhythm
from digest.tasks.readers.sign_up import Choices, check_choices, check_form, check_most


@dataclass(frozen=True, slots=True)
class Change:
    """The changes to one subscription and its reader; None leaves a value unchanged.

    `hour` -1 is the usual hour, `most` 0 as many articles as fit, `topics` ("*",) all of them, an empty
    `language` or `timezone` none of the reader's own; `paused` with no `until` has no end.
    """

    cadence: str | None = None
    topics: tuple[str, ...] | None = None
    hour: int | None = None
    most: int | None = None
    form: str | None = None
    rhythm: Rhythm = UNCHANGED
    paused: bool = False
    until: datetime | None = None
    name: str | None = None
    language: str | None = None
    timezone: str | None = None

    @property
    def is_about_a_digest(self) -> bool:
        """Return whether it changes a subscription."""
        choices = (self.cadence, self.topics, self.hour, self.most, self.form)
        return self.paused or self.rhythm != UNCHANGED or any(one is not None for one in choices)


class ReaderChanged(InputError):  # noqa: N818 - named for what happened
    """Look again: somebody else, or the reader, has changed the choices since they were shown."""


def version_of(subscriber: Subscriber, rows: Iterable[Subscription]) -> str:
    """Return what changes whenever a reader's choices do: 16 hexadecimal digits."""
    kept: list[object] = [subscriber.address_key, subscriber.name, subscriber.language, subscriber.timezone]
    kept += [row.model_dump(exclude={"id", "cohort_id"}) for row in rows]
    return sha256(repr(kept).encode()).hexdigest()[:16]


def set_choices(
    readers: Readers,
    address: str,
    digest: str | None,
    change: Change,
    now: datetime,
    origin: Origin,
    *,
    seen: str | None = None,
) -> bool:
    """Apply the changes; return whether anything changed.

    Raise InputError for a reader who is not known or has left, and for what the digest does not offer, and
    ReaderChanged where the choices are not those of the version that was `seen`.
    """
    with readers.database.write() as session:
        subscriber = privacy.get_known(session, readers, address)
        if seen is not None:
            subscribers.find_subscriber(session, subscriber.address_key, lock=True)
            if seen != version_of(subscriber, subscribers.list_subscriptions(session, row_id(subscriber))):
                raise ReaderChanged(
                    "somebody else has changed this reader since you opened it: reload the page, then save"
                )
        details = _details(subscriber, change)
        changed = subscribers.change_details(session, subscriber, **details)
        if changed:
            kept = {name: str(value or "") for name, value in details.items() if name != "name"}
            for row in subscribers.list_subscriptions(session, row_id(subscriber)):
                record_consent(session, row, Act.CHANGED, now, {**origin, **kept})
        if change.is_about_a_digest:
            row = _get_active(session, readers, subscriber, digest)
            changed = _change(session, readers, row, change, now, origin) or changed
    return changed


def _details(subscriber: Subscriber, change: Change) -> dict[str, Any]:
    """Return a reader's name, language and zone as they shall be; an empty language or zone is none."""
    if change.timezone and not is_time_zone(change.timezone):
        raise InputError(f'"{change.timezone}" is not a time zone: write it as Europe/Paris')
    wanted = {name: getattr(change, name) for name in ("name", "language", "timezone")}
    return {
        name: getattr(subscriber, name)
        if value is None
        else tidy_name(value)
        if name == "name"
        else value or None
        for name, value in wanted.items()
    }


def _change(
    session: Session, readers: Readers, row: Subscription, change: Change, now: datetime, origin: Origin
) -> bool:
    offered = readers.settings.digest(row.digest)
    chosen = tuple(row.topics) if change.topics is None else change.topics
    wanted = check_choices(offered, Choices(change.cadence or row.cadence, chosen))
    hour = row.hour if change.hour is None else None if change.hour < 0 else change.hour
    if hour is not None and not 0 <= hour <= 23:
        raise InputError(f'"{hour}" is not an hour: pick 0 to 23, or "usual"')
    topics = consent.choose_topics(row.topics, wanted.topics, now)
    changed = subscribers.change_choices(session, row, cadence=wanted.cadence, topics=topics, hour=hour)
    if changed:
        told = {**origin, "cadence": wanted.cadence, "topics": ";".join(topics)}
        if hour is not None:
            told["hour"] = str(hour)
        record_consent(session, row, Act.CHANGED, now, told)
    if change.most is not None:
        check_most(offered, change.most or None)
        if subscribers.change_most(session, row, change.most or None):
            record_consent(
                session, row, Act.CHANGED, now, {**origin, "max_articles": str(change.most or "all")}
            )
            changed = True
    if change.form is not None:
        form = check_form(change.form)
        if subscribers.change_form(session, row, form):
            record_consent(session, row, Act.CHANGED, now, {**origin, "form": form})
            changed = True
    if chosen_rhythm := set_rhythm(session, offered, row, change.rhythm):
        record_consent(session, row, Act.CHANGED, now, {**origin, **chosen_rhythm})
        changed = True
    if change.paused and (row.state, row.paused_until) != (SubscriptionState.PAUSED, change.until):
        row.paused_until = change.until
        subscribers.change_state(session, row, SubscriptionState.PAUSED, now)
        until = change.until.isoformat() if change.until else "until resumed"
        record_consent(session, row, Act.CHANGED, now, {**origin, "paused_until": until})
        return True
    return changed


def move(readers: Readers, old: str, new: str, now: datetime, origin: Origin) -> None:
    """Move a reader to another address, and notify the old one; ledger and record stay with the reader.

    Raise InputError if nobody has the old address, or if the new one is another reader's or suppressed.
    """
    found = normalise(new)
    with readers.database.write() as session:
        subscriber = privacy.get_known(session, readers, old)
        if found.key == subscriber.address_key:
            raise InputError(f'"{new}" is the address already')
        banned = subscribers.find_ban(session, readers.hash_address(found.key))
        if banned is not None:
            why = consent.explain_suppression(banned.reason, banned.created_at)
            raise InputError(f'"{new}" is suppressed: {why}')
        if not reader_page.move_to(session, readers, subscriber, found, now, origin):
            raise InputError(
                f'"{new}" is another reader\'s address, or the operator suppressed it: '
                "`digest subscribers show` tells which"
            )


def leave(readers: Readers, address: str, digest: str | None, now: datetime, origin: Origin) -> list[str]:
    """End a reader's subscription, or all of them; return the digests."""
    with readers.database.write() as session:
        wanted = _list_named(session, readers, address, digest)
        return [row.digest for row in wanted if end(session, row, now, origin)]


def resume(readers: Readers, address: str, digest: str | None, now: datetime, origin: Origin) -> list[str]:
    """End a reader's pauses; return the digests that resume. A reader who left has to confirm again."""
    with readers.database.write() as session:
        wanted = _list_named(session, readers, address, digest)
        done = [row for row in wanted if consent.next_state(row.state, Deed.RESUME) is not None]
        for row in done:
            subscribers.change_state(session, row, SubscriptionState.CONFIRMED, now)
            record_consent(session, row, Act.CHANGED, now, {**origin, "paused_until": "now"})
        return [row.digest for row in done]


def _list_named(session: Session, readers: Readers, address: str, digest: str | None) -> list[Subscription]:
    """List a reader's subscriptions, or the one to a digest; raise InputError if there is no such digest."""
    rows = subscribers.list_subscriptions(session, row_id(privacy.get_known(session, readers, address)))
    named = [row for row in rows if digest in (None, row.digest)]
    known = [one.name for one in readers.settings.digests]
    if digest is not None and not named and digest not in known:
        raise InputError(f'there is no digest "{digest}"; there is {", ".join(known)}')
    return named


def suppress(readers: Readers, address: str, now: datetime, origin: Origin) -> list[str]:
    """Suppress an address, whether or not a reader has it; return the digests that ended by it."""
    found = normalise(address)
    with readers.database.write() as session:
        reason = SuppressionReason.OPERATOR
        subscribers.lift_suppression(session, readers.hash_address(found.key))
        subscribers.add_suppression(session, readers.hash_address(found.key), reason, now)
        subscriber = subscribers.find_subscriber(session, found.key)
        rows = subscribers.list_subscriptions(session, row_id(subscriber)) if subscriber else []
        return [row.digest for row in rows if end(session, row, now, {**origin, "suppressed": reason})]


def unsuppress(readers: Readers, address: str, now: datetime, origin: Origin) -> str:
    """Lift a suppression, which makes no subscription active again; return the reason that it had.

    Until its holder confirms a sign-up, imports and restored backups keep the address out, also one that was
    erased, of which nothing else is known. The event is recorded for each of the reader's subscriptions.
    Raise InputError if there is no suppression.
    """
    found = normalise(address)
    with readers.database.write() as session:
        banned = subscribers.find_ban(session, readers.hash_address(found.key))
        if banned is None:
            raise InputError(f'"{address}" is not suppressed')
        subscribers.lift_suppression(session, banned.address_hash)
        subscribers.add_suppression(session, banned.address_hash, SuppressionReason.LIFTED, now)
        subscriber = subscribers.find_subscriber(session, found.key)
        for row in subscribers.list_subscriptions(session, row_id(subscriber)) if subscriber else []:
            record_consent(session, row, Act.CHANGED, now, {**origin, "unsuppressed": banned.reason})
        return banned.reason


def send_link(readers: Readers, address: str, now: datetime, origin: Origin) -> None:
    """Plan the message with a reader's one-hour link; raise InputError if none can be sent."""
    with readers.database.read() as session:
        subscriber = privacy.get_known(session, readers, address)
        number, since = row_id(subscriber), now - reader_page.LINKS_IN
        before = notices.list_requested(session, number, NoticeKind.LINK, since)
        rows = subscribers.list_subscriptions(session, number)
    if all(row.confirmed_at is None for row in rows):
        raise InputError(f'"{address}" never confirmed: there is nothing to manage yet')
    if len(before) >= reader_page.MOST_LINKS:
        raise InputError(f'"{address}" was mailed {len(before)} links within a day: try again tomorrow')
    reader_page.request_link(readers, address, origin, now)


def find(readers: Readers, digest: str | None, text: str) -> Iterator[tuple[Subscriber, Subscription]]:
    """Stream the readers of a digest, or of all, whose address or name contains a text."""
    with readers.database.read() as session:
        yield from subscribers.list_readers(session, digest, text)


def explain_inactive(readers: Readers, address: str, digest: str | None) -> str:
    """Explain why a reader gets nothing: gone since when, and what would bring them back; "" if they do."""
    with readers.database.read() as session:
        return _explain_inactive(session, readers, privacy.get_known(session, readers, address), digest)


def _explain_inactive(session: Session, readers: Readers, subscriber: Subscriber, digest: str | None) -> str:
    """Explain why a reader has no active subscription; "" where nothing is known, or there is one."""
    rows = subscribers.list_subscriptions(session, row_id(subscriber))
    named = [row for row in rows if digest in (None, row.digest)]
    if any(row.state in SUBSCRIBED for row in named):
        return ""
    banned = subscribers.find_ban(session, readers.hash_address(subscriber.address_key))
    if banned is not None:
        return consent.explain_suppression(banned.reason, banned.created_at)
    if any(row.state == SubscriptionState.PENDING for row in named):
        return "asked, and not confirmed yet"
    ended = [row.ended_at for row in named if row.ended_at]
    return consent.explain_departure(max(ended)) if ended else ""


def _get_active(
    session: Session, readers: Readers, subscriber: Subscriber, digest: str | None
) -> Subscription:
    """Return the subscription that is meant; raise InputError if that is ambiguous or it is not active."""
    rows = subscribers.list_subscriptions(session, row_id(subscriber))
    wanted = [row for row in rows if row.state in SUBSCRIBED and digest in (None, row.digest)]
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        raise InputError(f"name one with --digest: {', '.join(row.digest for row in wanted)}")
    why = _explain_inactive(session, readers, subscriber, digest)
    why = why or "only a confirmed sign-up makes one active"
    raise InputError(f'"{subscriber.address}" gets no digest to change: {why}')
