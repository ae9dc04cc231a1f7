"""The only user of Procrastinate: processes on any machines share the work by waking each other.

A job carries no work; it only says that there may be some. The database says what is due, as for a tick. So a
job that is lost, repeated or left by a dead process costs a minute at most and changes nothing.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from sqlalchemy import text

from digest.bootstrap import Application
from digest.errors import DigestError
from digest.sending import Sent, count_figures, deliver_due, fetch, post_webhooks, prepare, take_waiting_mail
from digest.store.database import CLIENT_KEEPALIVE, Database
from digest.store.monitoring.wake_ups import SCHEMA_PREFIX
from digest.tasks.delivery.deliver import count_due, finish, recover
from digest.tasks.delivery.recovery import take_over
from digest.tasks.ledger.workload import DEAD_AFTER

_NEWSROOM, _DELIVERY, _WEBHOOKS = "newsroom", "delivery", "webhooks"
_MOST_DELIVERING = 16
"""How many processes one edition wakes at most; one that finds nothing to claim ends at once."""
_LOOKS_EVERY = 30.0
_WATCHES_EVERY = 5.0
_HEARTBEAT, _DEAD_AFTER = 10.0, DEAD_AFTER.total_seconds()
_ASK_AGAIN_AFTER = 5
_LOCK = 0x6469676A  # "digj": one process creates the queue's tables, the others wait
log = logging.getLogger(__name__)


class JobQueue:
    """One process among many: wakes others when something is due, and does what it is woken for.

    Two jobs run in parallel in a process: one delivers, the other fetches or compiles.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._schema = _schema_name()
        url = app.database.engine.url
        self._jobs = App(
            connector=PsycopgConnector(
                conninfo=url.set(drivername="postgresql").render_as_string(hide_password=False),
                kwargs={"options": f"-c search_path={self._schema}", **CLIENT_KEEPALIVE},
                min_size=1,
                max_size=6,
            )
        )
        self._add_tasks()

    def work(self) -> None:
        """Work until SIGTERM or SIGINT; messages under way get their reply first."""
        for name in ("asyncio", "procrastinate.utils", "procrastinate.worker", "procrastinate.worker.worker"):
            logging.getLogger(name).addFilter(_is_news)
        create_tables(self._app.database, self._schema, self._jobs)
        asyncio.run(self._work())

    async def _work(self) -> None:
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            self._app.stopping.set()
            ending.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        async with self._jobs.open_async():
            workers = [asyncio.create_task(self._serve(queue)) for queue in (_NEWSROOM, _DELIVERY, _WEBHOOKS)]
            workers.append(asyncio.create_task(self._take_mail(ending)))
            workers.append(asyncio.create_task(self._watch_others(ending)))
            waiting = asyncio.create_task(ending.wait())
            done, _ = await asyncio.wait([*workers, waiting], return_when=asyncio.FIRST_COMPLETED)
            self._app.stopping.set()
            for task in (*workers, waiting):
                task.cancel()
            await asyncio.gather(*workers, waiting, return_exceptions=True)
            for task in done - {waiting}:
                task.result()  # a queue that cannot be served is an error of this process

    async def _serve(self, queue: str) -> None:
        """Serve a queue until cancelled; begin again after the database was away."""
        while True:
            with contextlib.suppress(ConnectorException):
                await self._jobs.run_worker_async(
                    queues=[queue],
                    concurrency=1,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    update_heartbeat_interval=_HEARTBEAT,
                    stalled_worker_timeout=_DEAD_AFTER,
                )
            log.error("the queue %s does not answer: asked again in %d seconds", queue, _ASK_AGAIN_AFTER)
            await asyncio.sleep(_ASK_AGAIN_AFTER)

    async def _take_mail(self, ending: asyncio.Event) -> None:
        """Process what comes in on this machine: its spool is a folder, which no other worker may see."""
        while not ending.is_set():
            try:
                await asyncio.to_thread(take_waiting_mail, self._app)
            except (DigestError, OSError) as error:
                log.error("received mail waits: %s", error)
            except Exception:
                log.exception("received mail cannot be processed; it waits")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _LOOKS_EVERY)

    async def _watch_others(self, ending: asyncio.Event) -> None:
        """Take over what a worker held that has died, without waiting for the next tick."""
        while not ending.is_set():
            with contextlib.suppress(ConnectorException):  # the queue that is served says that
                if await asyncio.to_thread(self._guarded, self._take_over):
                    await self._wake_couriers()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _WATCHES_EVERY)

    def _take_over(self) -> bool:
        app = self._app
        resend = app.settings.smtp.when_uncertain == "resend"
        return take_over(app.database, app.clock, own_id=None, resend=resend)

    def _add_tasks(self) -> None:
        jobs = self._jobs

        @jobs.periodic(cron="* * * * *")
        @jobs.task(name="tick", queue=_NEWSROOM, queueing_lock="tick", priority=10)
        async def tick(timestamp: int) -> None:
            await self._free_stalled()
            for name in ("fetch", "prepare"):
                await self._wake(name, _NEWSROOM)
            await self._wake("webhooks", _WEBHOOKS)
            await self._wake_couriers()

        @jobs.task(name="fetch", queue=_NEWSROOM)
        def fetch_sources() -> None:
            for report in self._guarded(lambda: fetch(self._app)) or ():
                if report.error:
                    log.warning("source %s: %s", report.source, report.error)

        @jobs.task(name="prepare", queue=_NEWSROOM)
        async def prepare_due() -> None:
            await asyncio.to_thread(self._guarded, self._prepare)
            await self._wake_couriers()

        @jobs.task(name="webhooks", queue=_WEBHOOKS)
        def post_due() -> None:
            self._guarded(lambda: post_webhooks(self._app))

        @jobs.task(name="deliver", queue=_DELIVERY)
        def deliver_due() -> None:
            self._guarded(self._deliver)

    def _prepare(self) -> None:
        """Recover what was left, and do everything that is due except delivering."""
        app, done = self._app, Sent()
        with app.worker() as worker:
            run = app.run(worker)
            recover(run)
            prepare(app, worker, run, done, digests=app.settings.digests_in_order)
            count_figures(app)
            finish(app.database.write, app.clock)

    def _deliver(self) -> None:
        app = self._app
        if not count_due(app.database, app.clock()):
            return
        with app.worker() as worker:
            run = app.run(worker)
            for trouble in deliver_due(app, run).trouble:
                log.error("%s", trouble)

    def _guarded(self, act: Callable[[], Any]) -> Any:
        """Call a function; an error is logged, and the next tick tries again."""
        try:
            return act()
        except DigestError as error:
            log.error("%s", error)
            return None

    async def _wake_couriers(self) -> None:
        app = self._app
        if await asyncio.to_thread(self._guarded, lambda: count_due(app.database, app.clock())):
            for number in range(_MOST_DELIVERING):
                await self._wake("deliver", _DELIVERY, f"deliver {number}")

    async def _wake(self, name: str, queue: str, lock: str = "") -> None:
        """Wake a process: one wake-up of a kind waits at a time, and none overlaps without a `lock`."""
        try:
            await self._jobs.configure_task(
                name, queue=queue, queueing_lock=lock or name, lock=None if lock else name
            ).defer_async()
        except AlreadyEnqueued:
            log.debug("%s: somebody is about to", name)

    async def _free_stalled(self) -> None:
        """Delete the wake-ups of processes that died: a lock that they hold would keep others out."""
        kept = self._jobs.job_manager
        for job in await kept.get_stalled_jobs(seconds_since_heartbeat=_DEAD_AFTER):
            log.warning("a process died while it was about to %s; another takes over", job.task_name)
            await kept.finish_job(job, status=Status.FAILED, delete_job=True)


def create_tables(database: Database, schema: str, jobs: App) -> None:
    """Create the queue's tables if they are missing, in a schema of their own; safe from many processes.

    The schema's name contains the library's version, so that processes of two versions do not share tables.
    """
    with database.write() as session:
        connection = session.connection()
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"{schema}.procrastinate_jobs"}):
            return
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.exec_driver_sql(f"SET LOCAL search_path TO {schema}")
        cursor = connection.connection.cursor()
        cursor.execute(jobs.schema_manager.get_schema())


def _is_news(record: logging.LogRecord) -> bool:
    """Return False for the tracebacks of a database that is away: `JobQueue._serve` says it in a line."""
    return not (record.exc_info and isinstance(record.exc_info[1], ConnectorException))


def _schema_name() -> str:
    major, minor = version("procrastinate").split(".")[:2]
    return f"{SCHEMA_PREFIX}{major}_{minor}"
