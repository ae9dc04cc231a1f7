"""The only APScheduler user: it ticks, the database says what is due."""

import logging
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from digest.bootstrap import Application
from digest.errors import DigestError
from digest.sending import send_due

TICK = timedelta(seconds=30)
log = logging.getLogger(__name__)


class Ticker:
    """Does what is due at every tick, one tick at a time, until stopped."""

    def __init__(self, app: Application, tick: timedelta = TICK) -> None:
        self._app = app
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.tick,
            "interval",
            seconds=tick.total_seconds(),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=datetime.now(self._scheduler.timezone),
        )

    def start(self) -> None:
        """Begin to tick, the first time at once."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let the tick under way finish its messages on the wire, then end."""
        self._app.stopping.set()
        self._scheduler.shutdown(wait=True)

    def tick(self) -> None:
        """Do what is due once; trouble is logged and the next tick goes on."""
        try:
            done = send_due(self._app)
        except DigestError as error:
            log.error("%s", error)
            return
        for report in done.fetched:
            if report.error:
                log.warning("source %s: %s", report.source, report.error)
        for trouble in done.trouble:
            log.error("%s", trouble)
