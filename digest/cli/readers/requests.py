"""Commands for readers who ask an operator: set, move, leave, resume, suppress, unsuppress, link."""

from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from digest.cli.readers.choices import check_details, read_topics
from digest.cli.terminal.common import DEFAULT, Common, application, in_zone
from digest.cli.terminal.output import say
from digest.errors import UsageError
from digest.settings import Settings
from digest.tasks.readers import on_request
from digest.tasks.readers.on_request import Change
from digest.tasks.readers.rhythm import Rhythm

AskedBy = Annotated[str, Parameter(name="--asked-by")]
_USUAL, _NO_END, _ALL = "usual", "open", "all"


def set_(
    address: str,
    *,
    digest: str | None = None,
    cadence: str | None = None,
    topics: tuple[str, ...] | None = None,
    hour: str | None = None,
    articles: int | None = None,
    form: str | None = None,
    at_least: int | None = None,
    quiet_hours: str | None = None,
    breaking: bool | None = None,
    pause: str | None = None,
    name: str | None = None,
    language: str | None = None,
    timezone: str | None = None,
    asked_by: AskedBy = "",
    common: Common = DEFAULT,
) -> None:
    """Set any choice of a reader who asks for it.

    Parameters
    ----------
    address:
        The reader's address.
    digest:
        The digest to change; may be omitted if the reader has only one.
    cadence:
        One of the digest's cadences.
    topics:
        Only these of the digest's topics, such as science,culture; may be repeated; "all" for all of them.
    hour:
        The local hour of delivery, 0 to 23; "usual" for the cadence's own.
    articles:
        The most articles in each edition; 0 for as many as fit.
    form:
        pictures, no-pictures, text (plain text alone) or feed (no mail; their own feed has the editions).
    at_least:
        The fewest new articles that an edition waits for; 0 for as many as the digest does.
    quiet_hours:
        Local hours without mail, such as "22:00-07:00"; "none"; "usual" for the digest's own.
    breaking:
        Whether breaking news comes at once.
    pause:
        Pause until this date, such as 2026-12-24; "open" until `digest subscribers resume`.
    name:
        How to greet them.
    language:
        A language tag such as fr.
    timezone:
        A zone such as Europe/Paris.
    asked_by:
        Who asked, kept in the reader's record: "by phone, ticket 71".
    """
    wanted = read_topics(topics)
    with application(common) as app:
        check_details(app, language, timezone)
        change = Change(
            cadence=cadence,
            topics=("*",) if wanted == (_ALL,) else wanted,
            hour=_read_hour(hour),
            most=articles,
            form=form,
            rhythm=Rhythm(breaking, at_least, quiet_hours),
            paused=pause is not None,
            until=_read_day(pause, app.settings, app.clock()),
            name=name,
            language=language,
            timezone=timezone,
        )
        if change == Change():
            raise UsageError("nothing to set: name a choice, such as --cadence weekly")
        done = on_request.set_choices(
            app.readers, address, digest, change, app.clock(), _origin("set", asked_by)
        )
    changed = "changed; it applies from the next edition, a pause at once"
    say(changed if done else "unchanged", quiet=common.quiet)


def _read_hour(text: str | None) -> int | None:
    if text is None or text == _USUAL:
        return None if text is None else -1
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f'--hour "{text}" is not an hour: write 0 to 23, or "usual"')
    return int(text)


def _read_day(text: str | None, settings: Settings, now: datetime) -> datetime | None:
    """Return the end of a pause: the first instant of a date in the publication's zone."""
    if text is None or text == _NO_END:
        return None
    zone = ZoneInfo(settings.site.timezone)
    try:
        until = datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        raise UsageError(f'--pause "{text}" is not a date: write 2026-12-24, or "open"') from None
    until = in_zone(until, zone, "--pause")
    if until <= now:
        raise UsageError(f"--pause {text} has passed already: name a later date")
    return until


def move(old: str, new: str, *, asked_by: AskedBy = "", common: Common = DEFAULT) -> None:
    """Move a reader to another address, and notify the old one.

    Parameters
    ----------
    old:
        The address that the reader has.
    new:
        The address to write to from now on.
    asked_by:
        Who asked, kept in the reader's record.
    """
    with application(common) as app:
        on_request.move(app.readers, old, new, app.clock(), _origin("move", asked_by))
    say("moved; the next run mails a notice to the old address", quiet=common.quiet)


def leave(
    address: str, *, digest: str | None = None, asked_by: AskedBy = "", common: Common = DEFAULT
) -> None:
    """End a reader's subscription, or all of them.

    Parameters
    ----------
    address:
        The reader's address.
    digest:
        Only this digest; else all of them.
    asked_by:
        Who asked, kept in the reader's record.
    """
    with application(common) as app:
        done = on_request.leave(app.readers, address, digest, app.clock(), _origin("leave", asked_by))
    say(f"unsubscribed from {', '.join(done)}" if done else "nothing to end", quiet=common.quiet)


def resume(
    address: str, *, digest: str | None = None, asked_by: AskedBy = "", common: Common = DEFAULT
) -> None:
    """End a reader's pause.

    Parameters
    ----------
    address:
        The reader's address.
    digest:
        Only this digest; else all of them.
    asked_by:
        Who asked, kept in the reader's record.
    """
    with application(common) as app:
        done = on_request.resume(app.readers, address, digest, app.clock(), _origin("resume", asked_by))
        why = "" if done else on_request.explain_inactive(app.readers, address, digest)
    nothing = f"nothing is paused: {why}" if why else "nothing is paused"
    say(f"resumed {', '.join(done)}" if done else nothing, quiet=common.quiet)


def suppress(address: str, *, asked_by: AskedBy = "", common: Common = DEFAULT) -> None:
    """Never write to an address again.

    Parameters
    ----------
    address:
        Any address, a reader's or not.
    asked_by:
        Who asked, kept in the reader's record.
    """
    with application(common) as app:
        done = on_request.suppress(app.readers, address, app.clock(), _origin("suppress", asked_by))
    ended = f"; ended {', '.join(done)}" if done else ""
    say(f"suppressed{ended}: no import and no sign-up brings it back", quiet=common.quiet)


def unsuppress(address: str, *, asked_by: AskedBy, common: Common = DEFAULT) -> None:
    """Lift the ban on an address.

    Parameters
    ----------
    address:
        The address.
    asked_by:
        Who asked; kept in the reader's record.
    """
    if not asked_by.strip():
        raise UsageError('--asked-by is empty: write who asked, such as --asked-by "by phone, ticket 71"')
    with application(common) as app:
        reason = on_request.unsuppress(app.readers, address, app.clock(), _origin("unsuppress", asked_by))
    only = "only a confirmed sign-up, and no import, makes a subscription active"
    say(f"lifted (it was: {reason}); {only}", quiet=common.quiet)


def link(address: str, *, asked_by: AskedBy = "", common: Common = DEFAULT) -> None:
    """Mail a reader the one-hour link to their own page.

    Parameters
    ----------
    address:
        The reader's address.
    asked_by:
        Who asked.
    """
    with application(common) as app:
        on_request.send_link(app.readers, address, app.clock(), _origin("link", asked_by))
    say("the next run mails the link; its hour begins then", quiet=common.quiet)


def _origin(command: str, asked_by: str) -> dict[str, str]:
    told = {"asked_by": asked_by.strip()} if asked_by.strip() else {}
    return {"command": f"subscribers {command}", **told}
