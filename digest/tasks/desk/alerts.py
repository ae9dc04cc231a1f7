"""Tell whoever `[site] alerts` names that an edition is held: once an edition."""

import logging
from datetime import datetime
from email.utils import parseaddr

from digest.errors import Unreachable
from digest.models import Edition, EditionState
from digest.store.editions import drafts, editions
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.notices import post_notice

log = logging.getLogger(__name__)


def tell_held(desk: Desk, now: datetime) -> int:
    """Mail alerts about held editions that nobody was told about; return how many."""
    if not desk.settings.site.alerts:
        return 0
    with desk.database.read() as session:
        held = editions.list_editions(session, states=[EditionState.HELD])
        untold = [edition for edition in held if not drafts.was_told(session, _key(edition))]
    return sum(_tell(desk, edition, now) for edition in untold)


def _tell(desk: Desk, edition: Edition, now: datetime) -> bool:
    """Mail all addresses; where the relay takes none of it, the next run tries again."""
    name = edition.name
    at = edition.deadline_at.astimezone(desk.settings.zone)
    values = {
        "edition": f"{desk.settings.digest(name.digest).title}, {name.cadence}, {name.period}",
        "reason": edition.reason,
        "deadline": f"{at:%Y-%m-%d %H:%M}",
        "url": desk.settings.site.base_url + name.path,
    }
    subject, took = f"Held: {values['edition']}", 0
    for mailbox in desk.settings.site.alerts:
        try:
            post_notice(desk, "held", subject, values, parseaddr(mailbox)[1], f"held {name}", now)
            took += 1
        except Unreachable as error:
            log.warning("nobody is told yet that %s is held: %s", name, error)
    if took:
        with desk.database.write() as session:
            drafts.note_told(session, _key(edition), now)
    return bool(took)


def _key(edition: Edition) -> str:
    return f"held {edition.id}"
