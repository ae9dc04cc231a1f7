"""Resume paused editions, and plan failed deliveries again."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Edition, EditionState
from digest.models.row import row_id
from digest.store.delivery import deliveries
from digest.store.editions import editions
from digest.tasks.articles.withdrawing import take_out_withdrawn

_MADE = (EditionState.FROZEN, EditionState.PAUSED, EditionState.FINISHED)


def resume_editions(session: Session, chosen: Sequence[Edition]) -> list[Edition]:
    """Resume those of the chosen editions that are paused, and return them."""
    paused = [edition for edition in chosen if edition.state == EditionState.PAUSED]
    for edition in paused:
        edition.retry_at = None
        editions.set_state(session, edition, EditionState.FROZEN)
    return paused


def retry_failed(
    session: Session, chosen: Sequence[Edition], now: datetime
) -> list[tuple[Edition, int, int]]:
    """Plan the failed deliveries of editions again; return each edition with how many are, and are not.

    Readers who have left are not retried, nor those who got a later edition of the digest: it had the
    articles. Articles withdrawn meanwhile are taken out. Raise InputError while an edition of the digest is
    compiled.
    """
    editions.lock_against_new(session)
    done = []
    for edition in chosen:
        if edition.state not in _MADE:
            continue
        if editions.list_editions(session, digest=edition.digest, states=[EditionState.COMPILING]):
            raise InputError(f"an edition of {edition.digest} is being compiled: retry when it is frozen")
        before = deliveries.count_failed(session, row_id(edition))
        planned = deliveries.replan_failed(session, row_id(edition), now) if before else 0
        if planned:
            take_out_withdrawn(session, edition, now)
            if edition.state == EditionState.FINISHED:
                edition.finished_at = None
                editions.set_state(session, edition, EditionState.FROZEN)
        if before:
            done.append((edition, planned, before - planned))
    return done
