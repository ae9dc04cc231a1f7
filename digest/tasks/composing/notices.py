"""Messages to one person that are not deliveries: a request to confirm, a proof, an invitation, an alert."""

from dataclasses import replace
from email.utils import parseaddr

from digest.mail.headers import Headers, ReaderHeaders
from digest.mail.message import Message, compose_notice
from digest.mail.rendering.drawing import Notice
from digest.settings.site import Site


def publication_headers(site: Site) -> Headers:
    """Return the header values that all messages of a publication share: From and Reply-To."""
    name, address = parseaddr(site.from_)
    return Headers(from_name=name or site.name, from_address=address, reply_to=site.reply_to)


def compose_for_one(
    site: Site, notice: Notice, subject: str, own: ReaderHeaders, *, reply_to: str = ""
) -> Message:
    """Compose an automatic message to one person (RFC 3834: `Auto-Submitted: auto-generated`).

    `reply_to` replaces the publication's own Reply-To.
    """
    headers = replace(publication_headers(site), subject=subject, auto_submitted="auto-generated")
    return compose_notice(notice, replace(headers, reply_to=reply_to or headers.reply_to), own)
