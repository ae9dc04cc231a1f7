"""The scope of an examination."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from digest.mail.rendering.renderer import Renderer
from digest.net.dns import Records, Resolver
from digest.net.probing import own_addresses
from digest.net.smtp import Relay
from digest.settings import Settings
from digest.settings.domains import LOOPBACK


@dataclass(frozen=True, slots=True)
class Scope:
    """A publication under examination; a check may wait a number of seconds for each thing."""

    settings: Settings
    relay: Relay
    renderer: Callable[[], Renderer]
    clock: Callable[[], datetime]
    seconds: float = 5.0
    sends_from: tuple[str, ...] = ()

    @property
    def resolver(self) -> Resolver:
        """Return the resolver for queries."""
        return Resolver(self.settings.dns.server, self.seconds)

    @property
    def return_path_domain(self) -> str:
        """Return the domain of MAIL FROM, which SPF applies to."""
        return self.settings.return_path_domain

    @property
    def is_demo(self) -> bool:
        """Return whether these are the settings of `digest demo`, by the folders that it makes."""
        return self.relay_is_here and all(
            (self.settings.folder / name).is_dir() for name in ("newsroom", "outbox")
        )

    @property
    def relay_is_here(self) -> bool:
        """Return whether the relay is on this machine."""
        return is_loopback(self.relay.host)


@dataclass(frozen=True, slots=True)
class Senders:
    """The addresses that messages are sent from.

    `certain` if the operator named them: a relay may forward to another, whose address it then is. `ours` if
    they are this machine's, or named.
    """

    addresses: tuple[str, ...]
    certain: bool = False
    ours: bool = False
    trouble: str = ""


def find_senders(scope: Scope) -> Senders:
    """Find where messages are sent from: what the operator says, else this machine, else the relay's
    address."""
    if scope.sends_from:
        return Senders(scope.sends_from, certain=True, ours=True)
    if scope.relay_is_here:
        return Senders(tuple(own_addresses()), ours=True)
    host = scope.relay.host
    found = Records((host,)) if is_address(host) else scope.resolver.addresses(host)
    return Senders(tuple(found), trouble=found.trouble)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    return host in LOOPBACK or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
