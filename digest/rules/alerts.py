"""What is wrong, who is notified of it, and when: pure functions over facts and `now`.

A condition is reported once, by the mail that begins it; the mail that ends it is the all-clear. One that
comes back before its all-clear was sent is still the same: what comes and goes sends no stream of mails.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.models import Alert, AlertKind, Audience, EditionState

LATE_AFTER = timedelta(minutes=15)
"""An edition that is not made so long after its deadline is late."""

DEAD_AFTER = timedelta(days=1)
"""A source that has failed for so long, and several times, is dead."""

DEAD_FAILURES = 3
NEARLY_FULL = 500_000_000
"""A disk with fewer free bytes is nearly full; it counts as having room again a fifth above that."""

BLOCK_SPAN = timedelta(days=1)
LEAST_BLOCKED = 5
"""A receiver blocks us when it refused so many messages in that time for what it holds against us."""

BETWEEN_MAILS = timedelta(minutes=10)
"""The time between two mails to the same people; what comes meanwhile is in the second."""

_PATIENCE = {AlertKind.RELAY: timedelta(minutes=10), AlertKind.MAILBOX: timedelta(minutes=15)}
"""How long a condition must last before it is reported: a server that restarts is no news."""

_CLEARED_AFTER = {
    AlertKind.PAUSED: timedelta(minutes=20),  # longer than a fault pauses an edition for
    AlertKind.RELAY: timedelta(minutes=20),
    AlertKind.MAILBOX: timedelta(minutes=20),
    AlertKind.SOURCE: timedelta(hours=1),
    AlertKind.BLOCKED: timedelta(hours=1),
}
"""How long a condition must be over before its all-clear leaves."""

_TOLD_WHEN_OVER = (AlertKind.LATE, AlertKind.MISSED)
"""Reported even when it is over before anybody could be notified: a catch-up edition ends it at once."""

_TITLES = {
    AlertKind.HELD: ("{} is held", "{} was held", "{} is no longer held"),
    AlertKind.PAUSED: ("{} is paused", "{} was paused", "{} is no longer paused"),
    AlertKind.LATE: ("{} is late", "{} was late", "{} is no longer late"),
    AlertKind.EMPTY: ("{} had nothing new", "{} had nothing new", "{} has articles again"),
    AlertKind.UNAPPROVED: (
        "{} is not approved yet", "{} was not approved in time", "{} no longer waits for approval",
    ),
    AlertKind.SOURCE: ("The source {} is dead", "The source {} was dead", "The source {} works again"),
    AlertKind.MISSED: (
        "Nothing ran when {} was due", "Nothing ran when {} was due", "The schedule runs again",
    ),
    AlertKind.RELAY: (
        "The relay {} refuses us", "The relay {} refused us", "The relay {} accepts mail again",
    ),
    AlertKind.DISK: ("{} is nearly full", "{} was nearly full", "{} has room again"),
    AlertKind.MAILBOX: (
        "The mailbox {} cannot be read", "The mailbox {} could not be read",
        "The mailbox {} can be read again",
    ),
    AlertKind.BLOCKED: ("{} blocks our mail", "{} blocked our mail", "{} has blocked nothing for a day"),
    AlertKind.WEBHOOK: (
        "Webhooks to {} are disabled", "Webhooks to {} were disabled", "Webhooks to {} are sent again",
    ),
    AlertKind.RESTORED: ("Nothing is sent: {}", "Nothing was sent: {}", "Messages are sent again"),
}  # fmt: skip
"""The words for each while it lasts, when it is over before it was reported, and for its all-clear."""


@dataclass(frozen=True, slots=True)
class WatchedEdition:
    """A made or held edition; `is_empty` where it has readers and nothing for any of them."""

    id: int
    name: str
    cadence_name: str
    path: str
    state: str
    reason: str
    deadline_at: datetime
    freeze_at: datetime
    is_latest: bool = False
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class WatchedDeadline:
    """An edition that is not made yet; `remind_at` is None where it needs no approval, or has it."""

    key: str
    name: str
    path: str
    deadline_at: datetime
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailingSource:
    """A source whose last fetch failed; `since` is its last success, None where it never had one."""

    name: str
    failures: int
    since: datetime | None
    is_stopped: bool
    error: str


@dataclass(frozen=True, slots=True)
class BlockedMail:
    """Messages that a receiver refused within BLOCK_SPAN for a reason that is held against us."""

    receiver: str
    reason: str
    messages: int


@dataclass(frozen=True, slots=True)
class DisabledReceiver:
    """A receiver of webhooks that was disabled because it failed; named by its host."""

    id: int
    host: str
    why: str
    path: str


@dataclass(frozen=True, slots=True)
class Watched:
    """All that is looked at; `free_bytes` is None where the disk was not looked at."""

    editions: Sequence[WatchedEdition] = ()
    deadlines: Sequence[WatchedDeadline] = ()
    sources: Sequence[FailingSource] = ()
    blocked: Sequence[BlockedMail] = ()
    receivers: Sequence[DisabledReceiver] = ()
    disk: str = ""
    free_bytes: int | None = None
    disk_was_full: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong now; `key` is what makes it the same as before."""

    key: str
    kind: AlertKind
    name: str
    detail: str = ""
    path: str = ""


@dataclass(slots=True)
class AlertMail:
    """One mail to an audience: the conditions that began, and those that are over."""

    audience: Audience
    began: list[Alert] = field(default_factory=list)
    over: list[Alert] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Return the subject: what it is about, or how many things."""
        items = [*map(title_of, self.began), *(f"All clear: {over_title_of(one)}" for one in self.over)]
        return items[0] if len(items) == 1 else f"{items[0]}, and {len(items) - 1} more"


def find_conditions(watched: Watched, now: datetime) -> list[Condition]:
    """Return all that is wrong, as far as it was looked at."""
    late = [one for one in watched.deadlines if now - one.deadline_at > LATE_AFTER]
    found = [condition for edition in watched.editions for condition in _of_edition(edition, now)]
    found += [_late(one) for one in late]
    due = [one for one in watched.deadlines if one.remind_at and one.remind_at <= now < one.deadline_at]
    found += [_unapproved(one) for one in due]
    found += [_dead(one) for one in watched.sources if is_dead(one, now)]
    found += [_disabled(one) for one in watched.receivers]
    return found + _blocked(watched.blocked) + _missed(late) + _full(watched)


def restored(trouble: str = "") -> Condition:
    """Return the condition of a database that was restored from a backup and not decided about yet, or
    whose state file is in `trouble`.

    It is shown and not mailed: the copy may not be the one that readers hear from.
    """
    name = "the database was restored from a backup"
    detail = (
        "It may not know what readers have received since that backup. No edition, correction or confirmation"
        " is sent until an operator decides: on the command line `digest status` says how. What you save here"
        " is kept."
    )
    if trouble:
        name, detail = "whether the database is a restored one is not known", _sentence(trouble)
    return Condition("restored", AlertKind.RESTORED, name, detail)


def is_dead(source: FailingSource, now: datetime) -> bool:
    """Return whether a source is dead: gone for good, or failing for a day and several times."""
    if source.is_stopped:
        return True
    is_old = source.since is None or now - source.since >= DEAD_AFTER
    return source.failures >= DEAD_FAILURES and is_old


def choose_mail(
    alerts: Iterable[Alert], audience: Audience, now: datetime, last_at: datetime | None
) -> AlertMail | None:
    """Return the mail that is due to an audience, with all that is to be reported; None if nothing is.

    `last_at` is when a mail to them last left, or was begun.
    """
    if last_at is not None and now - last_at < BETWEEN_MAILS:
        return None
    mine = [one for one in alerts if AlertKind(one.kind).audience == audience]
    mail = AlertMail(audience, [one for one in mine if is_to_tell(one, now)], [])
    mail.over = [one for one in mine if is_to_clear(one, now)]
    return mail if mail.began or mail.over else None


def is_to_tell(alert: Alert, now: datetime) -> bool:
    """Return whether an alert's beginning is to be reported now."""
    if alert.told_at is not None:
        return False
    if alert.ended_at is None:
        return now - alert.began_at >= _PATIENCE.get(AlertKind(alert.kind), timedelta())
    return not is_forgettable(alert, now)


def is_to_clear(alert: Alert, now: datetime) -> bool:
    """Return whether an alert's end is to be reported now; one reported after its end needs none."""
    if alert.told_at is None or alert.ended_at is None or alert.cleared_at is not None:
        return False
    return now - alert.ended_at >= _CLEARED_AFTER.get(AlertKind(alert.kind), timedelta())


def is_forgettable(alert: Alert, now: datetime) -> bool:
    """Return whether an alert that is over need not be reported: no mail was tried, and it is no event."""
    if alert.ended_at is None or alert.told_at is not None:
        return False
    return alert.claimed_at is None and alert.kind not in _TOLD_WHEN_OVER


def title_of(alert: Alert | Condition) -> str:
    """Return what is wrong, in one line; in the past where it is over."""
    is_over = isinstance(alert, Alert) and alert.ended_at is not None
    return _TITLES[AlertKind(alert.kind)][is_over].format(alert.name)


def over_title_of(alert: Alert) -> str:
    """Return that it is over, in one line."""
    return _TITLES[AlertKind(alert.kind)][2].format(alert.name)


def _of_edition(edition: WatchedEdition, now: datetime) -> list[Condition]:
    found = []
    if edition.state == EditionState.HELD:
        detail = (
            f"{_sentence(edition.reason)} It is sent as soon as nothing holds it. If it is still held at the"
            " next deadline, it is skipped and its articles are in the next edition."
        )
        found.append(Condition(f"held {edition.id}", AlertKind.HELD, edition.name, detail, edition.path))
    if edition.state == EditionState.PAUSED:
        detail = f"{_sentence(edition.reason)} What is planned is kept; nothing is sent while it is paused."
        found.append(Condition(f"paused {edition.id}", AlertKind.PAUSED, edition.name, detail, edition.path))
    if edition.state == EditionState.COMPILING and now - edition.freeze_at > LATE_AFTER:
        detail = (
            "It is still being made. The process that makes it may have stopped; the next run resumes it."
        )
        found.append(Condition(f"compiling {edition.id}", AlertKind.LATE, edition.name, detail, edition.path))
    if edition.is_latest and edition.is_empty:
        detail = f"{edition.name} went to nobody: no article was new for its readers."
        key = f"empty {edition.cadence_name}"
        found.append(Condition(key, AlertKind.EMPTY, edition.cadence_name, detail, edition.path))
    return found


def _late(one: WatchedDeadline) -> Condition:
    detail = "It was not made at its deadline. The next run makes it, or skips it if `max_lateness` says so."
    return Condition(f"late {one.key}", AlertKind.LATE, one.name, detail, one.path)


def _unapproved(one: WatchedDeadline) -> Condition:
    detail = "Without a publisher's approval it is held at its deadline."
    return Condition(f"unapproved {one.key}", AlertKind.UNAPPROVED, one.name, detail, one.path)


def _missed(late: Sequence[WatchedDeadline]) -> list[Condition]:
    """Return one condition for all deadlines that were missed: one cause, one mail."""
    if not late:
        return []
    first = min(late, key=lambda one: (one.deadline_at, one.name))
    others = f" {len(late) - 1} more editions were due too." if len(late) > 1 else ""
    detail = f"Is `digest run`, or cron's line with `digest send`, at work?{others}"
    return [Condition("missed", AlertKind.MISSED, first.name, detail)]


def _dead(source: FailingSource) -> Condition:
    detail = f"{_sentence(source.error)} `digest fetch {source.name}` tries it again now."
    return Condition(f"source {source.name}", AlertKind.SOURCE, source.name, detail)


def _blocked(refused: Sequence[BlockedMail]) -> list[Condition]:
    """Return a condition for each receiver that blocks us, with its reasons."""
    receivers: dict[str, list[BlockedMail]] = {}
    for one in refused:
        receivers.setdefault(one.receiver, []).append(one)
    found = []
    for receiver, reasons in receivers.items():
        total = sum(one.messages for one in reasons)
        if total >= LEAST_BLOCKED:
            told = ", ".join(f"{one.reason} ({one.messages})" for one in reasons)
            detail = (
                f"It refused {total} messages within a day: {told}. No reader is held responsible; `digest"
                " bounces` shows each receiver, and `digest doctor` checks what receivers ask for."
            )
            found.append(Condition(f"blocked {receiver}", AlertKind.BLOCKED, receiver, detail))
    return found


def _disabled(receiver: DisabledReceiver) -> Condition:
    detail = (
        f"{_sentence(receiver.why)} What it has not received is kept for 30 days: correct it and start it"
        " again at the desk, or remove it."
    )
    return Condition(f"webhook {receiver.id}", AlertKind.WEBHOOK, receiver.host, detail, receiver.path)


def _full(watched: Watched) -> list[Condition]:
    free, least = watched.free_bytes, NEARLY_FULL * (6 if watched.disk_was_full else 5) // 5
    if free is None or free >= least:
        return []
    most = free // 100_000_000 * 100 + 100  # in steps, so that the words are not new each time
    detail = f"Less than {most} MB are free. A full disk stops sending, though nothing is lost by it."
    return [Condition("disk", AlertKind.DISK, watched.disk, detail)]


def _sentence(text: str) -> str:
    """Return a text as a sentence; empty for none."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
