"""Hand one message to the relay at once: a proof, an invitation, an alert.

These are no deliveries and no ledger has them: whoever asked for one is told what came of it, and asks again.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr

from digest.errors import Unreachable
from digest.mail.message import Headers, ReaderHeaders, compose_notice, message_id
from digest.mail.rendering.renderer import Notice
from digest.models import Outcome
from digest.net.smtp import Envelope, Timeouts, open_connection
from digest.rules.delivery.verdicts import describe, without_address
from digest.tasks.desk.desk import Desk

_PATIENCE = Timeouts(connect=10, banner=15, command=15, data=15, block=15, dot=30)


def post_notice(
    desk: Desk,
    template: str,
    subject: str,
    values: Mapping[str, object],
    address: str,
    mark: str,
    now: datetime,
) -> None:
    """Render a notice to an editor, who reads English, and hand it over."""
    site = desk.settings.site
    known = {
        "publication": site.name, "subject": subject, "postal_address": site.postal_address, **values
    }  # fmt: skip
    post(desk, desk.renderer.render_notice(template, "en", known), subject, address, mark, now)


def post(desk: Desk, notice: Notice, subject: str, address: str, mark: str, now: datetime) -> None:
    """Hand a message of two parts over; raise Unreachable, saying why, where the relay does not take it.

    `mark` makes its Message-ID.
    """
    site = desk.settings.site
    name, sender = parseaddr(site.from_)
    headers = Headers(
        from_name=name or site.name, from_address=sender, reply_to=site.reply_to, subject=subject,
        auto_submitted="auto-generated",
    )  # fmt: skip
    named = message_id(desk.keys[0], "desk", mark, now.isoformat(), address, sender.rpartition("@")[2])
    own = ReaderHeaders(to_name="", to_address=address, date=now, message_id=named)
    message = desk.composer.sign(compose_notice(notice, headers, own), now)
    refused = _submit(desk, Envelope(sender, address), message)
    if refused:
        raise Unreachable(f"the relay did not take the message: {without_address(refused, address)}")


def _submit(desk: Desk, envelope: Envelope, message: bytes) -> str:
    """Give why the relay did not take a message; nothing where it did."""
    opened = open_connection(replace(desk.relay(), timeouts=_PATIENCE))
    if isinstance(opened, Outcome):
        return describe(opened)
    try:
        outcome = opened.submit(envelope, message)
    finally:
        opened.close()
    return "" if outcome.accepted else describe(outcome)
