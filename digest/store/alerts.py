"""Alerts: what is wrong, since when, and who was told; and the rows that are looked at to find out."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, exists, or_, select

from digest.models import Alert, AlertKind, Edition, EditionCohort, Source, Variant
from digest.store.transactions import take_turn

_TURN = 0x616C_6572  # any number that no other lock of ours has


def take_turns(session: Session) -> None:
    """Lock alerts until the transaction ends; SQLite has one writer anyway."""
    take_turn(session, _TURN)


def list_alerts(session: Session) -> list[Alert]:
    """List all alerts that are kept, the oldest first."""
    return list(session.exec(select(Alert).order_by(col(Alert.began_at), col(Alert.key))))


def list_open(session: Session, kinds: Sequence[AlertKind]) -> list[Alert]:
    """List the alerts of some kinds that are not over."""
    query = select(Alert).where(col(Alert.kind).in_(kinds), col(Alert.ended_at).is_(None))
    return list(session.exec(query.order_by(col(Alert.began_at), col(Alert.key))))


def find_alert(session: Session, key: str) -> Alert | None:
    """Find an alert by its key, whether it stands or is over."""
    return session.get(Alert, key)


def save(session: Session, alert: Alert) -> None:
    """Enter an alert as it is now."""
    session.merge(alert)


def forget(session: Session, keys: Sequence[str]) -> None:
    """Remove alerts that nobody was told about, and need not be."""
    session.exec(delete(Alert).where(col(Alert.key).in_(keys)))


def forget_ended(session: Session, before: datetime) -> None:
    """Remove alerts that were over long ago."""
    session.exec(delete(Alert).where(col(Alert.ended_at) < before))


def list_failing_sources(session: Session) -> list[Source]:
    """List the sources whose last fetch failed, and those that were given up; none that somebody paused."""
    fails = or_(col(Source.failures) > 0, col(Source.stopped_at).is_not(None))
    query = select(Source).where(fails, col(Source.paused_at).is_(None))
    return list(session.exec(query.order_by(Source.name)))


def is_empty(session: Session, edition: Edition) -> bool:
    """Return whether a made edition has readers, and nothing for any of them: not even too little yet."""
    of_it = col(EditionCohort.edition_id) == edition.id
    decided, waits = exists().where(of_it), exists().where(of_it, col(EditionCohort.waits))
    has_variant = exists().where(col(Variant.edition_id) == edition.id)
    return bool(session.exec(select(decided & ~has_variant & ~waits)).one())
