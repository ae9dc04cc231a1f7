"""A whole message: headers of one reader before a rendering's body (RFC 5322, 2046, 2369, 8058)."""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from digest.mail import headers as fields
from digest.mail.encoding import quoted_printable, splice
from digest.mail.rendering import Notice, Rendering, boundary_of, slot_values

_LONGEST_LIST_ID = 255


@dataclass(frozen=True, slots=True)
class Headers:
    """The header values of one message; what is None is left out."""

    from_name: str
    from_address: str
    to_name: str
    to_address: str
    subject: str
    date: datetime
    message_id: str
    list_id: str = ""
    list_name: str = ""
    reply_to: str | None = None
    unsubscribe_url: str | None = None
    unsubscribe_mailto: str | None = None
    help_url: str | None = None
    owner: str | None = None
    archive_url: str | None = None
    auto_submitted: str | None = None
    in_reply_to: str | None = None
    feedback_id: str | None = None
    bulk: bool = False


def message_id(
    identity_key: bytes, digest: str, cadence: str, period: str, public_id: str, domain: str
) -> str:
    """Give the Message-ID of an edition for a reader: the same for every repeat (RFC 5322 3.6.4)."""
    named = "\0".join((digest, cadence, period, public_id)).encode()
    mac = hmac.new(identity_key, named, hashlib.sha256).digest()[:20]
    return f"<{b32encode(mac).decode().lower()}@{fields.ascii_domain('x@' + domain)[2:]}>"


def compose(rendering: Rendering, headers: Headers, values: Mapping[str, str]) -> bytes:
    """Join headers, the rendering's pieces and the reader's own values into one message."""
    for_text, for_html = slot_values(rendering.own_values(values))
    text = splice(rendering.text, for_text)
    html = splice(rendering.html, for_html)
    return _whole(headers, rendering.boundary, text, html)


def compose_notice(notice: Notice, headers: Headers) -> bytes:
    """Compose a message that is for one reader alone, such as an asking."""
    text, html = quoted_printable(notice.text), quoted_printable(notice.html)
    return _whole(headers, boundary_of(text, html), text, html)


def _whole(headers: Headers, boundary: str, text: bytes, html: bytes) -> bytes:
    head = _head(headers) + f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'
    mark = boundary.encode()
    return b"".join((
        head.encode(), b"\r\n",
        b"--", mark, _part(b"plain"), text,
        b"\r\n--", mark, _part(b"html"), html,
        b"\r\n--", mark, b"--\r\n",
    ))  # fmt: skip


def _part(kind: bytes) -> bytes:
    return (
        b"\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        % kind
    )


def _head(headers: Headers) -> str:
    lines = [
        fields.date_header(headers.date),
        fields.sender_header(headers.from_name, headers.from_address),
        fields.mailbox_header("To", headers.to_name, headers.to_address),
        fields.text_header("Subject", headers.subject),
        fields.plain_header("Message-ID", [headers.message_id]),
    ]
    if headers.reply_to:
        lines.append(fields.plain_header("Reply-To", [fields.ascii_domain(headers.reply_to)]))
    if headers.in_reply_to:
        lines.append(fields.plain_header("In-Reply-To", [headers.in_reply_to]))
        lines.append(fields.plain_header("References", [headers.in_reply_to]))
    lines.extend(_list_fields(headers))
    if headers.auto_submitted:
        lines.append(fields.plain_header("Auto-Submitted", [headers.auto_submitted]))
    lines.append("MIME-Version: 1.0\r\n")
    return "".join(lines)


def _list_fields(headers: Headers) -> list[str]:
    """Write what tells a mailing list (RFC 2369, 2919) and how to leave it with one click (RFC 8058)."""
    lines = []
    if headers.list_id:
        list_id = f"<{fields.ascii_domain('x@' + headers.list_id)[2:]}>"
        words = [*fields.phrase(headers.list_name), list_id]
        # Its length is bounded, its description is not needed (RFC 2919 3).
        fits = len(" ".join(words)) <= _LONGEST_LIST_ID
        lines.append(fields.plain_header("List-Id", words if fits else [list_id]))
        lines.append("List-Post: NO\r\n")
    leave = [f"<{url}>" for url in (headers.unsubscribe_url, _mailto(headers.unsubscribe_mailto)) if url]
    if leave:
        lines.append(fields.plain_header("List-Unsubscribe", [*(f"{u}," for u in leave[:-1]), leave[-1]]))
    if headers.unsubscribe_url:
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
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
