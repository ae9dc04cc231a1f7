"""The only user of APScheduler: it ticks, and the database says what is due."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from digest.bootstrap import Application
from digest.errors import DigestError, Refused
from digest.sending import Sent, post_webhooks, send_due
from digest.tasks.inbound.intake import MOST_AT_ONCE

TICK = timedelta(seconds=30)
STALLED_AFTER = timedelta(minutes=15)
"""A tick without progress for this long is stalled; waiting for a reply may take ten minutes."""
log = logging.getLogger(__name__)


class Ticker:
    """Does what is due at every tick, one tick at a time, until stopped; `tell` gets what each tick did."""

    def __init__(
        self, app: Application, tick: timedelta = TICK, tell: Callable[[Sent], None] = lambda _done: None
    ) -> None:
        self._app, self._tell = app, tell
        self._moved_at = time.monotonic()
        self.is_refused = False  # the last tick, by a database that was restored from a backup
        self._scheduler = BackgroundScheduler(timezone="UTC")
        # Receivers of webhooks may hang: what they delay is their own job, and no edition.
        for act in (self.tick, self.post):
            self._scheduler.add_job(
                act,
                "interval",
                seconds=tick.total_seconds(),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=datetime.now(self._scheduler.timezone),
            )

    def start(self) -> None:
        """Start ticking, the first time at once."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let the current tick finish the messages under way, then stop."""
        self._app.stopping.set()
        self._scheduler.shutdown(wait=True)

    @property
    def is_stalled(self) -> bool:
        """Return whether nothing has progressed for longer than anything may take."""
        return time.monotonic() - self._moved_at > STALLED_AFTER.total_seconds()

    def _moved(self, *_: object) -> None:
        self._moved_at = time.monotonic()

    def post(self) -> None:
        """Post what waits for receivers of webhooks."""
        post_webhooks(self._app)

    def tick(self) -> None:
        """Do what is due; an error is logged, and the next tick continues.

        Where more mail waits than one run processes, what is due is done again at once: a flood of mail
        then takes turns with editions, and is not limited to so many messages a tick.
        """
        while self._do_what_is_due() and not self._app.stopping.is_set():
            pass

    def _do_what_is_due(self) -> bool:
        """Do what is due once; return whether more mail waits."""
        self._moved()
        try:
            done = send_due(self._app, progress=self._moved)
        except DigestError as error:
            self.is_refused = isinstance(error, Refused)
            log.error("%s", error)
            return False
        finally:
            self._moved()
        self.is_refused = False
        self._tell(done)
        for report in done.fetched:
            if report.error:
                log.warning("source %s: %s", report.source, report.error)
        for trouble in done.trouble:
            log.error("%s", trouble)
        return sum(done.taken.values()) >= MOST_AT_ONCE
