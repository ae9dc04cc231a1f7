"""Mail what is wrong, and what is over, to whoever `[site] alerts` and `[site] operators` name."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from functools import partial

from sqlmodel import Session

from digest.errors import Unreachable
from digest.models import Alert, AlertKind, Audience
from digest.net.smtp import Relay
from digest.rules.alerts import (
    AlertMail,
    choose_mail,
    over_title_of,
    title_of,
)
from digest.settings import Settings
from digest.store import alerts
from digest.store.database import Database
from digest.tasks.alerts.alerts import note_conditions
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.staff_mail import post_notice

log = logging.getLogger(__name__)


def watch(desk: Desk, now: datetime) -> int:
    """Note what is wrong and what is over, and tell who is to be told; return how many mails left."""
    note_conditions(desk.database, desk.settings, now)
    return sum(_tell(desk, audience, now) for audience in Audience)


def mailboxes_of(settings: Settings, audience: Audience) -> Sequence[str]:
    """Return who is told: operators are the editors' addresses where none are named for them."""
    site = settings.site
    return site.operators or site.alerts if audience is Audience.OPERATORS else site.alerts


def _tell(desk: Desk, audience: Audience, now: datetime) -> bool:
    """Mail an audience what is due; where no relay takes it, a later run tries again."""
    mailboxes = mailboxes_of(desk.settings, audience)
    mail = _claim(desk.database, audience, now) if mailboxes else None
    if mail is None:
        return False
    took = [mailbox for mailbox in mailboxes if _post(desk, mail, parseaddr(mailbox)[1], now)]
    if took:
        with desk.database.write() as session:
            alerts.take_turns(session)
            _note_told(session, mail, now)
    return bool(took)


def _claim(database: Database, audience: Audience, now: datetime) -> AlertMail | None:
    """Choose what to mail, so that no other process mails it too."""
    with database.read() as session:
        if choose_mail(alerts.list_alerts(session), audience, now, None) is None:
            return None
    with database.write() as session:
        alerts.take_turns(session)
        known = alerts.list_alerts(session)
        mail = choose_mail(known, audience, now, _last_at(known, audience))
        for alert in [*mail.began, *mail.over] if mail else []:
            alert.claimed_at = now
            alerts.save(session, alert)
    return mail


def _last_at(known: Sequence[Alert], audience: Audience) -> datetime | None:
    moments = [one.claimed_at for one in known if AlertKind(one.kind).audience == audience and one.claimed_at]
    return max(moments, default=None)


def _note_told(session: Session, mail: AlertMail, now: datetime) -> None:
    """Enter that a mail left; what was over when it was told needs no all-clear."""
    for alert in mail.began:
        known = alerts.find_alert(session, alert.key)
        if known is not None:
            known.told_at = now
            known.cleared_at = now if alert.ended_at is not None else None
            alerts.save(session, known)
    for alert in mail.over:
        known = alerts.find_alert(session, alert.key)
        if known is not None:
            known.cleared_at = now
            alerts.save(session, known)


def _post(desk: Desk, mail: AlertMail, address: str, now: datetime) -> bool:
    zone, base = desk.settings.zone, desk.settings.site.base_url

    def item(alert: Alert, title: str, detail: str) -> dict[str, str]:
        began, ended = alert.began_at.astimezone(zone), (alert.ended_at or now).astimezone(zone)
        is_over = alert.ended_at is not None
        span = f"{began:%Y-%m-%d %H:%M} to {ended:%Y-%m-%d %H:%M}" if is_over else f"{began:%Y-%m-%d %H:%M}"
        url = base + alert.path if alert.path and desk.settings.web.enabled else ""
        return {
            "title": title,
            "detail": detail,
            "when": f"{'From' if is_over else 'Since'} {span}",
            "url": url,
        }

    items = [item(one, title_of(one), one.detail) for one in mail.began]
    items += [item(one, over_title_of(one), "") for one in mail.over]
    mark = f"alert {' '.join(one.key for one in (*mail.began, *mail.over))}"
    why = ""
    for relay in desk.relays():
        try:
            through = replace(desk, relay=partial(_only, relay))
            post_notice(through, "alert", mail.subject, {"items": items}, address, mark, now)
        except Unreachable as error:
            why = str(error)
        else:
            return True
    log.warning("an alert could not be mailed: %s: %s", mail.subject, why)
    return False


def _only(relay: Relay) -> Relay:
    return relay
