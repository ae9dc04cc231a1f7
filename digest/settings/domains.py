"""Domains as they stand in DNS: their ASCII form, and which answer for which."""

import idna

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def ascii_name(domain: str) -> str:
    """Give a domain in lower case, each label as its A-label; raise ValueError where it has none."""
    if domain.isascii():
        return domain.strip().rstrip(".").lower()
    try:
        return idna.encode(domain.strip().rstrip("."), uts46=True).decode().lower()
    except idna.IDNAError:
        raise ValueError('is no domain: write a name such as "news.example.org"') from None


def is_aligned(one: str, other: str) -> bool:
    """Tell whether two domains are the same, or one is below the other (RFC 7489 3.1, relaxed).

    What registries hand out is not known here, so two sisters below one organisation do not count.
    """
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
