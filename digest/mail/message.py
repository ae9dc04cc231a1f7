"""A whole message: a reader's header before the body of a rendering (RFC 5322, 2046, 2369, 8058)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digest.mail import header_encoding as fields
from digest.mail.headers import Headers, ReaderHeaders, shared_fields, unsubscribe_fields
from digest.mail.rendering.content import READER_VALUES
from digest.mail.rendering.drawing import Notice
from digest.mail.rendering.quoted_printable import Pieces
from digest.mail.rendering.renderer import BodyPlaceholders, Greeting, Rendering
from digest.mail.rendering.skeleton import boundary_of, encode

if TYPE_CHECKING:
    from digest.mail.dkim import BodyHash

_PART = b"\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
PLAIN, HTML = _PART % b"plain", _PART % b"html"
"""The header of a part, after its boundary."""
_ONE_PART = "MIME-Version: 1.0" + PLAIN[:-2].decode()
"""The header fields of a message that is plain text alone."""


@dataclass(slots=True)
class Message:
    """A message as bytes with CRLF line ends: its header with the empty line, and the pieces of its body.

    Large pieces are shared by all readers and written to the socket without being joined. `shared_hash`
    returns a hash of the first pieces, which all bodies share, and their number.
    """

    head: bytes
    pieces: Sequence[bytes]
    shared_hash: "Callable[[], tuple[BodyHash, int]]"

    @property
    def body(self) -> bytes:
        """Return the whole body."""
        return b"".join(self.pieces)

    @property
    def body_digest(self) -> bytes:
        """Return the SHA-256 of the body, which is in relaxed form (mail.rendering.quoted_printable)."""
        shared_hash, shared = self.shared_hash()
        return shared_hash.digest(b"".join(self.pieces[shared:]))

    def __bytes__(self) -> bytes:
        return b"".join((self.head, *self.pieces))


class SharedHead:
    """The header fields that all messages of an edition share in a language."""

    __slots__ = ("greeting", "headers", "rest", "sender")

    def __init__(self, greeting: Greeting, headers: Headers) -> None:
        self.greeting = greeting
        self.headers = headers
        self.sender = fields.sender_header(headers.from_name, headers.from_address)
        self.rest = shared_fields(headers)


class Composition:
    """What all readers of a rendering share, encoded once; one without HTML is a message of plain text alone.

    `compose(ReaderHeaders("Ada", "ada@example.org", ...), values)` returns Ada's Message: her To, Date,
    Message-ID and List-Unsubscribe fields, and the body with her values spliced in.
    """

    __slots__ = ("_body", "_personal", "_shared_hash", "_shared_head", "_subject", "_type")
    _personal: Callable[[Mapping[str, str]], Rendering] | None
    _shared_hash: "tuple[BodyHash, int] | None"

    def __init__(self, rendering: Rendering, headers: Headers) -> None:
        subject = rendering.subject if headers.subject is None else headers.subject
        body = _multipart(rendering.boundary, rendering.text, rendering.html)
        if not rendering.html:
            body = (*named("text ", rendering.text), b"\r\n")
        self._set(
            SharedHead(rendering.greeting, headers),
            fields.text_header("Subject", subject),
            rendering.boundary,
            BodyPlaceholders(body),
        )
        if not rendering.html:
            self._type = _ONE_PART
        self._personal = rendering.personal

    @classmethod
    def assembled(
        cls, shared_head: "SharedHead", subject: str, boundary: str, body: BodyPlaceholders
    ) -> "Composition":
        """Return a composition of cached pieces: the whole Subject field, and a body."""
        composition = cls.__new__(cls)
        composition._set(shared_head, subject, boundary, body)
        return composition

    def _set(self, shared_head: "SharedHead", subject: str, boundary: str, body: BodyPlaceholders) -> None:
        self._shared_head = shared_head
        self._subject = subject
        self._type = _content_type(boundary)
        self._body = body
        self._personal = None
        self._shared_hash = None

    def compose(self, own: ReaderHeaders, values: Mapping[str, str]) -> Message:
        """Return one reader's message."""
        shared = self._shared_head
        known = shared.greeting.own_values(values)
        if self._personal is not None:
            return _personal(self._personal(known), shared.headers).compose(own, values)
        head = "".join((
            fields.date_header(own.date), shared.sender,
            fields.recipient_header(own.to_name, own.to_address), self._subject,
            fields.word_header("Message-ID", own.message_id), unsubscribe_fields(own), shared.rest,
            self._type, "\r\n",
        ))  # fmt: skip
        return Message(head.encode(), self._body.filled(known), self._hash_shared)

    def _hash_shared(self) -> "tuple[BodyHash, int]":
        if self._shared_hash is None:
            from digest.mail.dkim import BodyHash  # needed only where messages are signed

            self._shared_hash = BodyHash(*self._body.shared), len(self._body.shared)
        return self._shared_hash


def compose_notice(notice: Notice, headers: Headers, own: ReaderHeaders) -> Message:
    """Compose a message to one person, such as the request to confirm a subscription."""
    text, html = encode(notice.text), encode(notice.html)
    boundary = boundary_of(text.digest, html.digest)
    rendering = Rendering(headers.subject or "", (html.content,), (text.content,), boundary)
    return Composition(rendering, headers).compose(own, dict.fromkeys(READER_VALUES, ""))


def _personal(rendering: Rendering, headers: Headers) -> Composition:
    return Composition(replace(rendering, personal=None), headers)


def named(kind: str, pieces: Pieces) -> Pieces:
    """Prefix the names of placeholders with their part: "text name", "html name"."""
    return tuple([kind + piece if isinstance(piece, str) else piece for piece in pieces])


def _content_type(boundary: str) -> str:
    return f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'


def _multipart(boundary: str, text: Pieces, html: Pieces) -> Pieces:
    """Put the parts between their boundaries, plain text first (RFC 2046 5.1.4), and join adjacent pieces."""
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
