"""Deliver until nothing is due: the use case behind `digest send`."""

import gc
import logging
from collections.abc import Callable
from datetime import datetime

from digest.models import Edition
from digest.models.programs.webhooks import WebhookEvent
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import editions
from digest.tasks.articles.withdrawing import finish_withdrawals
from digest.tasks.delivery.loop import DeliveryLoop
from digest.tasks.delivery.recovery import reap_dead_workers
from digest.tasks.delivery.run import Run, Tally
from digest.tasks.webhooks.outbox import tell_of_edition

log = logging.getLogger(__name__)


def deliver(run: Run, *, retry_paused: bool = False) -> Tally:
    """Deliver everything that is due; return how many deliveries reached each state.

    What dead workers left is recovered first. `retry_paused` resumes every edition that a fault paused, not
    only those whose pause has ended.
    """
    recover(run, retry_paused=retry_paused)
    with run.database.write() as session:
        run.total = deliveries.count_due(session, run.clock(), digest=run.digest)
    _deliver_due(run)
    while _reap(run) and not run.ended:  # left by a worker that died in the meantime
        _deliver_due(run)
    finish(run.database.write, run.clock)
    return run.tally


def recover(run: Run, *, retry_paused: bool = False) -> None:
    """Release the claims of dead workers, complete withdrawals, and resume editions whose pause has ended."""
    finish_withdrawals(run.database, run.clock)
    _reap(run)
    with run.database.write() as session:
        editions.resume_retried(session, None if retry_paused else run.clock())


def count_due(database: Database, now: datetime) -> int:
    """Count the deliveries that may be claimed now."""
    with database.read() as session:
        return deliveries.count_due(session, now)


def _reap(run: Run) -> bool:
    return any(reap_dead_workers(run.database, run.clock, own_id=run.owner, resend=run.resend))


def finish(write: Callable[..., object], clock: Callable[[], datetime]) -> list[Edition]:
    """Finish the editions that have no open delivery."""
    with write() as session:  # type: ignore[attr-defined]
        finished = deliveries.finish_editions(session, clock())
        for edition in finished:
            tell_of_edition(session, WebhookEvent.EDITION_FINISHED, edition, clock())
    for edition in finished:
        log.info("edition finished: %s", edition.name)
    return finished


def _deliver_due(run: Run) -> None:
    # Objects that exist by now stay: the garbage collector need not visit them every few thousand messages.
    gc.freeze()
    try:
        DeliveryLoop(run).work()
    finally:
        gc.unfreeze()
        with run.database.write() as session:
            deliveries.reap(session, run.owner, resend=run.resend, now=run.clock())
