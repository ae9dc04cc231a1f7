"""When an article is too old for an edition, in preflight as in selection."""

from datetime import datetime, timedelta


def is_too_old(dated_at: datetime, at: datetime, carry: timedelta) -> bool:
    """Return whether an article is older than a digest carries articles over to an edition of this moment.

    What holds the archive of a new source back is decided before, in rules/articles/admission.py.
    """
    return dated_at < at - carry
