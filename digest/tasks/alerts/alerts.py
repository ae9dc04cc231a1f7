"""Find what is wrong, and keep since when."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.models import Alert, AlertKind
from digest.rules.alerts import (
    Condition,
    find_conditions,
    is_forgettable,
    title_of,
)
from digest.settings import Settings
from digest.settings.inbound import ImapSettings
from digest.store import alerts
from digest.store.database import Database
from digest.tasks.alerts.alert_facts import FreeBytes, free_bytes, gather_facts

OBSERVED = (AlertKind.RELAY, AlertKind.MAILBOX)
"""Kinds that no table shows: whoever meets such a condition enters it."""

_KEPT = timedelta(days=7)


def note_conditions(
    database: Database, settings: Settings, now: datetime, free: FreeBytes = free_bytes
) -> None:
    """Keep which conditions stand, and end those that do not any more; write only where that has changed.

    Those of a relay or a mailbox that is not in the settings any more are forgotten: nobody meets their end.
    """
    with database.read() as session:
        standing = {one.key: one for one in alerts.list_alerts(session) if one.ended_at is None}
        conditions = find_conditions(
            gather_facts(session, settings, now, free, was_full="disk" in standing), now
        )
    mine = {key for key, one in standing.items() if one.kind not in OBSERVED}
    gone = {key for key, one in standing.items() if key not in mine and not _is_observed(settings, one)}
    new = [one for one in conditions if one.key not in mine or standing[one.key].detail != one.detail]
    over = mine - {one.key for one in conditions}
    if new or over or gone:
        with database.write() as session:
            alerts.take_turns(session)
            for condition in new:
                _begin(session, condition, now)
            for key in over:
                _end(session, key, now)
            alerts.forget(session, sorted(gone))
            alerts.forget_ended(session, now - _KEPT)


def observe(database: Database, kind: AlertKind, name: str, trouble: str, now: datetime) -> None:
    """Enter what was met with a relay or a mailbox: trouble, or none any more."""
    key = f"{kind} {name}"
    with database.read() as session:
        known = alerts.find_alert(session, key)
    stands = known is not None and known.ended_at is None
    if stands == bool(trouble):
        return
    with database.write() as session:
        alerts.take_turns(session)
        if trouble:
            _begin(session, Condition(key, kind, name, trouble), now)
        else:
            _end(session, key, now)


def list_shown(
    session: Session, settings: Settings, now: datetime, first: Sequence[Condition] = ()
) -> list[dict[str, str]]:
    """Return all that is wrong now, for the desk: it is looked at anew, even where nothing runs.

    `first` are conditions that no table shows.
    """
    found = find_conditions(gather_facts(session, settings, now), now)
    observed = [one for one in alerts.list_open(session, OBSERVED) if _is_observed(settings, one)]
    return describe([*first, *found, *observed])


def describe(shown: Sequence[Condition | Alert]) -> list[dict[str, str]]:
    """Return conditions as they are shown."""
    return [
        {"kind": str(one.kind), "title": title_of(one), "detail": one.detail, "path": one.path}
        for one in shown
    ]


def name_mailbox(imap: ImapSettings) -> str:
    """Return the name of a mailbox in alerts."""
    return f"{imap.username} on {imap.host}"


def _is_observed(settings: Settings, alert: Alert) -> bool:
    """Return whether the relay or the mailbox that a condition was met with is still in the settings."""
    if alert.kind == AlertKind.RELAY:
        smtp = settings.smtp
        return alert.name in {f"{one.host}:{one.port}" for one in (smtp, *smtp.relays.values())}
    imap = settings.inbound.imap
    return imap is not None and alert.name == name_mailbox(imap)


def _begin(session: Session, condition: Condition, now: datetime) -> None:
    """Enter a condition, or what is known of it now; it goes on where its all-clear has not left."""
    known = alerts.find_alert(session, condition.key)
    if known is None or known.cleared_at is not None:
        known = Alert(key=condition.key, kind=condition.kind, name=condition.name, began_at=now)
    known.name, known.detail, known.path, known.ended_at = (
        condition.name,
        condition.detail,
        condition.path,
        None,
    )
    alerts.save(session, known)


def _end(session: Session, key: str, now: datetime) -> None:
    known = alerts.find_alert(session, key)
    if known is None or known.ended_at is not None:
        return
    known.ended_at = now
    if is_forgettable(known, now):
        alerts.forget(session, [key])
    else:
        alerts.save(session, known)
