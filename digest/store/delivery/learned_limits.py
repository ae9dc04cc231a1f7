"""What was learned of how fast domains may be served, kept from run to run."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, delete, select

from digest.models import LearnedLimit


def list_slowed(session: Session, since: datetime) -> list[LearnedLimit]:
    """List who asked to slow down since a moment, the slowest first."""
    return list(
        session.exec(
            select(LearnedLimit).where(LearnedLimit.slowed_at >= since).order_by(col(LearnedLimit.rate))
        )
    )


def save_slowed(session: Session, rates: Mapping[str, float], now: datetime, since: datetime) -> None:
    """Keep the rates that were learned, and forget those from before a moment."""
    session.exec(delete(LearnedLimit).where(col(LearnedLimit.slowed_at) < since))
    for name, rate in rates.items():
        session.merge(LearnedLimit(name=name, rate=rate, slowed_at=now))
