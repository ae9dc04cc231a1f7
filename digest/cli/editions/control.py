"""Commands that stop and resume editions: pause, hold, release."""

from datetime import datetime

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, Common, application, by_command
from digest.cli.terminal.output import say
from digest.errors import InputError, UsageError
from digest.models import EditionName, EditionState
from digest.tasks.desk import drafts
from digest.tasks.desk.delivery_controls import pause_edition
from digest.tasks.desk.draft_versions import Edit
from digest.tasks.editions.coming import list_holdable
from digest.tasks.ledger.audit import find_named


def pause(edition: str, *, common: Common = DEFAULT) -> None:
    """Pause the delivery of editions until `digest resume`.

    Messages under way are finished, and no others are sent. The desk's activity records it.

    Parameters
    ----------
    edition:
        The editions to pause: "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD".
    """
    with application(common) as app:
        with app.database.read() as session:
            found = find_named(session, edition, states=[EditionState.FROZEN])
        for one in found:
            pause_edition(app.desk, _edit(one.name, app.clock()))
            say(f"{one.name}: paused; `digest resume {one.name.argument}` resumes it", quiet=common.quiet)
        if not found:
            say(f"nothing of {edition} is being delivered", quiet=common.quiet)


def hold(edition: str, *, common: Common = DEFAULT) -> None:
    """Hold the next edition: it is not sent at its deadline.

    Parameters
    ----------
    edition:
        "DIGEST/CADENCE", or "DIGEST" if it has only one cadence; with "/PERIOD" only that of them.
    """
    with application(common) as app:
        names = _coming(app, edition)
        for name in names:
            drafts.hold(app.desk, _edit(name, app.clock()))
    for name in names:
        say(f"{name}: on hold; `digest release {name.digest}/{name.cadence}` ends that", quiet=common.quiet)


def release(edition: str, *, common: Common = DEFAULT) -> None:
    """Release a held edition: it is sent at its deadline, or by the next run where that has passed.

    Parameters
    ----------
    edition:
        "DIGEST/CADENCE", or "DIGEST" if it has only one cadence; with "/PERIOD" only that of them.
    """
    with application(common) as app:
        released, refused = list[EditionName](), list[InputError]()
        for name in _coming(app, edition):
            try:
                drafts.release(app.desk, _edit(name, app.clock()))
                released.append(name)
            except InputError as error:
                refused.append(error)
    if not released:
        raise refused[0]
    for name in released:
        say(f"{name}: released", quiet=common.quiet)


def _coming(app: Application, text: str) -> list[EditionName]:
    digest_name, _, rest = text.replace(" ", "/").partition("/")
    cadence, _, period = rest.partition("/")
    digest = app.settings.digest(digest_name)
    if not cadence and len(digest.cadences) > 1:
        raise UsageError(f"{text} has several cadences: name one, such as {text}/{digest.default_cadence}")
    cadence = cadence or digest.default_cadence
    digest.cadence(cadence)
    with app.database.read() as session:
        found = list_holdable(session, app.settings, digest, cadence, app.clock())
    names = [EditionName(digest.name, cadence, one.period) for one in found]
    chosen = [name for name in names if period in ("", name.period)]
    if not chosen:
        known = " or ".join(name.argument for name in names)
        raise UsageError(f"{text} is not the next edition or one on hold: that is {known}")
    return chosen


def _edit(name: EditionName, now: datetime) -> Edit:
    return Edit(by_command(), name, None, now)
