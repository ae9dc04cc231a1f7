"""The command that resumes delivery: resume."""

from typing import Annotated

from cyclopts import Parameter

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, Common, application, by_command, read_moment
from digest.cli.terminal.output import say
from digest.errors import Refused, UsageError
from digest.models import EditionState
from digest.tasks.desk.delivery_controls import note_act, say_retried
from digest.tasks.editions.retries import resume_editions, retry_failed
from digest.tasks.ledger.audit import find_named


def resume(
    edition: str | None = None,
    *,
    sent_until: str | None = None,
    resend: Annotated[bool, Parameter(negative="")] = False,
    failed: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Resume paused editions, or decide about a restored database.

    Parameters
    ----------
    edition:
        Only this paused one: "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD".
    sent_until:
        The database was restored: what was due up to this time, such as 2026-11-23T07:00, had been sent.
        It is withheld and counts as received.
    resend:
        The database was restored: send what it says is due, even if it was sent before.
    failed:
        Retry the failed deliveries of the named edition, for readers who have received nothing since.
    """
    if sum(map(bool, (sent_until, resend, failed))) > 1:
        raise UsageError("--sent-until, --resend and --failed exclude each other: pick one")
    if failed and not edition:
        raise UsageError("--failed needs an edition: name it as `digest status` does")
    with application(common) as app:
        if sent_until:
            _withhold(app, sent_until, common)
        elif resend:
            app.restorer.accept()
            say("the database is accepted as it is; the next run sends what is due", quiet=common.quiet)
        elif failed:
            _retry_failed(app, edition, common)
        else:
            _resume_paused(app, edition, common)


def _withhold(app: Application, text: str, common: Common) -> None:
    until = read_moment(text, app.settings.zone, "--sent-until")
    if until > app.clock():
        raise UsageError(f'--sent-until "{text}" is yet to come; name when the lost database last sent')
    with app.worker(checked=False) as worker:
        done = app.restorer.withhold_until(until, app.compiler(worker))
    for name in done.entered:
        say(f"{name}: lost with the old database; entered again", quiet=common.quiet)
    say(
        f"{done.withheld} deliveries withheld and counted as received; the next run continues",
        quiet=common.quiet,
    )


def _retry_failed(app: Application, edition: str | None, common: Common) -> None:
    _check_restored(app)
    with app.database.write() as session:
        done = retry_failed(session, find_named(session, edition), app.clock())
        for row, planned, _ in done:
            if planned:
                note_act(session, row.name, by_command(), app.clock(), say_retried(planned))
    for row, planned, passed in done:
        rest = f"; {passed} not: those readers left, or received a later edition" if passed else ""
        say(f"{row.name}: {planned} failed deliveries are planned again{rest}", quiet=common.quiet)
        if planned and row.state == EditionState.PAUSED:
            say(f"{row.name} is paused: `digest resume {row.name.argument}` resumes it", quiet=common.quiet)
    if not done:
        say(f"no delivery of {edition} has failed", quiet=common.quiet)


def _check_restored(app: Application) -> None:
    refusal = app.find_refusal()
    if refusal:
        raise Refused(refusal)


def _resume_paused(app: Application, edition: str | None, common: Common) -> None:
    _check_restored(app)
    with app.database.write() as session:
        resumed = resume_editions(session, find_named(session, edition, states=[EditionState.PAUSED]))
        for row in resumed:
            note_act(session, row.name, by_command(), app.clock(), "resumed delivery")
    for row in resumed:
        say(f"{row.name}: resumed", quiet=common.quiet)
    if not resumed:
        say("no edition is paused", quiet=common.quiet)
