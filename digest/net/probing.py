"""Examine a relay without sending a message: its banner, TLS, login, and capabilities."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from digest.models import Outcome
from digest.net.hosts import is_public
from digest.net.smtp import BadReplyError, Relay, Timeouts, open_connection
from digest.net.smtp.replies import ReplyReader

_CHUNK = 4_096
_NOWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses for documentation (RFC 5737, 3849): the route to them reveals the machine's own address."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a relay shows after a login; `tls` is empty if the session is not encrypted."""

    banner: str
    address: str
    extensions: dict[str, str]
    tls: str = ""
    certificate_until: datetime | None = None


def probe_relay(relay: Relay, timeout: float) -> Probe | Outcome:
    """Connect, greet, start TLS and log in as delivery does, then leave; an Outcome describes a failure.

    The greeting's banner is read on a second connection.
    """
    hurried = replace(relay, timeouts=Timeouts(timeout, timeout, timeout, timeout, timeout, timeout))
    connection = open_connection(hurried)
    if isinstance(connection, Outcome):
        return connection
    offer = connection.offer
    with connection.detach() as wire:
        address = str(wire.getpeername()[0])
        version, until = _tls_of(wire)
        _quit(wire)
    return Probe(
        _banner(hurried, timeout, connection.redact), address, dict(offer.extensions), version, until
    )


def own_addresses() -> list[str]:
    """Return the public addresses that this machine sends from; no packet is sent to find out."""
    found = []
    for family, nowhere in _NOWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((nowhere, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue  # no route in this address family
    return [address for address in found if is_public(address)]


def _tls_of(wire: socket.socket) -> tuple[str, datetime | None]:
    if not isinstance(wire, ssl.SSLSocket):
        return "", None
    until = (wire.getpeercert() or {}).get("notAfter")
    expires = ssl.cert_time_to_seconds(str(until)) if until else None
    return wire.version() or "", datetime.fromtimestamp(expires, UTC) if expires is not None else None


def _quit(wire: socket.socket) -> None:
    try:
        wire.sendall(b"QUIT\r\n")
        wire.recv(_CHUNK)
    except OSError:
        return  # nothing depends on the answer to QUIT (RFC 5321 4.1.1.10)


def _banner(relay: Relay, timeout: float, redact: Callable[[str], str] | None) -> str:
    """Read the relay's banner, which a greeted connection no longer has; empty if there is none."""
    end = time.monotonic() + timeout
    reader = ReplyReader(redact)
    try:
        with socket.create_connection((relay.host, relay.port), timeout) as plain:
            wire = plain
            if relay.security == "tls":
                wire = relay.encrypt(plain)
            with wire:
                while time.monotonic() < end and (received := wire.recv(_CHUNK)):
                    for reply in reader.feed(received):
                        _quit(wire)
                        return reply.text.partition("\n")[0]
    except (OSError, BadReplyError):
        return ""
    return ""
