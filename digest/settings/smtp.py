"""`[smtp]`: the relays, and the limits of relays and recipient domains."""

import ipaddress
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from digest.settings.domains import LOOPBACK, ascii_name, is_full_name
from digest.settings.types import Table


def _domain(value: object) -> object:
    name = ascii_name(value) if isinstance(value, str) else ""
    if "." not in name or "@" in name:
        raise ValueError('is not a domain: write [smtp.domains."example.com"]')
    return name


def _full_name(value: object) -> object:
    name = ascii_name(value) if isinstance(value, str) else " "
    if name and not is_full_name(name) and not _is_literal(name):
        raise ValueError(
            'must be a full name such as "mail.example.org", or an address such as "[192.0.2.25]"'
            " (RFC 5321 4.1.3)"
        )
    return name


def _is_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]").removeprefix("ipv6:"))
    except ValueError:
        return False
    return name.startswith("[") and name.endswith("]")


class DomainSettings(Table):
    """One `[smtp.domains."..."]`: the limits for one recipient domain, whatever the relay."""

    connections: int = Field(default=0, ge=0, le=100)
    rate: float = Field(default=0, ge=0)


class WarmUp(Table):
    """`[smtp.warm_up]`: a growing number of messages a day, for a sender without a reputation."""

    begins_on: date
    messages: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=366)]


_TO_THIS_MACHINE = 24
_TO_ANOTHER = 10


class RelaySettings(Table):
    """One relay: `[smtp]`, and each `[smtp.relays.NAME]`."""

    host: Annotated[str, Field(min_length=1, max_length=500)] = "localhost"
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "none"
    username: str = ""
    password: SecretStr = SecretStr("")
    token_file: Path | None = None
    ca_file: Path | None = None
    connections: int = Field(default=0, ge=0, le=100)
    messages_per_connection: int = Field(default=0, ge=0)
    rate: float = Field(default=0, ge=0)

    @property
    def most_connections(self) -> int:
        """Return how many connections to open at most: a relay on this machine is one's own and takes more.

        A relay that refuses some of them is not asked for more than it takes (docs/speed.md has the rates).
        """
        return self.connections or (_TO_THIS_MACHINE if self.host in LOOPBACK else _TO_ANOTHER)

    @model_validator(mode="after")
    def _whole_login(self) -> "RelaySettings":
        if self.token_file and not self.username:
            raise ValueError("username is missing for this token_file: it names the account of the token")
        if self.username and not self.token_file and not self.password.get_secret_value():
            raise ValueError("password is missing for this username: set it here or in DIGEST_SMTP__PASSWORD")
        if self.username and self.security == "none" and self.host not in LOOPBACK:
            raise ValueError(
                'security = "none" would show the password to the network: use "starttls" or "tls"'
            )
        return self


class SmtpSettings(RelaySettings):
    """`[smtp]`: the first relay, and the settings that apply to all relays."""

    ehlo_name: Annotated[str, BeforeValidator(_full_name)] = ""
    when_uncertain: Literal["resend", "hold"] = "resend"
    domains: dict[Annotated[str, BeforeValidator(_domain)], DomainSettings] = Field(default_factory=dict)
    warm_up: WarmUp | None = None
    relays: dict[str, RelaySettings] = Field(default_factory=dict)
