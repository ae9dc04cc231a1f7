"""Freeze an edition: the last commit of its planning, after which its deliveries may be claimed."""

from sqlmodel import Session

from digest.models import Edition, EditionState
from digest.models.programs.webhooks import WebhookEvent
from digest.models.row import row_id
from digest.store import workers
from digest.store.editions import editions, snapshots
from digest.tasks.articles.withdrawing import take_out_withdrawn
from digest.tasks.webhooks.outbox import tell_of_edition


def freeze(session: Session, edition: Edition) -> None:
    """Freeze a planned edition as of its `freeze_at`.

    Articles that were withdrawn while it was planned are taken out, and the rest kept as they are now. The
    ledger's counter rises only if a worker planned it. Workers have compared it with the state file before; a
    command or the desk has not, and would bring a restored copy up to its file. What they freeze leaves by a
    worker, which raises the counter as it starts.
    """
    take_out_withdrawn(session, edition, edition.freeze_at)
    snapshots.keep(session, row_id(edition))
    if edition.compiler is not None:
        workers.raise_counter(session)
    open_to_claims(session, edition)


def open_to_claims(session: Session, edition: Edition) -> None:
    """Freeze an edition that lists no articles, such as a correction."""
    edition.frozen_at, edition.compiler = edition.freeze_at, None
    editions.set_state(session, edition, EditionState.FROZEN)
    tell_of_edition(session, WebhookEvent.EDITION_FROZEN, edition, edition.freeze_at)
