"""The limits learned from domains' replies, kept from run to run."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, delete, select

from digest.models import LearnedLimit


def list_slowed(session: Session, since: datetime) -> list[LearnedLimit]:
    """List the limits learned since a moment, the slowest first."""
    return list(
        session.exec(
            select(LearnedLimit).where(LearnedLimit.slowed_at >= since).order_by(col(LearnedLimit.rate))
        )
    )


def save_slowed(session: Session, rates: Mapping[str, float], now: datetime, since: datetime) -> None:
    """Store learned rates, and delete those from before a moment."""
    session.exec(delete(LearnedLimit).where(col(LearnedLimit.slowed_at) < since))
    for name, rate in rates.items():
        session.merge(LearnedLimit(name=name, rate=rate, slowed_at=now))
