"""What was learned of how fast domains may be served, kept from run to run."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, delete, select

from digest.models import Slowed


def list_slowed(session: Session, since: datetime) -> list[Slowed]:
    """List who asked to slow down since a moment, the slowest first."""
    return list(session.exec(select(Slowed).where(Slowed.slowed_at >= since).order_by(col(Slowed.rate))))


def save_slowed(session: Session, rates: Mapping[str, float], now: datetime, since: datetime) -> None:
    """Keep the rates that were learned, and forget those from before a moment."""
    session.exec(delete(Slowed).where(col(Slowed.slowed_at) < since))
    for name, rate in rates.items():
        session.merge(Slowed(name=name, rate=rate, slowed_at=now))
