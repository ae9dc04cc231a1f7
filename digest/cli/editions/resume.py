"""The command that goes on: resume."""

from typing import Annotated

from cyclopts import Parameter

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, Common, application, read_moment
from digest.cli.terminal.output import say
from digest.errors import Refused, UsageError
from digest.tasks.editions.pausing import resume_editions
from digest.tasks.ledger.audit import find_named


def resume(
    edition: str | None = None,
    *,
    sent_until: str | None = None,
    resend: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Resume paused editions, or decide about a restored database.

    Parameters
    ----------
    edition:
        Only this paused one: "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD".
    sent_until:
        The database was restored: what was due up to this time, such as 2026-11-23T07:00, had gone. It is
        withheld and counts as got.
    resend:
        The database was restored: what it says is due is sent, again where it had gone.
    """
    if sent_until and resend:
        raise UsageError("--sent-until and --resend exclude each other: pick one")
    with application(common) as app:
        if sent_until:
            _withhold(app, sent_until, common)
        elif resend:
            app.restorer.accept()
            say("the database is taken as it is; the next run sends what is due", quiet=common.quiet)
        else:
            _resume_paused(app, edition, common)


def _withhold(app: Application, text: str, common: Common) -> None:
    until = read_moment(text, app.settings.zone, "--sent-until")
    if until > app.clock():
        raise UsageError(f'--sent-until "{text}" is yet to come; name when the lost database last sent')
    with app.worker(checked=False) as worker:
        done = app.restorer.withhold_until(until, app.compiler(worker))
    for name in done.entered:
        say(f"{name}: was lost, is entered again", quiet=common.quiet)
    say(f"{done.withheld} deliveries withheld and counted as got; the next run goes on", quiet=common.quiet)


def _resume_paused(app: Application, edition: str | None, common: Common) -> None:
    refusal = app.find_refusal()
    if refusal:
        raise Refused(refusal)
    with app.database.write() as session:
        resumed = resume_editions(session, find_named(session, edition))
    for row in resumed:
        say(f"{row.name}: goes on", quiet=common.quiet)
    if not resumed:
        say("no edition is paused", quiet=common.quiet)
