"""Hand one message to the relay at once: a proof, an invitation, an alert.

These are no deliveries and no ledger has them: whoever asked for one is told what came of it, and asks again.
"""

from collections.abc import Mapping
from datetime import datetime

from digest.mail.message import ReaderHeaders, message_id
from digest.mail.rendering.renderer import Notice
from digest.net.smtp import Envelope
from digest.tasks.composing.notices import compose_for_one
from digest.tasks.delivery.one_message import submit_one
from digest.tasks.desk.desk import Desk


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
    named = message_id(desk.keys[0], "desk", mark, now.isoformat(), address, site.from_domain)
    own = ReaderHeaders(to_name="", to_address=address, date=now, message_id=named)
    message = desk.composer.sign(compose_for_one(site, notice, subject, own), now)
    submit_one(desk.relay(), Envelope(site.from_address, address), message)
