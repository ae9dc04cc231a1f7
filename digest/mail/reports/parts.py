"""Parse a message into headers and leaf parts in limited time and memory, whatever it contains.

The standard library's parser copies a body line by line through one generator for each level: 30 MB take
seconds, and 1,000 nested parts exceed the recursion limit. This one searches for boundaries and decodes only
what is asked for.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_PARTS = 60
DEEPEST = 10
MOST_HEADER = 65_536
MOST_FIELDS = 400
MOST_TEXT = 262_144
"""Characters of one text part that are read; reports and letters have theirs in the first few thousand."""

_EMPTY_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*(.*)", re.S)
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')
_ENCODED = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]*)?\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_ENCODED = re.compile(r"(\?=)\s+(=\?)")
_SLOW_CODECS = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7"})


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """Header fields in order, names in lower case, values unfolded and still encoded."""

    fields: tuple[tuple[str, str], ...] = ()
    _first: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_first", dict(reversed(self.fields)))

    def get(self, name: str) -> str:
        """Return the first field of that name, or ""."""
        return self._first.get(name, "")

    def all(self, name: str) -> list[str]:
        """Return every field of that name, the topmost first."""
        return [value for known, value in self.fields if known == name]

    def text(self, name: str) -> str:
        """Return the first field of that name with its encoded-words decoded (RFC 2047), of limited
        length."""
        return decode_words(self.get(name)[:2_000])[:500]

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def __bool__(self) -> bool:
        return bool(self.fields)


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of a message: its headers, its type in lower case, and its body, still encoded."""

    headers: HeaderFields
    kind: str
    parameters: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def is_attachment(self) -> bool:
        """Return whether it is declared as an attachment (RFC 2183)."""
        return self.headers.get("content-disposition").lower().startswith("attachment")

    @property
    def text(self) -> str:
        """Decode the body as text with LF line ends; undecodable bytes are replaced."""
        return decode_text(self.content(MOST_TEXT), self.parameters.get("charset", ""))

    def content(self, most: int) -> bytes:
        """Decode the transfer encoding (RFC 2045 6) of the first `most` bytes."""
        return _decode_transfer(self.body[: 2 * most], self.headers.get("content-transfer-encoding"))[:most]


@dataclass(frozen=True, slots=True)
class Mail:
    """A whole message: its headers, its type, and its leaf parts in order."""

    headers: HeaderFields
    kind: str
    parameters: dict[str, str]
    parts: tuple[Part, ...]

    def find(self, *kinds: str) -> Part | None:
        """Find the first part of one of these types."""
        return next((part for part in self.parts if part.kind in kinds), None)


def read_mail(raw: bytes) -> Mail:
    """Parse a message; anything is a message, at worst one with a single text part."""
    headers, body = split_head(raw)
    kind, parameters = read_type(headers)
    return Mail(headers, kind, parameters, tuple(_leaves(headers, body, MOST_PARTS)))


def split_head(raw: bytes) -> tuple[HeaderFields, bytes]:
    """Split the header fields from the body at the first empty line (RFC 5322 2.1)."""
    raw = raw.lstrip(b"\r\n")
    if raw.startswith(b"From "):  # an mbox's separator
        raw = raw[raw.find(b"\n") + 1 :]
    end = _EMPTY_LINE.search(raw, 0, MOST_HEADER)
    head = raw[: end.start()] if end else raw[:MOST_HEADER]
    body = raw[end.end() :] if end else raw[MOST_HEADER:]
    return read_fields(head), body


def read_fields(head: bytes) -> HeaderFields:
    """Parse header fields, with folded lines joined; lines that are no field are skipped."""
    found: list[tuple[str, str]] = []
    text = _decode(head, "utf-8").replace("\r\n", "\n").replace("\r", "\n")
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n")[:MOST_FIELDS]:
        match = _FIELD.match(line)
        if match:
            found.append((match[1].lower(), match[2].strip()))
    return HeaderFields(tuple(found))


def read_type(headers: HeaderFields) -> tuple[str, dict[str, str]]:
    """Parse Content-Type: the type in lower case, and its parameters (RFC 2045 5.1)."""
    value = headers.get("content-type") or "text/plain"
    kind, _, rest = value.partition(";")
    parameters = {
        name.lower(): _unquote(quoted, bare) for name, quoted, bare in _PARAMETER.findall(";" + rest)
    }
    return kind.strip().lower(), parameters


def decode_words(value: str) -> str:
    """Decode the encoded-words of a header value (RFC 2047); a malformed one stays unchanged."""
    if "=?" not in value:
        return value
    return _ENCODED.sub(_decode_word, _BETWEEN_ENCODED.sub(r"\1\2", value))


def decode_text(content: bytes, charset: str) -> str:
    """Decode text in the stated charset, else UTF-8, else Windows-1252, with LF line ends."""
    return _decode(content, charset).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _leaves(headers: HeaderFields, body: bytes, most: int, depth: int = 0) -> Iterator[Part]:
    kind, parameters = read_type(headers)
    boundary = parameters.get("boundary", "")
    if not kind.startswith("multipart/") or not boundary or depth >= DEEPEST:
        yield Part(headers, kind, parameters, body)
        return
    left = most
    for piece in _split(body, boundary, most):
        for part in _leaves(*split_head_of_part(piece), left, depth + 1):
            yield part
            left -= 1
        if left <= 0:
            return
    if left == most:  # its boundary does not occur
        yield Part(headers, "text/plain", parameters, body)


def split_head_of_part(piece: bytes) -> tuple[HeaderFields, bytes]:
    """Split a part's fields from its body; a part may have none (RFC 2046 5.1)."""
    if piece.startswith((b"\n", b"\r\n")):
        return HeaderFields(), piece.lstrip(b"\r\n")
    headers, body = split_head(piece)
    if (
        headers
        and not headers.fields[0][0].startswith(("content-", "mime-"))
        and "content-type" not in headers
    ):
        return HeaderFields(), piece  # text without an empty line before it
    return headers, body


def _split(body: bytes, boundary: str, most: int) -> Iterator[bytes]:
    """Split a multipart's body at its delimiters; an unclosed one ends with the body."""
    mark = b"--" + boundary.encode("utf-8", "replace")
    place = 0 if body.startswith(mark) else body.find(b"\n" + mark) + 1
    if place == 0 and not body.startswith(mark):
        return
    for _ in range(most):
        begin = body.find(b"\n", place + len(mark))
        if begin < 0 or body.startswith(b"--", place + len(mark)):
            return
        end = body.find(b"\n" + mark, begin)
        yield body[begin + 1 : end if end >= 0 else len(body)]
        if end < 0:
            return
        place = end + 1


def _decode_transfer(content: bytes, encoding: str) -> bytes:
    encoding = encoding.strip().lower()
    if encoding == "base64":
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
        return binascii.a2b_base64(kept[: len(kept) // 4 * 4] + (b"" if len(kept) % 4 == 0 else _tail(kept)))
    if encoding == "quoted-printable":
        return binascii.a2b_qp(content)
    return content


def _tail(kept: bytes) -> bytes:
    rest = kept[len(kept) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _decode_word(match: re.Match[str]) -> str:
    charset, how, text = match[1], match[2].lower(), match[3].encode("ascii", "replace")
    try:
        content = (
            _decode_transfer(text, "base64") if how == "b" else binascii.a2b_qp(text.replace(b"_", b"=20"))
        )
    except binascii.Error:
        return match[0]
    return _decode(content, charset)


def _decode(content: bytes, charset: str) -> str:
    name = charset.strip().lower().replace("-", "_")
    for tried in ("utf-8",) if name in _SLOW_CODECS or not name else (name, "utf-8"):
        try:
            return content.decode(tried)
        except (UnicodeError, LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def _unquote(quoted: str, bare: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
