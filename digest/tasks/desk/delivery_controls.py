"""Pause, resume or retry the delivery of an edition, and record who did it."""

from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Edition, EditionName, EditionState
from digest.models.row import row_id
from digest.store.editions import drafts, editions
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import Edit
from digest.tasks.editions.retries import resume_editions, retry_failed


def pause_edition(desk: Desk, edit: Edit) -> None:
    """Pause an edition until it is resumed: messages in flight are finished, and no others are sent."""
    with desk.database.write() as session:
        edition = _get(session, edit)
        if edition.state != EditionState.FROZEN:
            raise InputError(f"it is {edition.state}; only what is being delivered can be paused")
        editions.pause(session, row_id(edition), f"paused by {edit.who}", retry_at=None)
        note_act(session, edit.name, edit.who, edit.now, "paused delivery")


def resume_edition(desk: Desk, edit: Edit) -> None:
    """Resume a paused edition."""
    with desk.database.write() as session:
        if not resume_editions(session, [_get(session, edit)]):
            raise InputError("the edition is not paused")
        note_act(session, edit.name, edit.who, edit.now, "resumed delivery")


def retry_edition(desk: Desk, edit: Edit) -> None:
    """Plan an edition's failed deliveries again, except for readers who have got a later edition."""
    with desk.database.write() as session:
        done = retry_failed(session, [_get(session, edit)], edit.now)
        planned = sum(count for _, count, _ in done)
        if not planned:
            raise InputError(
                "nobody can be tried again: those who failed have left, or have received a later edition"
            )
        note_act(session, edit.name, edit.who, edit.now, say_retried(planned))


def say_retried(planned: int) -> str:
    """Return how the activity tells that failed deliveries are planned again."""
    return f"retried {planned:,} failed {'reader' if planned == 1 else 'readers'}"


def _get(session: Session, edit: Edit) -> Edition:
    edition = editions.find_edition(session, edit.name.digest, edit.name.cadence, edit.name.period)
    if edition is None:
        raise InputError("the edition is not made yet")
    return edition


def note_act(session: Session, name: EditionName, who: str, now: datetime, act: str) -> None:
    """Enter an act in the activity of an edition."""
    drafts.note(session, drafts.find_or_new(session, *name), who, act, now)
