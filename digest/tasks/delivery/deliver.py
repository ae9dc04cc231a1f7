"""Deliver what is due until nothing is due any more: the use case behind `digest send`."""

import gc
import logging
from collections.abc import Callable
from datetime import datetime

from digest.models import Edition
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import editions
from digest.tasks.articles.withdrawing import finish_withdrawals
from digest.tasks.delivery.loop import DeliveryLoop
from digest.tasks.delivery.recovery import reap_dead_workers
from digest.tasks.delivery.run import Run, Tally

log = logging.getLogger(__name__)


def deliver(run: Run, *, retry_paused: bool = False) -> Tally:
    """Deliver everything that is due; return how many reached which state.

    Settles first what dead workers left. `retry_paused` lets every edition that a fault paused go on, not
    only those whose time has come.
    """
    settle(run, retry_paused=retry_paused)
    with run.database.write() as session:
        run.total = deliveries.count_due(session, run.clock(), digest=run.digest)
    _deliver_due(run)
    while _reap(run) and not run.ended:  # of a worker that died meanwhile
        _deliver_due(run)
    finish(run.database.write, run.clock)
    return run.tally


def settle(run: Run, *, retry_paused: bool = False) -> None:
    """Settle what dead workers and withdrawals left, and resume editions whose pause is over."""
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
        log.info("edition finished: %s", edition.name)
    return finished


def _deliver_due(run: Run) -> None:
    gc.freeze()  # what exists by now stays: the collector need not walk it every few thousand messages
    try:
        DeliveryLoop(run).work()
    finally:
        gc.unfreeze()
        with run.database.write() as session:
            deliveries.reap(session, run.owner, resend=run.resend, now=run.clock())
