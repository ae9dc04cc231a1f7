"""Domain names: their ASCII form, and which are aligned with each other."""

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_FULL_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})+")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def ascii_name(domain: str) -> str:
    """Return a domain in lower case, each label as its A-label; raise ValueError if it has none."""
    if domain.isascii():
        return domain.strip().rstrip(".").lower()
    import idna  # its tables are slow to load, and most names are ASCII

    try:
        return idna.encode(domain.strip().rstrip("."), uts46=True).decode().lower()
    except idna.IDNAError:
        raise ValueError('is not a domain: write a name such as "news.example.org"') from None


def is_full_name(name: str) -> bool:
    """Return whether a lower-case name is fully qualified: two labels or more (RFC 1123 2.1)."""
    return _FULL_NAME.fullmatch(name) is not None


def is_aligned(one: str, other: str) -> bool:
    """Return whether two domains are the same, or one is below the other (RFC 7489 3.1, relaxed).

    There is no public suffix list, so two domains below the same organisation are not aligned.
    """
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
