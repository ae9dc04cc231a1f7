"""Where a request comes from: the client's address behind proxies, and the network that limits count by."""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN = "unknown"
_MOST_HOPS = 20


def parse_ip(text: str) -> IpAddress | None:
    """Return the address in a peer's name or a hop of X-Forwarded-For; None for anything else.

    Some proxies append the port ("192.0.2.1:4711", "[2001:db8::1]:4711"); an IPv4-mapped IPv6 address is the
    IPv4 address.
    """
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_trusted(address: IpAddress | None, trusted: Sequence[Network]) -> bool:
    """Return whether an address is one of our own proxies."""
    return address is not None and any(
        address.version == network.version and address in network for network in trusted
    )


def find_client(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the client's IP address, or "unknown".

    `forwarded` are the values of X-Forwarded-For in the order of the headers. They count only if the peer is
    a trusted proxy: each proxy appends the address of its client, so the first entry from the right that is
    not a trusted proxy is the client. Everything left of it was written by the client.

    Example: peer 10.0.0.2, "203.0.113.9, 198.51.100.7, 10.0.0.1", trusted 10.0.0.0/8 results in 198.51.100.7.
    """
    found = parse_ip(peer)
    hops = [hop for value in forwarded for hop in value.split(",")][-_MOST_HOPS:]
    while is_trusted(found, trusted) and hops:
        found = parse_ip(hops.pop())
    return str(found) if found else UNKNOWN


def find_block(origin: str) -> str:
    """Return the network that a limit counts by, that of a household or office: an IPv4 /24 or an IPv6 /56.

    Anything that is not an IP address is returned unchanged.
    """
    address = parse_ip(origin)
    if address is None:
        return origin[:64]
    length = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network((address, length), strict=False))
