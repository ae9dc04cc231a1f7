"""What each outgoing message must show, checked on its bytes: RFC 5321, 5322, 2045-2047, 2369, 2919, 8058."""

import re
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from urllib.parse import urlsplit

ONCE = ("date", "from", "message-id", "subject", "to", "mime-version", "content-type")
AT_MOST_ONCE = ("cc", "reply-to", "sender", "list-id", "list-unsubscribe", "list-unsubscribe-post")
STRUCTURED = ("message-id", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help", "date")
ENCODED_WORD = re.compile(r"=\?[^?]+\?[bqBQ]\?[^? ]*\?=")
LINK = re.compile(r'href="((?:https?|mailto):[^"]+)"')


def parse(raw: bytes) -> EmailMessage:
    """Parse a message as a mail program does."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def fields(raw: bytes) -> list[tuple[str, str]]:
    """Give the header fields as (lower-case name, raw value with its folds)."""
    head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii")
    found = re.findall(r"^([!-9;-~]+):([^\r]*(?:\r\n[ \t][^\r]*)*)", head, re.M)
    assert sum(len(name) + 1 + len(value) + 2 for name, value in found) == len(head) + 2, "a stray line"
    return [(name.lower(), value) for name, value in found]


def unfolded(value: str) -> str:
    return value.replace("\r\n", "").strip()


def check_wire(raw: bytes) -> None:
    """A1-A3: line ends, line lengths, no controls."""
    assert b"\0" not in raw
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "A1: a bare CR or LF"
    head, body = raw.split(b"\r\n\r\n", 1)
    for line in head.split(b"\r\n"):
        assert len(line) <= 998, "A2"
        assert len(line) <= 78 or b" " not in line.partition(b": ")[2].strip(), f"A2: foldable: {line!r}"
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line), "A3"
    assert head.isascii(), "headers are ASCII"
    for line in body.split(b"\r\n"):
        assert len(line) <= 76, f"A2: {line!r}"
        assert not line.startswith(b"."), "nothing needs dot-stuffing"
        assert not line.endswith((b" ", b"\t")), "no relay has a blank to strip"


def check_fields(raw: bytes) -> None:
    """A5-A9, A20: each field once, well formed, encoded-words only where they may be."""
    found = fields(raw)
    names = [name for name, _ in found]
    for name in ONCE:
        assert names.count(name) == 1, f"A5: {name} {names.count(name)} times"
    for name in AT_MOST_ONCE:
        assert names.count(name) <= 1, f"A5: {name}"
    values = {name: unfolded(value) for name, value in found}
    assert "bcc" not in names
    assert "return-path" not in names
    assert "disposition-notification-to" not in names
    assert parsedate_to_datetime(values["date"]).utcoffset() is not None, "A6"
    assert re.fullmatch(r"<[a-z0-9]+@[A-Za-z0-9.-]+>", values["message-id"]), "A7"
    ((_, address),) = getaddresses([values["from"]])
    assert address.isascii(), "A8"
    assert not ENCODED_WORD.search(address), "A8"
    for name, value in found:
        for word in ENCODED_WORD.findall(value):
            assert len(word) <= 75, "A9"
            ((part, charset),) = decode_header(word)
            assert isinstance(part, bytes)
            part.decode(charset or "ascii")
        if name in STRUCTURED:
            assert name == "list-id" or not ENCODED_WORD.search(value), f"A9: {name}"
    assert not ENCODED_WORD.search(values.get("list-id", "<>").rpartition("<")[2]), "A9"


def check_parts(raw: bytes) -> tuple[str, str]:
    """A10-A12: two parts in order, decodable, each link of one in the other; give (text, html)."""
    message = parse(raw)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"], "A10"
    for part in message.iter_parts():
        assert part.get_content_charset() == "utf-8", "A11"
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
    assert not message.defects
    boundary = message.get_boundary()
    assert boundary is not None
    assert len(boundary) <= 70, "A12"
    assert raw.count(b"--" + boundary.encode()) == 3, "A12"
    text, html = (part.get_content() for part in message.iter_parts())
    assert text.strip(), "A10"
    assert html.strip(), "A10"
    for link in LINK.findall(html):
        assert link.replace("&amp;", "&") in text, f"A10: {link} is not in the text"
    return text, html


def check_size(raw: bytes, postal_address: str) -> None:
    """A18-A19: what Gmail would clip, and what must stand before it."""
    part = list(parse(raw).iter_parts())[1]
    assert len(part.get_payload()) < 102_400, "A18"
    html = part.get_content()
    assert len(html.encode()) < 102_400, "A18"
    assert postal_address in html.encode()[:100_000].decode("utf-8", "ignore"), "A19"


def check_list(raw: bytes) -> str:
    """B1-B5: the list's fields; give the one-click URL."""
    values = {name: unfolded(value) for name, value in fields(raw)}
    list_id = values["list-id"].rpartition("<")[2].rstrip(">")
    assert re.fullmatch(r"[a-z0-9-]+\.[A-Za-z0-9.-]+", list_id), "B1"
    assert len(values["list-id"]) <= 255, "B1"
    uris = re.findall(r"<([^>]*)>", values["list-unsubscribe"])
    assert values["list-unsubscribe"] == ", ".join(f"<{uri}>" for uri in uris), "B2"
    url: str
    (url,) = [uri for uri in uris if urlsplit(uri).scheme in ("https", "http")]
    local = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    assert url.startswith("https://") or local, "B2"
    assert values["list-unsubscribe-post"] == "List-Unsubscribe=One-Click", "B3"
    assert values["list-post"] == "NO", "B5"
    assert url in check_parts(raw)[0], "the same link is in the message"
    return url


def check_digest(raw: bytes, postal_address: str) -> tuple[str, str]:
    """Check a whole digest message; give its text and HTML."""
    check_wire(raw)
    check_fields(raw)
    check_list(raw)
    check_size(raw, postal_address)
    return check_parts(raw)
