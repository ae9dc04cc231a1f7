"""One whole run: fetch, compile what is due, send requests and notices, deliver what is due."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from types import FrameType
from typing import Any

from digest.bootstrap import Application
from digest.errors import DigestError, SettingsError
from digest.models import AlertKind
from digest.safe_text import printable
from digest.settings import DigestSettings
from digest.store.workers import WorkerLock, count_alive, taking_turns
from digest.tasks.alerts.alert_mail import watch
from digest.tasks.alerts.alerts import name_mailbox, note_conditions, observe
from digest.tasks.articles.fetching import FetchReport, fetch_due
from digest.tasks.articles.images import copy_pictures
from digest.tasks.articles.topics import renew_topics, topics_by
from digest.tasks.delivery.deliver import count_due, deliver
from digest.tasks.delivery.run import Run, Tally
from digest.tasks.editions.compiling import Compiled
from digest.tasks.figures.daily import take_figures
from digest.tasks.figures.kept_counts import keep_sums
from digest.tasks.inbound.answers import send_answers
from digest.tasks.inbound.intake import take_in, take_in_meanwhile
from digest.tasks.readers.confirmation_mail import ask_due
from digest.tasks.readers.expiry import keep_house
from digest.tasks.readers.notice_mail import NoticeMail, send_notices
from digest.tasks.webhooks.posting import post_due

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sent:
    """The result of one run; `others` is how many processes were at work beside it.

    `interrupted` if it was told to end; `waiting` is then how many messages the next run sends. `unmade` are
    the errors for which a digest's editions stay in preparation, such as one in a template.
    """

    fetched: list[FetchReport] = field(default_factory=list)
    compiled: list[Compiled] = field(default_factory=list)
    asked: int = 0
    answered: int = 0
    taken: dict[str, int] = field(default_factory=dict)
    others: int = 0
    interrupted: bool = False
    waiting: int = 0
    unmade: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    @property
    def trouble(self) -> list[str]:
        """Return what the operator should know."""
        return [*self.unmade, *self.tally.trouble]

    @property
    def has_done_anything(self) -> bool:
        """Return whether the run did anything worth a line in the log."""
        fetched = any(report.added or report.updated or report.error for report in self.fetched)
        delivered = self.tally.closed or self.tally.trouble
        return bool(fetched or self.compiled or self.asked or self.answered or delivered)

    @property
    def summary(self) -> str:
        """Return the run in a line: `run: 3 new articles, 1 edition, 120 accepted, 2 failed`."""
        counts = {
            "new articles": sum(report.added for report in self.fetched),
            "sources that failed": sum(bool(report.error) for report in self.fetched),
            "editions compiled": len(self.compiled),
            "accepted": self.tally.accepted,
            "deferred": self.tally.deferred,
            "failed": self.tally.failed,
            "requests for confirmation": self.asked,
            "answers": self.answered,
        }
        told = [f"{number} {name}" for name, number in counts.items() if number]
        return f"run: {', '.join(told) or 'done'}"

    def facts(self) -> dict[str, Any]:
        """Return it in a form that JSON can hold."""
        return {
            "fetched": [
                {"source": r.source, "added": r.added, "updated": r.updated, "error": r.error or None}
                for r in self.fetched
            ],
            "compiled": [asdict(item) for item in self.compiled],
            "asked": self.asked,
            "taken_in": self.taken,
            "answered": self.answered,
            "others": self.others,
            "interrupted": self.interrupted,
            "waiting": self.waiting,
        } | asdict(self.tally)


def send_due(
    app: Application,
    *,
    digest: str | None = None,
    at_once: bool = False,
    fetching: bool = True,
    progress: Callable[[Tally, int], None] | None = None,
) -> Sent:
    """Do everything that is due, for one digest or all; on a signal to end, messages under way are
    finished."""
    with app.traces.span("run") as span:
        done = _send_due(app, digest, at_once=at_once, fetching=fetching, progress=progress)
        span.note(editions=len(done.compiled), accepted=done.tally.accepted, failed=done.tally.failed)
    return done


def _send_due(
    app: Application,
    digest: str | None,
    *,
    at_once: bool,
    fetching: bool,
    progress: Callable[[Tally, int], None] | None,
) -> Sent:
    chosen = [app.settings.digest(digest)] if digest else app.settings.digests_in_order
    done = Sent()
    if fetching:
        done.fetched = fetch(app)
    else:
        with app.database.read() as session:
            made_by = topics_by(session, app.settings)
        renew_topics(app.database, made_by)
    with app.worker() as worker:
        done.others = count_alive(app.database) - 1
        run = app.run(worker, digest)
        if progress is not None:
            run.progress = progress
        with _stops_on_signals(run):
            prepare(app, worker, run, done, digests=chosen, at_once=at_once)
            done.tally = deliver_due(app, run, retry_paused=True)
        if run.ended and not run.gave_up:
            done.interrupted, done.waiting = True, count_due(app.database, app.clock())
    count_figures(app)
    if done.has_done_anything:
        log.info("%s", done.summary, extra={"run": done.facts()})
    return done


def fetch(app: Application) -> list[FetchReport]:
    """Fetch the sources that are due, and copy the pictures that they brought.

    Runs that overlap take turns: the second waits, and asks no source that the first has just read.
    """
    with app.traces.span("fetch") as span, taking_turns(app.database, "fetch"):
        fetched = fetch_due(app.database, app.settings, app.clock())
        for url, why in copy_pictures(app.database, app.settings, app.clock()).items():
            log.info("no copy of the picture %s: %s", printable(url), printable(why))
        span.note(
            sources=len(fetched),
            sources_failed=sum(bool(report.error) for report in fetched),
            articles_added=sum(report.added for report in fetched),
        )
    return fetched


def _forget_uploads(app: Application) -> None:
    """Remove lists of readers that lie in the folder of uploads for too long."""
    if app.settings.path(app.settings.web.uploads).is_dir():
        # What reads lists is imported where there are some.
        from digest.tasks.readers.lists.uploads import forget_uploads

        forget_uploads(app.readers, app.clock())


def _fetch_mail(app: Application) -> None:
    """Fetch mail from an IMAP folder, if the settings name one and no thread watches it already."""
    if app.settings.inbound.imap is None or app.watches_mail:
        return
    from digest.tasks.inbound.mailbox import fetch_mail

    trouble = ""
    try:
        fetch_mail(app.inbox)
    except DigestError as error:
        log.error("%s", error)
        trouble = str(error)
    note_mailbox(app, trouble)


def note_mailbox(app: Application, trouble: str) -> None:
    """Note whether the mailbox of `[inbound.imap]` can be read; `trouble` is empty where it can."""
    imap = app.settings.inbound.imap
    if imap is not None:
        observe(app.database, AlertKind.MAILBOX, name_mailbox(imap), trouble, app.clock())


def prepare(
    app: Application,
    worker: WorkerLock,
    run: Run,
    done: Sent,
    *,
    digests: Sequence[DigestSettings],
    at_once: bool = False,
) -> None:
    """Do everything that is due except fetching and delivering: received mail, editions, single messages."""
    web = app.settings.web
    keep_house(app.database, app.clock(), web.keep_origins, web.keep_unconfirmed)
    _forget_uploads(app)
    _fetch_mail(app)
    done.taken = take_waiting_mail(app)
    note_conditions(app.database, app.settings, app.clock())  # what is late is made next, and was late
    compiler = app.compiler(worker)
    for digest in digests:
        with app.traces.span("compile", digest=digest.name) as span:
            try:
                made = compiler.compile_due(digest, app.clock(), at_once=at_once)
            except SettingsError as error:  # its editions wait until it is corrected, and no others
                done.unmade.append(f"{digest.name}: {error}")
                continue
            span.note(editions=len(made))
        done.compiled.extend(made)
    app.save_state()
    watch(app.desk, app.clock())
    done.asked = ask_due(run, app.readers, app.renderer)
    done.answered = send_answers(run, app.inbox, app.renderer)
    send_notices(run, NoticeMail(app.readers, app.renderer, app.catalogues))


def take_waiting_mail(app: Application) -> dict[str, int]:
    """Process what waits in this machine's spool, unless this process delivers: the delivery does it then."""
    with app.traces.span("take in mail") as span:
        taken = {} if app.delivers else dict(take_in(app.inbox, app.clock(), gives_way=lambda: app.delivers))
        span.note(messages=sum(taken.values()))
    return taken


def count_figures(app: Application) -> None:
    """Count the days and editions that have ended; what goes wrong is logged and keeps no message back."""
    for what, count in (("figures of yesterday", take_figures), ("sums of editions", keep_sums)):
        try:
            count(app.database, app.settings, app.clock())
        except DigestError as error:
            log.error("the %s cannot be counted: %s", what, error)
        except Exception:
            log.exception("the %s cannot be counted", what)


def post_webhooks(app: Application) -> None:
    """Post what waits for receivers of webhooks; a copy of a database posts nothing."""
    if app.find_refusal() is not None:
        return
    try:
        post_due(app.database, app.settings, app.clock, app.stopping.is_set)
    except DigestError as error:
        log.error("webhooks: %s", error)


def deliver_due(app: Application, run: Run, *, retry_paused: bool = False) -> Tally:
    """Deliver what is due, and note how the relays took it."""
    app.delivers = True  # who receives mail in this process makes room for it
    try:
        with app.traces.span("deliver") as span, _takes_mail_meanwhile(app):
            tally = deliver(run, retry_paused=retry_paused)
            span.note(
                accepted=tally.accepted,
                deferred=tally.deferred,
                failed=tally.failed,
                withheld=tally.withheld,
                uncertain=tally.uncertain,
                relays=len(run.relays),
                relays_in_trouble=sum(bool(trouble) for trouble in run.relay_trouble.values()),
            )
    finally:
        app.delivers = False
    _watch_delivery(app, run)
    return tally


@contextmanager
def _takes_mail_meanwhile(app: Application) -> Iterator[None]:
    """Process received mail in a thread beside the delivery: it may take hours, and a reader may leave."""
    inbox, ended = app.inbox, threading.Event()

    def work() -> None:
        try:
            taken = take_in_meanwhile(inbox, app.clock, ended)
        except Exception:
            log.exception("received mail is not processed before this delivery has ended")
        else:
            if taken:
                log.info("received meanwhile: %s", dict(taken))

    if not inbox.settings.inbound.address:
        yield
        return
    thread = threading.Thread(target=work, name="mail meanwhile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch_delivery(app: Application, run: Run) -> None:
    """Note how the relays took a run, and report what is wrong after it."""
    for name, trouble in run.relay_trouble.items():
        observe(app.database, AlertKind.RELAY, name, trouble, app.clock())
    watch(app.desk, app.clock())


@contextmanager
def _stops_on_signals(run: Run) -> Iterator[None]:
    """Stop in order on SIGTERM and SIGINT; only the main thread may handle signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        run.stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
