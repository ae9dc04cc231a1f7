"""Commands that keep running: run, worker and web."""

import threading
from collections.abc import Callable
from functools import partial

from digest.bootstrap import Application
from digest.cli.editions.send import describe_editions, describe_interruption, describe_tally
from digest.cli.setup import listen_for_end
from digest.cli.terminal.common import DEFAULT, Common, application
from digest.cli.terminal.output import say, warn
from digest.errors import SettingsError, UsageError
from digest.net.inbound.lmtp import LmtpServer
from digest.net.service_manager import notify
from digest.scheduler import Ticker
from digest.sending import Sent, note_mailbox
from digest.settings import find_service_manager
from digest.web.app import create_app
from digest.web.server import Server, limits_of


class Watchdog:
    """Says "READY=1" at once, and "WATCHDOG=1" at half of the manager's interval for as long as `is_well`.

    A daemon whose tick is stalled sends nothing more, and systemd restarts it (WatchdogSec=).
    """

    def __init__(self, is_well: Callable[[], bool]) -> None:
        self._socket, self._every = find_service_manager()
        self._is_well = is_well
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start, if there is a service manager to notify."""
        if self._socket:
            notify(self._socket, "READY=1")
            if self._every:
                self._thread.start()

    def stop(self) -> None:
        """Report that the daemon is stopping."""
        self._stopping.set()
        if self._socket:
            notify(self._socket, "STOPPING=1")

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            if self._is_well():
                notify(self._socket, "WATCHDOG=1")


def run(*, common: Common = DEFAULT) -> None:
    """Run the daemon: scheduler, web pages and delivery in one process."""
    with application(common) as app:
        ticker = Ticker(app, tell=partial(_tell, quiet=common.quiet))
        web = (
            _server(app, lambda: ticker.is_stalled, lambda: ticker.is_refused)
            if app.settings.web.enabled
            else None
        )
        # After the database has been opened, as until then the signal ends the process at once; before the
        # first tick, which may have a message on the wire.
        ended = listen_for_end()
        lmtp = _lmtp(app)
        mailbox = _watch_mailbox(app)
        if web is not None:
            web.start()
        ticker.start()
        watchdog = Watchdog(lambda: not ticker.is_stalled)
        watchdog.start()
        where = f"pages at http://{app.settings.web.host}:{web.port}/" if web else "no pages, mail alone"
        say(f"{where}; Ctrl-C ends it", quiet=common.quiet)
        try:
            ended.wait()
        finally:
            watchdog.stop()
            if lmtp is not None:
                lmtp.stop()
            ticker.stop()
            if mailbox is not None:
                mailbox.join()
            if web is not None:
                web.stop()


def _tell(done: Sent, *, quiet: bool) -> None:
    """Print a line for each edition that a tick made, and one for what it delivered."""
    for line in describe_editions(done):
        say(line, quiet=quiet)
    if done.tally.closed:
        say(describe_tally(done.tally), quiet=quiet)
    if done.interrupted and done.waiting:
        warn(describe_interruption(done))


def worker(*, common: Common = DEFAULT) -> None:
    """Share the work with other processes and machines: fetch, compile and deliver, without pages."""
    with application(common) as app:
        if app.database.is_sqlite:
            raise UsageError(
                "workers share a PostgreSQL database, and [database] url names SQLite: use `digest run`,"
                " or move with `digest move`"
            )
        try:
            from digest.job_queue import JobQueue
        except ModuleNotFoundError as error:
            raise UsageError(
                f'{error.name} is not installed: install "newsletter-digest[postgres]"'
            ) from None
        try:
            lmtp = _lmtp(app)
        except SettingsError as error:  # another worker of this machine listens
            lmtp = None
            warn(str(error))
        say("waiting for work; Ctrl-C ends it", quiet=common.quiet)
        try:
            JobQueue(app).work()
        finally:
            if lmtp is not None:
                lmtp.stop()


def web(*, common: Common = DEFAULT) -> None:
    """Serve the web pages only."""
    with application(common) as app:
        if not app.settings.web.enabled:
            raise UsageError("[web] enabled = false: there are no pages to serve")
        server = _server(app)
        server.start()
        say(f"pages at http://{app.settings.web.host}:{server.port}/; Ctrl-C ends it", quiet=common.quiet)
        try:
            listen_for_end().wait()
        finally:
            server.stop()


def _watch_mailbox(app: Application) -> threading.Thread | None:
    """Take mail from an IMAP folder as it arrives, if one is configured; each tick processes it."""
    if app.settings.inbound.imap is None:
        return None
    from digest.tasks.inbound.mailbox import watch_mail

    app.watches_mail = True
    note = partial(note_mailbox, app)
    thread = threading.Thread(
        target=watch_mail, args=(app.inbox, app.stopping), kwargs={"note": note}, name="mailbox", daemon=True
    )
    thread.start()
    return thread


def _lmtp(app: Application) -> LmtpServer | None:
    """Receive mail by LMTP, if a port is configured; each tick processes it."""
    inbound = app.settings.inbound
    if not inbound.lmtp_port:
        return None
    server = LmtpServer(
        app.inbox.spool, inbound.is_ours, inbound.lmtp_host, inbound.lmtp_port, lambda: app.delivers
    )
    try:
        server.start()
    except OSError as error:
        where = f"{inbound.lmtp_host}:{inbound.lmtp_port}"
        raise SettingsError(f"[inbound] lmtp_port: cannot listen on {where}: {error.strerror}") from None
    return server


def _server(
    app: Application,
    is_stalled: Callable[[], bool] = lambda: False,
    is_refused: Callable[[], bool] = lambda: False,
) -> Server:
    pages = create_app(
        app.readers,
        app.settings,
        desk=app.desk,
        metrics=app.metrics,
        traces=app.traces,
        is_stalled=is_stalled,
        is_refused=is_refused,
    )
    return Server(pages, app.settings.web.host, app.settings.web.port, limits_of(app.settings.web))
