"""The header of a message: which fields it has, and what is in them (RFC 5322, 2369, 2919, 8058).

header_encoding.py writes one field: its folding, its encoded-words.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache

from digest.mail import header_encoding as fields
from digest.rules.tokens.hmac_prefix import Mac

_LONGEST_LIST_ID = 255
_ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@dataclass(frozen=True, slots=True)
class Headers:
    """The header values that all readers of a rendering share; fields whose value is None are left out.

    Without a subject, each rendering has its own; all else is shared by the renderings of an edition.
    """

    from_name: str
    from_address: str
    subject: str | None = None
    list_id: str = ""
    list_name: str = ""
    reply_to: str | None = None
    help_url: str | None = None
    owner: str | None = None
    archive_url: str | None = None
    auto_submitted: str | None = None
    in_reply_to: str | None = None
    feedback_id: str | None = None
    bulk: bool = False


@dataclass(slots=True)
class ReaderHeaders:
    """The header values of one reader's message."""

    to_name: str
    to_address: str
    date: datetime
    message_id: str
    unsubscribe_url: str | None = None
    unsubscribe_mailto: str | None = None


def message_id(
    identity_key: bytes, digest: str, cadence: str, period: str, public_id: str, domain: str
) -> str:
    """Return the Message-ID of an edition for a reader, the same for every repeat (RFC 5322 3.6.4)."""
    mac = _edition_mac(identity_key, digest, cadence, period).over(public_id.encode())
    return f"<{mac[:20].hex()}@{_ascii(domain)}>"


@lru_cache(maxsize=16)
def _edition_mac(identity_key: bytes, digest: str, cadence: str, period: str) -> Mac:
    """Return an HMAC of the prefix that all Message-IDs of an edition share."""
    return Mac(identity_key, "\0".join((digest, cadence, period, "")).encode())


def unsubscribe_fields(own: ReaderHeaders) -> str:
    """Write the fields with which a reader unsubscribes (RFC 2369, 8058)."""
    if own.unsubscribe_url and not own.unsubscribe_mailto:
        return fields.word_header("List-Unsubscribe", f"<{own.unsubscribe_url}>") + _ONE_CLICK
    post = _ONE_CLICK if own.unsubscribe_url else ""
    leave = [f"<{url}>" for url in (own.unsubscribe_url, _mailto(own.unsubscribe_mailto)) if url]
    if len(leave) > 1:
        return fields.plain_header("List-Unsubscribe", [leave[0] + ",", leave[1]]) + post
    return fields.word_header("List-Unsubscribe", leave[0]) + post if leave else post


@lru_cache(maxsize=64)
def shared_fields(headers: Headers) -> str:
    """Write the fields that all variants of an edition share."""
    lines = []
    if headers.reply_to:
        lines.append(fields.mailbox_header("Reply-To", *parseaddr(headers.reply_to)))
    if headers.in_reply_to:
        lines.append(fields.plain_header("In-Reply-To", [headers.in_reply_to]))
        lines.append(fields.plain_header("References", [headers.in_reply_to]))
    lines.extend(_list_fields(headers))
    if headers.auto_submitted:
        lines.append(fields.plain_header("Auto-Submitted", [headers.auto_submitted]))
    return "".join(lines)


def _list_fields(headers: Headers) -> list[str]:
    """Write the fields of a mailing list (RFC 2369, 2919)."""
    lines = []
    if headers.list_id:
        list_id = f"<{_ascii(headers.list_id)}>"
        words = [*fields.phrase(headers.list_name), list_id]
        # The name's length is limited, and the description is optional (RFC 2919 3).
        fits = len(" ".join(words)) <= _LONGEST_LIST_ID
        lines.append(fields.plain_header("List-Id", words if fits else [list_id]))
        lines.append("List-Post: NO\r\n")
    for name, url in (
        ("List-Help", headers.help_url),
        ("List-Owner", _mailto(headers.owner)),
        ("List-Archive", headers.archive_url),
    ):
        if url:
            lines.append(fields.plain_header(name, [f"<{url}>"]))
    if headers.feedback_id:
        lines.append(fields.plain_header("Feedback-ID", [headers.feedback_id]))
    if headers.bulk:
        lines.append("Precedence: bulk\r\n")
    return lines


def _mailto(address: str | None) -> str | None:
    return f"mailto:{fields.ascii_domain(address)}" if address else None


@lru_cache(maxsize=64)
def _ascii(domain: str) -> str:
    return fields.ascii_domain("x@" + domain)[2:]
