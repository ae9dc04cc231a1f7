"""Hosts as addresses name them: which of them are written as private."""

import ipaddress


def is_private_host(host: str) -> bool:
    """Return whether a host is written as a private address; names are checked when they are connected to."""
    from digest.net.http import is_public  # imported here: who checks an address need not fetch it

    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not is_public(host)
