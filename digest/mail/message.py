"""A whole message: a reader's headers before a rendering's body (RFC 5322, 2046, 2369, 8058)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.mail import headers as fields
from digest.mail.rendering.content import SLOTS
from digest.mail.rendering.quoted_printable import Pieces
from digest.mail.rendering.renderer import BodyPlaceholders, Greeting, Notice, Rendering
from digest.mail.rendering.skeleton import boundary_of, encode
from digest.rules.tokens.hmac_prefix import Mac

if TYPE_CHECKING:
    from digest.mail.dkim import BodyHash

_LONGEST_LIST_ID = 255
_ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
_PART = b"\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
PLAIN, HTML = _PART % b"plain", _PART % b"html"
"""What begins a part, behind its boundary."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The header values that all readers of a rendering share; what is None is left out.

    Without a subject it is the rendering's own: renderings of an edition share all else.
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


@dataclass(slots=True)
class Message:
    """A message as bytes with CRLF line ends: its head with the empty line, and the pieces of its body.

    The larger pieces are those of every other reader: whoever writes them out need not join them. `begun`
    gives a hash of the pieces that all readers' bodies begin with, and how many they are.
    """

    head: bytes
    pieces: Sequence[bytes]
    begun: "Callable[[], tuple[BodyHash, int]]"

    @property
    def body(self) -> bytes:
        """Give the body whole."""
        return b"".join(self.pieces)

    @property
    def body_digest(self) -> bytes:
        """Give the SHA-256 of the body, which is its own relaxed form (mail.rendering.quoted_printable)."""
        begun, shared = self.begun()
        return begun.digest(b"".join(self.pieces[shared:]))

    def __bytes__(self) -> bytes:
        return b"".join((self.head, *self.pieces))


def message_id(
    identity_key: bytes, digest: str, cadence: str, period: str, public_id: str, domain: str
) -> str:
    """Give the Message-ID of an edition for a reader: the same for every repeat (RFC 5322 3.6.4)."""
    mac = _begun_mac(identity_key, digest, cadence, period).over(public_id.encode())
    return f"<{mac[:20].hex()}@{_ascii(domain)}>"


@lru_cache(maxsize=16)
def _begun_mac(identity_key: bytes, digest: str, cadence: str, period: str) -> Mac:
    """Give a MAC over what all Message-IDs of an edition begin with."""
    return Mac(identity_key, "\0".join((digest, cadence, period, "")).encode())


class Letterhead:
    """What the heads of all messages of an edition share in a language."""

    __slots__ = ("greeting", "headers", "rest", "sender")

    def __init__(self, greeting: Greeting, headers: Headers) -> None:
        self.greeting = greeting
        self.headers = headers
        self.sender = fields.sender_header(headers.from_name, headers.from_address)
        self.rest = _shared_fields(headers)


class Composition:
    """What all readers of a rendering share, encoded once; `compose` splices a reader's own values in."""

    __slots__ = ("_begun", "_letterhead", "_personal", "_slots", "_subject", "_type")
    _personal: Callable[[Mapping[str, str]], Rendering] | None
    _begun: "tuple[BodyHash, int] | None"

    def __init__(self, rendering: Rendering, headers: Headers) -> None:
        subject = rendering.subject if headers.subject is None else headers.subject
        self._set(
            Letterhead(rendering.greeting, headers),
            fields.text_header("Subject", subject),
            rendering.boundary,
            BodyPlaceholders(_body(rendering.boundary, rendering.text, rendering.html)),
        )
        self._personal = rendering.personal

    @classmethod
    def joined(
        cls, letterhead: "Letterhead", subject: str, boundary: str, slots: BodyPlaceholders
    ) -> "Composition":
        """Give a composition of what is known: the whole header of the subject, and a body."""
        composition = cls.__new__(cls)
        composition._set(letterhead, subject, boundary, slots)
        return composition

    def _set(self, letterhead: "Letterhead", subject: str, boundary: str, slots: BodyPlaceholders) -> None:
        self._letterhead = letterhead
        self._subject = subject
        self._type = _content_type(boundary)
        self._slots = slots
        self._personal = None
        self._begun = None

    def compose(self, own: ReaderHeaders, values: Mapping[str, str]) -> Message:
        """Give one reader's message."""
        shared = self._letterhead
        known = shared.greeting.own_values(values)
        if self._personal is not None:
            return _personal(self._personal(known), shared.headers).compose(own, values)
        head = "".join((
            fields.date_header(own.date), shared.sender,
            fields.recipient_header(own.to_name, own.to_address), self._subject,
            fields.word_header("Message-ID", own.message_id), _leave_fields(own), shared.rest, self._type,
            "\r\n",
        ))  # fmt: skip
        return Message(head.encode(), self._slots.filled(known), self._begin)

    def _begin(self) -> "tuple[BodyHash, int]":
        if self._begun is None:
            from digest.mail.dkim import BodyHash  # only where messages are signed

            self._begun = BodyHash(*self._slots.shared), len(self._slots.shared)
        return self._begun


def compose(rendering: Rendering, headers: Headers, own: ReaderHeaders, values: Mapping[str, str]) -> bytes:
    """Compose one message of a rendering."""
    return bytes(Composition(rendering, headers).compose(own, values))


def compose_notice(notice: Notice, headers: Headers, own: ReaderHeaders) -> Message:
    """Compose a message that is for one reader alone, such as an asking."""
    text, html = encode(notice.text), encode(notice.html)
    boundary = boundary_of(text.digest, html.digest)
    rendering = Rendering(headers.subject or "", (html.content,), (text.content,), boundary, html.size)
    return Composition(rendering, headers).compose(own, dict.fromkeys(SLOTS, ""))


def _personal(rendering: Rendering, headers: Headers) -> Composition:
    return Composition(replace(rendering, personal=None), headers)


def named(kind: str, pieces: Pieces) -> Pieces:
    """Name slots by the part that they stand in, too: "text name", "html name"."""
    return tuple([kind + piece if isinstance(piece, str) else piece for piece in pieces])


def _content_type(boundary: str) -> str:
    return f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'


def _body(boundary: str, text: Pieces, html: Pieces) -> Pieces:
    """Put the parts between their boundaries, plain text first (RFC 2046 5.1.4), and join neighbours."""
    mark = b"\r\n--" + boundary.encode()
    body: list[bytes | str] = [mark[2:] + PLAIN]
    for pieces in (named("text ", text), (mark + HTML,), named("html ", html), (mark + b"--\r\n",)):
        last, first = body[-1], pieces[0] if pieces else b""
        if isinstance(last, bytes) and isinstance(first, bytes):
            body[-1] = last + first
            body += pieces[1:]
        else:
            body += pieces
    return tuple(body)


def _leave_fields(own: ReaderHeaders) -> str:
    """Write how a reader leaves with one click (RFC 2369, 8058)."""
    if own.unsubscribe_url and not own.unsubscribe_mailto:
        return fields.word_header("List-Unsubscribe", f"<{own.unsubscribe_url}>") + _ONE_CLICK
    post = _ONE_CLICK if own.unsubscribe_url else ""
    leave = [f"<{url}>" for url in (own.unsubscribe_url, _mailto(own.unsubscribe_mailto)) if url]
    if len(leave) > 1:
        return fields.plain_header("List-Unsubscribe", [leave[0] + ",", leave[1]]) + post
    return fields.word_header("List-Unsubscribe", leave[0]) + post if leave else post


@lru_cache(maxsize=64)
def _shared_fields(headers: Headers) -> str:
    """Write what all variants of an edition share."""
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
    """Write what tells a mailing list (RFC 2369, 2919)."""
    lines = []
    if headers.list_id:
        list_id = f"<{_ascii(headers.list_id)}>"
        words = [*fields.phrase(headers.list_name), list_id]
        # Its length is bounded, its description is not needed (RFC 2919 3).
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
