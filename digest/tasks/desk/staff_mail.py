"""Send one message at once: a proof, an invitation, an alert.

These are not deliveries and not in the ledger: the sender sees the result and may try again.
"""

from collections.abc import Mapping
from datetime import datetime

from digest.mail.headers import ReaderHeaders, message_id
from digest.mail.rendering.drawing import Notice
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
    """Render a notice to an editor, in English, and send it."""
    site = desk.settings.site
    known = {
        "publication": site.name, "subject": subject, "postal_address": site.postal_address, **values
    }  # fmt: skip
    post(desk, desk.renderer.render_notice(template, "en", known), subject, address, mark, now)


def post(desk: Desk, notice: Notice, subject: str, address: str, mark: str, now: datetime) -> None:
    """Send a message of two parts; raise Unreachable with the reason if the relay does not accept it.

    `mark` makes its Message-ID.
    """
    site = desk.settings.site
    named = message_id(desk.keys[0], "desk", mark, now.isoformat(), address, site.from_domain)
    own = ReaderHeaders(to_name="", to_address=address, date=now, message_id=named)
    message = desk.composer.sign(compose_for_one(site, notice, subject, own), now)
    submit_one(desk.relay(), Envelope(site.from_address, address), message)
