"""Resume paused editions."""

from collections.abc import Sequence

from sqlmodel import Session

from digest.models import Edition, EditionState
from digest.store.editions import editions


def resume_editions(session: Session, chosen: Sequence[Edition]) -> list[Edition]:
    """Resume those of the chosen editions that are paused, and return them."""
    paused = [edition for edition in chosen if edition.state == EditionState.PAUSED]
    for edition in paused:
        edition.retry_at = None
        editions.set_state(session, edition, EditionState.FROZEN)
    return paused
