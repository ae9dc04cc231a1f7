"""What a backup says about readers, joined with what is known here: a batch of rows in one transaction.

What happened here since the backup stands: nobody who left is revived, and no choice of a reader turned back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.models import (
    SUBSCRIBED,
    Act,
    Confirmation,
    ConsentEvent,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.store.readers import batches, subscribers, whole_readers
from digest.store.readers.batches import KnownSuppression
from digest.store.readers.whole_readers import WholeReader
from digest.store.readers.wordings import keep_wording
from digest.tasks.readers.lists.backup_rows import BackupRow
from digest.tasks.readers.readers import Origin, Readers, end

_DETAILS = ("name", "language", "timezone")
_CHOICES = (
    "state", "cadence", "hour", "max_articles", "min_articles", "quiet", "breaking", "mail_form",
    "paused_until",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RestoreTerms:
    """When and from which file a backup is restored; with `update` its choices replace those of here."""

    origin: Origin
    now: datetime
    update: bool = False


@dataclass(frozen=True, slots=True)
class RestoredRow:
    """What became of a row, as a count of the report, and why; "" for one that goes on with an earlier."""

    row: BackupRow
    result: str
    why: str = ""


@dataclass(slots=True)
class _KnownReaders:
    """What the database knows about the people of a batch."""

    hashes: dict[str, str]
    bans: dict[str, KnownSuppression]
    readers: dict[str, WholeReader]
    new: set[str]
    seen: set[tuple[str, str]] = field(default_factory=set)


def restore_rows(
    session: Session, readers: Readers, rows: Sequence[BackupRow], terms: RestoreTerms
) -> list[RestoredRow]:
    """Restore a batch of rows; return what became of each."""
    known = _look_up(session, readers, rows)
    return [_restore(session, known, row, terms) for row in rows]


def _look_up(session: Session, readers: Readers, rows: Sequence[BackupRow]) -> _KnownReaders:
    """Read all that concerns a batch in a few statements, after adding the people who are new."""
    people: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.address:
            people.setdefault(row.person["address_key"], row.person)
    hashes = {key: readers.hash_address(key) for key in people}
    wanted = [*hashes.values(), *(row.address_hash for row in rows if row.address_hash)]
    bans = batches.find_suppressions(session, wanted)
    found = whole_readers.find_people(session, list(people))
    # Who is banned and has no record here was erased, or is kept out: no older backup brings them back.
    new = {key for key in people if key not in found and hashes[key] not in bans}
    subscribers.insert_new(session, Subscriber, [people[key] for key in people if key in new])
    found |= whole_readers.find_people(session, list(new))
    whole = whole_readers.find_whole(session, list(found.values()))
    return _KnownReaders(hashes, bans, {key: whole[row_id(one)] for key, one in found.items()}, new)


def _restore(session: Session, known: _KnownReaders, row: BackupRow, terms: RestoreTerms) -> RestoredRow:
    if row.address is None:
        return RestoredRow(row, "banned" if _ban(session, known, row.address_hash, row) else "unchanged")
    key = row.person["address_key"]
    ban, reader = known.bans.get(known.hashes[key]), known.readers.get(key)
    if ban is not None and _is_older_than_ban(reader, row):
        return RestoredRow(row, "suppressed", consent.explain_suppression(ban.reason, ban.created_at))
    if reader is None:
        return RestoredRow(
            row, "rejected", "its reader_id is another reader's here: the file was changed, or mixed"
        )
    result, why = _restore_subscription(session, known, reader, row, terms)
    if row.suppressed is not None and ban is None:
        _suppress(session, known, reader, row, terms)
    if known.hashes[key] in known.bans:
        _end_active(session, reader, known.bans[known.hashes[key]], terms)
    _add_events(session, reader, row)
    if (key, row.digest) in known.seen:
        return RestoredRow(row, "")
    known.seen.add((key, row.digest))
    return RestoredRow(row, result, why)


def _is_older_than_ban(reader: WholeReader | None, row: BackupRow) -> bool:
    """Return whether a row of somebody banned here is from before the ban, or before they were erased."""
    return row.suppressed is None or reader is None or reader.person.public_id != row.person["public_id"]


def _end_active(session: Session, reader: WholeReader, ban: KnownSuppression, terms: RestoreTerms) -> None:
    for one in reader.subscriptions:
        if one.state in SUBSCRIBED:
            end(session, one, terms.now, {**terms.origin, "suppressed": ban.reason})


def _restore_subscription(
    session: Session, known: _KnownReaders, reader: WholeReader, row: BackupRow, terms: RestoreTerms
) -> tuple[str, str]:
    """Enter a row's subscription, or decide what becomes of the one that is known; return (result, why)."""
    is_new = row.person["address_key"] in known.new
    if row.subscription is None:
        return ("added", "") if is_new else _restore_details(session, reader, row, terms)
    here = next((one for one in reader.subscriptions if one.digest == row.digest), None)
    if here is None:
        added = Subscription(subscriber_id=row_id(reader.person), **row.subscription)
        session.add(added)
        reader.subscriptions.append(added)
        _add_askings(session, added, row)
        return "added", ""
    if here.state == SubscriptionState.ENDED:
        still = row.subscription["state"] == SubscriptionState.ENDED
        return ("unchanged", "") if still else ("left", consent.explain_departure(here.ended_at))
    if row.subscription["state"] == SubscriptionState.ENDED:
        return _leave(session, here, row, terms)
    departed = [one.at for one in reader.events if (one.digest, one.act) == (row.digest, Act.LEFT)]
    if here.state == SubscriptionState.PENDING and departed:
        # Anybody may have typed the address into the sign-up since: that undoes no departure.
        return "left", consent.explain_departure(max(departed))
    if here.state == SubscriptionState.PENDING and row.subscription["state"] in SUBSCRIBED:
        here.confirmed_at = row.subscription["confirmed_at"]
        return _apply(session, reader, here, row, terms)
    if _is_same(reader, here, row):
        return "unchanged", ""
    if row.subscription["state"] == SubscriptionState.PENDING:
        return "kept", "is confirmed here"
    return _restore_details(session, reader, row, terms, here)


def _restore_details(
    session: Session,
    reader: WholeReader,
    row: BackupRow,
    terms: RestoreTerms,
    here: Subscription | None = None,
) -> tuple[str, str]:
    """Take over what differs, where that is wanted and the reader did not choose since."""
    if _has_same_details(reader, row) and here is None:
        return "unchanged", ""
    there = {(one["digest"], one["act"], one["at"]) for one in row.events}
    if any(
        one.act == Act.CHANGED
        and one.digest == row.digest
        and (one.digest, one.act, one.at) not in there
        and not {"import", "command"} & one.origin.keys()
        for one in reader.events
    ):
        return "kept", "has other choices here, made by the reader since the backup, which are kept"
    if not terms.update:
        return "kept", "has other choices here, which are kept; --update replaces them by the backup's"
    return _apply(session, reader, here, row, terms)


def _apply(
    session: Session, reader: WholeReader, here: Subscription | None, row: BackupRow, terms: RestoreTerms
) -> tuple[str, str]:
    details: dict[str, Any] = {name: row.person[name] for name in _DETAILS}
    subscribers.change_details(session, reader.person, **details)
    if here is not None and row.subscription is not None:
        for name in _CHOICES:
            setattr(here, name, row.subscription[name])
        here.topics = consent.choose_topics(here.topics, list(row.subscription["topics"]), terms.now)
        here.cohort_id = None
        session.add(here)
        session.flush()
    return "changed", ""


def _leave(session: Session, here: Subscription, row: BackupRow, terms: RestoreTerms) -> tuple[str, str]:
    """End a subscription that had ended in the backup, unless it was confirmed here later."""
    assert row.subscription is not None  # noqa: S101 - as the caller has seen
    left = row.subscription["ended_at"] or terms.now
    if here.confirmed_at is not None and here.confirmed_at > left:
        return "kept", f"left by the backup, and confirmed here later ({here.confirmed_at:%Y-%m-%d})"
    end(session, here, left, terms.origin)
    return "departed", f"left on {left:%Y-%m-%d}"


def _suppress(
    session: Session, known: _KnownReaders, reader: WholeReader, row: BackupRow, terms: RestoreTerms
) -> None:
    """Take over a suppression with its date, unless the reader confirmed anything here later."""
    assert row.suppressed is not None  # noqa: S101 - as the caller has seen
    reason, since = row.suppressed
    confirmed = [
        one.confirmed_at for one in reader.subscriptions if one.state in SUBSCRIBED and one.confirmed_at
    ]
    if any(at > since for at in confirmed):
        return
    _ban(session, known, known.hashes[row.person["address_key"]], row)
    if reason == SuppressionReason.LIFTED:
        return
    asked_again = row.subscription is not None and any(one["asked_at"] >= since for one in row.askings)
    for one in reader.subscriptions:
        if not (asked_again and one.digest == row.digest and one.state == SubscriptionState.PENDING):
            end(session, one, terms.now, {**terms.origin, "suppressed": reason})


def _ban(session: Session, known: _KnownReaders, hashed: str, row: BackupRow) -> bool:
    assert row.suppressed is not None  # noqa: S101 - a row without an address has one, as it was read
    if hashed in known.bans:
        return False
    reason, since = row.suppressed
    subscribers.add_suppression(session, hashed, reason, since)
    known.bans[hashed] = KnownSuppression(hashed, reason, since)
    return True


def _add_events(session: Session, reader: WholeReader, row: BackupRow) -> None:
    """Append the acts that are not recorded here yet; one moment may have several."""
    here = Counter((one.digest, one.act, one.at, _stable(one.origin)) for one in reader.events)
    for told in row.events:
        act = told["digest"], told["act"], told["at"], _stable(told["origin"])
        if here[act] > 0:
            here[act] -= 1
        else:
            told = dict(told)
            number = keep_wording(session, told.pop("wording"), told.pop("language"), told["at"])
            event = ConsentEvent(subscriber_id=row_id(reader.person), wording_id=number, **told)
            session.add(event)
            reader.events.append(event)


def _stable(origin: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(origin.items()))


def _add_askings(session: Session, added: Subscription, row: BackupRow) -> None:
    if row.askings:
        session.flush()
        session.add_all([Confirmation(subscription_id=row_id(added), **told) for told in row.askings])


def _is_same(reader: WholeReader, here: Subscription, row: BackupRow) -> bool:
    assert row.subscription is not None  # noqa: S101 - as the caller has seen
    there = row.subscription
    same = all(getattr(here, name) == there[name] for name in _CHOICES)
    return same and set(here.topics) == set(there["topics"]) and _has_same_details(reader, row)


def _has_same_details(reader: WholeReader, row: BackupRow) -> bool:
    return all(getattr(reader.person, name) == row.person[name] for name in _DETAILS)
