"""The DNS record of a key: how it is written, and how a published one is read (RFC 6376 3.6.1)."""

import re

from digest.mail.dkim.keys import Algorithm, SigningKey

_LONGEST_STRING = 255
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def record_of(key: SigningKey) -> str:
    """Return the text of a key's TXT record."""
    kind = "rsa" if key.algorithm is Algorithm.RSA else "ed25519"
    return f"v=DKIM1; k={kind}; p={key.public}"


def zone_lines(name: str, record: str) -> str:
    """Return a TXT record as a zone file writes it: strings of at most 255 characters (RFC 1035 3.3, 5.1)."""
    strings = [
        f'"{record[start : start + _LONGEST_STRING]}"' for start in range(0, len(record), _LONGEST_STRING)
    ]
    return f"{name}. 3600 IN TXT ( " + "\n    ".join(strings) + " )"


def parse_tags(record: str) -> dict[str, str] | None:
    """Read a tag list in order; None if it is malformed or names a tag twice (RFC 6376 3.2)."""
    tags: dict[str, str] = {}
    parts = record.split(";")
    if not parts[-1].strip():
        parts.pop()
    for part in parts:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not _NAME.fullmatch(name) or name in tags:
            return None
        tags[name] = value
    return tags
