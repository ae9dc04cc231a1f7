"""What readers may choose beside cadence and hour: breaking news, fewest articles, quiet hours."""

from dataclasses import dataclass

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Subscription
from digest.settings import DigestSettings
from digest.settings.types import parse_quiet_hours

USUAL, NONE = "usual", "none"
"""Quiet hours as the digest has them, and none at all."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is chosen; None leaves a choice as it is.

    `fewest` 0 is as many articles as the digest waits for. `quiet` is a span such as "22:00-07:00", `USUAL`
    or `NONE`.
    """

    breaking: bool | None = None
    fewest: int | None = None
    quiet: str | None = None


UNCHANGED = Rhythm()


def set_rhythm(session: Session, digest: DigestSettings, row: Subscription, rhythm: Rhythm) -> dict[str, str]:
    """Store what was chosen; return what changed, as the record of consent tells it.

    Raise InputError for what the digest does not let readers choose; then nothing is changed.
    """
    wanted = row.breaking if rhythm.breaking is None else check_breaking(digest, rhythm.breaking)
    fewest = row.min_articles if rhythm.fewest is None else _check_fewest(digest, rhythm.fewest)
    quiet = row.quiet if rhythm.quiet is None else _check_quiet(digest, rhythm.quiet)
    changed = {}
    if wanted != row.breaking:
        changed["breaking"] = "yes" if wanted else "no"
    if fewest != row.min_articles:
        changed["min_articles"] = str(fewest or USUAL)
        row.cohort_id = None
    if quiet != row.quiet:
        changed["quiet"] = USUAL if quiet is None else quiet or NONE
    row.breaking, row.min_articles, row.quiet = wanted, fewest, quiet
    session.add(row)
    session.flush()
    return changed


def check_breaking(digest: DigestSettings, wanted: bool) -> bool:
    """Return whether breaking news is wanted; raise InputError where the digest has none to choose."""
    if wanted and not digest.breaking:
        raise InputError(f"{digest.name} has no breaking news to choose")
    return wanted


def _check_fewest(digest: DigestSettings, fewest: int) -> int | None:
    if not fewest:
        return None
    if "min_articles" not in digest.reader_choices:
        raise InputError(f"{digest.name} does not let readers choose how many articles an edition waits for")
    if not digest.min_articles <= fewest <= digest.max_articles:
        raise InputError(
            f'"{fewest}" articles are not what {digest.name} can wait for:'
            f" pick {digest.min_articles} to {digest.max_articles}"
        )
    return fewest


def _check_quiet(digest: DigestSettings, quiet: str) -> str | None:
    if quiet == USUAL:
        return None
    if "quiet" not in digest.reader_choices:
        raise InputError(f"{digest.name} does not let readers choose quiet hours")
    if quiet == NONE:
        return ""
    try:
        return parse_quiet_hours(quiet)
    except ValueError as error:
        raise InputError(f"quiet hours: {error}") from None
