"""What each outgoing message must show, checked on its bytes: RFC 5321, 5322, 2045-2047, 2369, 2919, 8058."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from urllib.parse import urlsplit

ONCE = ("date", "from", "message-id", "subject", "to", "mime-version", "content-type")
AT_MOST_ONCE = ("cc", "reply-to", "sender", "list-id", "list-unsubscribe", "list-unsubscribe-post")
STRUCTURED = (
    "message-id", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help", "list-owner",
    "list-archive", "list-post", "date", "mime-version", "content-type", "in-reply-to", "references",
)  # fmt: skip
NEVER = (
    "bcc", "return-path", "disposition-notification-to", "return-receipt-to", "x-confirm-reading-to",
    "original-recipient", "content-transfer-encoding",
)  # fmt: skip
ENCODED_WORD = re.compile(r"=\?[^?]+\?[bqBQ]\?[^? ]*\?=")
LINK = re.compile(r'href="((?:https?|mailto):[^"]+)"')


def parse(raw: bytes) -> EmailMessage:
    """Parse a message as a mail program does."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def fields(raw: bytes) -> list[tuple[str, str]]:
    """Return the header fields as (lower-case name, raw value with its folds)."""
    head = raw.split(b"\r\n\r\n", 1)[0].decode()
    found = re.findall(r"^([!-9;-~]+):([^\r]*(?:\r\n[ \t][^\r]*)*)", head, re.M)
    assert sum(len(name) + 1 + len(value) + 2 for name, value in found) == len(head) + 2, "a stray line"
    return [(name.lower(), value) for name, value in found]


def unfolded(value: str) -> str:
    return value.replace("\r\n", "").strip()


def check_wire(raw: bytes, *, smtputf8: bool = False) -> None:
    """A1-A3: line ends, line lengths, no controls; under SMTPUTF8 a header may hold UTF-8 (RFC 6532)."""
    assert raw.endswith(b"\r\n"), "A1"
    assert b"\0" not in raw
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "A1: a bare CR or LF"
    head, body = raw.split(b"\r\n\r\n", 1)
    for line in head.split(b"\r\n"):
        assert len(line) <= 998, "A2"
        assert len(line) <= 78 or not _can_be_folded(line), f"A2: foldable: {line!r}"
        assert line.strip(), "a line of blanks alone is obsolete (5322 4.2)"
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line), "A3"
    assert head.isascii() or smtputf8, "headers are ASCII"
    head.decode()
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
    assert not set(names).intersection(NEVER), "A20"
    assert parsedate_to_datetime(values["date"]).utcoffset() is not None, "A6"
    assert re.fullmatch(r"<[a-z0-9]+@[A-Za-z0-9.-]+>", values["message-id"]), "A7"
    for name in {"from", "reply-to", "to"}.intersection(values):
        ((_, address),) = getaddresses([values[name]])
        assert address.rpartition("@")[2].isascii(), f"A8: {name}"
        assert name == "to" or address.isascii(), f"A8: {name}"
        assert re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", address), f"A8: {name}: {address}"
        assert not ENCODED_WORD.search(address), f"A8: {name}"
    for name, value in found:
        for word in ENCODED_WORD.findall(value):
            assert len(word) <= 75, "A9"
            ((part, charset),) = decode_header(word)
            assert isinstance(part, bytes)
            part.decode(charset or "ascii")
        if name in STRUCTURED:
            assert name == "list-id" or not ENCODED_WORD.search(value), f"A9: {name}"
    assert not ENCODED_WORD.search(values.get("list-id", "<>").rpartition("<")[2]), "A9"


def _can_be_folded(line: bytes) -> bool:
    """Return whether a line has a blank outside quoted strings and its field's name."""
    value = line if line.startswith(b" ") else line.partition(b": ")[2]
    return b" " in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", value.strip())


def check_date(raw: bytes, handed_over_at: datetime) -> None:
    """A6: the Date is the moment of the hand-over, and never later."""
    (value,) = [value for name, value in fields(raw) if name == "date"]
    age = handed_over_at - parsedate_to_datetime(value.strip())
    assert timedelta(seconds=-1) <= age <= timedelta(seconds=60), f"A6: {age}"


def check_envelope(mail_from: str, rcpt_to: str) -> None:
    """A15: lengths of local parts and paths, domains as they stand in DNS."""
    for address in (mail_from, rcpt_to):
        local, _, domain = address.rpartition("@")
        assert 1 <= len(local.encode()) <= 64, f"A15: {address}"
        assert len(f"<{address}>".encode()) <= 256, f"A15: {address}"
        assert domain.isascii(), f"A15: {address}"
        assert not re.search(r"[\s<>\x00-\x1f\x7f]", address), f"A15: {address!r}"
    assert mail_from.isascii(), "A15"


def check_parts(raw: bytes) -> tuple[str, str]:
    """A10-A12: two parts in order, decodable, each link of one in the other; give (text, html)."""
    message = parse(raw)
    assert message.get_content_type() == "multipart/alternative"
    assert message.get("Content-Transfer-Encoding", "7bit").lower() in ("7bit", "8bit"), "A11"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"], "A10"
    for part in message.iter_parts():
        assert part.get_content_charset() == "utf-8", "A11"
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
    assert not message.defects
    boundary = message.get_boundary()
    assert boundary is not None
    assert len(boundary) <= 70, "A12"
    assert raw.count(b"--" + boundary.encode()) == 3, "A12"
    assert raw.count(boundary.encode()) == 4, "A12: the boundary is in a part"
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
    (folded,) = [value for name, value in fields(raw) if name == "list-unsubscribe"]
    assert not re.search(r"[^,]\r\n", folded), "B2: folded elsewhere than after a comma"
    assert not ENCODED_WORD.search(folded), "B2"
    assert values["list-post"] == "NO", "B5"
    assert re.fullmatch(r"<https?://[^ <>]+>", values["list-help"]), "B5"
    assert re.fullmatch(r"<mailto:[^ <>]+@[^ <>]+>", values["list-owner"]), "B5"
    if "list-archive" in values:  # where the archive is public
        assert re.fullmatch(r"<https?://[^ <>]+/archive/[^ <>]+>", values["list-archive"]), "B5"
    assert values.get("precedence", "bulk") == "bulk", "B6"
    assert url in check_parts(raw)[0], "the same link is in the message"
    return url


def check_asking(raw: bytes) -> tuple[str, str]:
    """B7, B8: a message that asks whether an address is to subscribe; give its text and HTML."""
    check_wire(raw)
    check_fields(raw)
    values = {name: unfolded(value) for name, value in fields(raw)}
    assert values["auto-submitted"] == "auto-generated", "B7"
    assert "precedence" not in values, "B6"
    assert not [name for name in values if name.startswith("list-")], "B8"
    return check_parts(raw)


def check_digest(raw: bytes, postal_address: str, *, smtputf8: bool = False) -> tuple[str, str]:
    """Check a whole digest message; give its text and HTML."""
    check_wire(raw, smtputf8=smtputf8)
    check_fields(raw)
    check_list(raw)
    check_size(raw, postal_address)
    return check_parts(raw)
