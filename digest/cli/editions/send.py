"""Commands that make and deliver editions: fetch, send."""

import sys
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from digest.bootstrap import Application
from digest.cli.editions import idle
from digest.cli.terminal.common import DEFAULT, AsJson, Common, application
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.progress import counted, pulse
from digest.cli.terminal.tables import say_moment
from digest.models import EditionState
from digest.sending import Sent, post_webhooks, send_due
from digest.settings import Settings
from digest.tasks.articles.fetching import FetchReport, fetch_due
from digest.tasks.articles.images import copy_pictures
from digest.tasks.delivery.run import Tally
from digest.tasks.editions.compiling import Compiled
from digest.tasks.ledger.status_facts import find_next_run
from digest.tasks.sources.health import BackOff, list_backed_off

_NO_READERS = "has no readers yet; whoever joins it today gets theirs at once"


def fetch(
    source: str | None = None,
    *,
    strict: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Fetch the sources that are due.

    Parameters
    ----------
    source:
        Fetch this one, due or not.
    strict:
        Exit 1 also if single items were refused, not only if a source could not be read.
    """
    with application(common) as app, counted("fetching", quiet=common.quiet or json) as show:
        reports = fetch_due(app.database, app.settings, app.clock(), only=source, progress=show)
        copy_pictures(app.database, app.settings, app.clock())
        waiting = [] if source else list_backed_off(app.database, app.settings, app.clock())
    fetched = {report.source for report in reports}
    if json:
        show_json([_facts(report) for report in reports])
    else:
        for report in reports:
            say(describe_fetch(report), quiet=common.quiet)
        for backed_off in waiting:
            if backed_off.source not in fetched:
                say(describe_back_off(backed_off, app.settings.zone, app.clock()), quiet=common.quiet)
    refused = complain(reports)
    if (strict and refused) or any(report.error for report in reports):
        sys.exit(1)


def send(
    digest: str | None = None,
    *,
    now: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Fetch, compile and deliver what is due, then exit: for cron.

    Parameters
    ----------
    digest:
        Only this digest.
    now:
        Do not wait for the cadence's hour; a period's edition is still made only once.
    """
    with application(common) as app, pulse(quiet=common.quiet or json) as shown:
        done = send_due(app, digest=digest, at_once=now, progress=shown)
        settings = app.settings
        post_webhooks(app)
    complain(done.fetched)
    if json:
        show_json(done.facts())
    else:
        for line in describe(done):
            say(line, quiet=common.quiet)
    if not (digest or now or done.others or done.interrupted or done.has_done_anything):
        note_idle(settings, [describe_tally(done.tally)])
    for line in done.trouble:
        warn(line)
    if done.interrupted:
        warn(describe_interruption(done))
    if done.trouble:
        sys.exit(1)


def note_idle(settings: Settings, said: list[str]) -> None:
    """Note until when there is nothing to do, if nothing is left to be done; see `digest.cli.editions.idle`.

    All is looked at before the database is read, and again afterwards: what another process writes meanwhile
    prevents the note, and what it writes later makes the note worthless.
    """
    inbound = settings.inbound
    folders = [settings.path(inbound.spool) / "new"]
    if inbound.maildir:
        folders.append(settings.path(inbound.maildir) / "new")
    if any(path.is_dir() and any(path.iterdir()) for path in folders):
        return
    watched = settings.file, settings.database_url, folders
    before = idle.look_at(*watched)
    app = Application(settings)
    try:
        until = find_next_run(app.database, settings, app.clock())
    finally:
        app.close()
    if until is not None and before is not None and idle.look_at(*watched) == before:
        idle.write_note("send", settings.file, until.timestamp(), said, before)


def describe(done: Sent) -> list[str]:
    """Describe in lines what a run did."""
    lines = [describe_fetch(report) for report in done.fetched]
    lines.extend(describe_editions(done))
    if done.asked:
        lines.append(f"confirmations asked: {done.asked}")
    lines.append(describe_tally(done.tally))
    if done.others:
        verb = "1 other process is" if done.others == 1 else f"{done.others} other processes are"
        lines.append(f"{verb} at work on this database; each message is sent by one of them")
    return lines


def describe_editions(done: Sent) -> list[str]:
    """Describe each edition that a run made, in a line."""
    lines = []
    for item in done.compiled:
        lines.append(f"{item.name}: {_describe_compiled(item)}")
        lines.extend(
            f"{item.name._replace(period=period)}: skipped, nothing ran then"
            for period in item.skipped
            if period != item.period
        )
    return lines


def describe_interruption(done: Sent) -> str:
    """Describe how a run ended that was told to end, such as by SIGTERM."""
    messages = "1 message waits" if done.waiting == 1 else f"{done.waiting} messages wait"
    return f"interrupted: {messages} for the next run" if done.waiting else "interrupted: no message waits"


def _describe_compiled(item: Compiled) -> str:
    if item.held:
        return f"is held: {item.held}"
    if item.waits:
        return "waits for the edition before it, which is still being compiled"
    if not item.made:
        return _describe_unmade(item)
    if not item.planned and not item.nothing_new:
        return _NO_READERS
    readers = "1 reader" if item.planned == 1 else f"{item.planned:,} readers"
    return f"compiled for {readers}, nothing new for {item.nothing_new:,}"


def _describe_unmade(item: Compiled) -> str:
    """Describe an edition that was made before, by an earlier run or another process, or is too late now."""
    if item.stands == EditionState.FINISHED:
        if item.planned:
            return "was already sent"
        return "was made before, and had nothing new for its readers" if item.nothing_new else _NO_READERS
    if item.stands in (EditionState.PAUSED, EditionState.SKIPPED):
        return f"is {item.stands}: {item.reason}" if item.reason else f"is {item.stands}"
    return "is already made, and not finished: its messages are sent as they come due"


def describe_tally(tally: Tally) -> str:
    """Describe in one line the results of a run's deliveries."""
    return (
        f"accepted {tally.accepted}, deferred {tally.deferred}, failed {tally.failed},"
        f" withheld {tally.withheld}, uncertain {tally.uncertain}"
    )


def describe_fetch(report: FetchReport) -> str:
    """Describe in one line the result for a source."""
    if report.error:
        return f"{report.source}: not fetched"
    counts = f"{report.added} new, {report.updated} updated, {report.unchanged} unchanged"
    counts += f", {report.folded} folded into others" if report.folded else ""
    counts += f", {report.held_back} held back" if report.held_back else ""
    counts += f", {report.gone} gone" if report.gone else ""
    counts += f", {report.waiting} waiting to be published" if report.waiting else ""
    return f"{report.source}: {'nothing changed' if report.is_same else counts}" + (
        f"; it {report.remark}" if report.remark else ""
    )


def describe_back_off(waiting: BackOff, zone: ZoneInfo, now: datetime) -> str:
    """Describe in one line why a source was skipped, until when, and how to fetch it all the same."""
    until = say_moment(waiting.until, zone, now) if waiting.until else ""
    when = f"is requested again {until}" if until else "is not requested again"
    tries = "1 failed fetch" if waiting.failures == 1 else f"{waiting.failures} failed fetches"
    return f"{waiting.source}: {when}, after {tries}; `digest fetch {waiting.source}` requests it now"


def complain(reports: list[FetchReport]) -> bool:
    """Print the items that were refused; return whether there were any."""
    for report in reports:
        if report.error:
            warn(f"source {report.source}: {report.error}")
        for item in report.rejected:
            warn(f"source {report.source}: {item.item}: {item.why}")
    return any(report.error or report.rejected for report in reports)


def _facts(report: FetchReport) -> dict[str, object]:
    return {
        "source": report.source,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "held_back": report.held_back,
        "folded": report.folded,
        "gone": report.gone,
        "waiting": report.waiting,
        "rejected": [{"item": item.item, "why": item.why} for item in report.rejected],
        "error": report.error or None,
        "same": report.is_same,
        "remark": report.remark or None,
    }
