"""Take over what dead workers left, so that a crash loses nothing."""

import logging
from collections.abc import Callable
from datetime import datetime

from digest.store import workers
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.readers import answers, confirmations, notices

log = logging.getLogger(__name__)


def take_over(database: Database, clock: Callable[[], datetime], *, own_id: int | None, resend: bool) -> bool:
    """Release the claims of workers that have died since; return whether there is more to claim for it.

    Cheap while none has died, so that it can be asked every few seconds.
    """
    if not workers.is_any_dead(database):
        return False
    return any(reap_dead_workers(database, clock, own_id=own_id, resend=resend))


def reap_dead_workers(
    database: Database, clock: Callable[[], datetime], *, own_id: int | None, resend: bool
) -> tuple[int, int]:
    """Release the claims of every worker that holds no lock; return (uncertain, given back)."""
    totals = [0, 0]
    for worker_id in workers.dead_workers(database, own_id=own_id):
        now = clock()
        with database.write() as session:
            workers.bury(session, worker_id, now)
            uncertain, given_back = deliveries.reap(session, worker_id, resend=resend, now=now)
            confirmations.release_confirmations(session, worker_id, resend=resend)
            answers.release_answers(session, worker_id)
            notices.release_notices(session, worker_id)
        totals[0] += uncertain
        totals[1] += given_back
        if uncertain or given_back:
            log.warning(
                "worker %d died: %d deliveries uncertain, %d planned again", worker_id, uncertain, given_back
            )
    return totals[0], totals[1]
