"""`[dkim]` and `[dns]`: the signing keys, whose public keys are published in DNS, and the resolver."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, model_validator

from digest.settings.domains import ascii_name
from digest.settings.types import Table

_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DNS_PORT = 53


def _domain(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be a domain such as "news.example.org"')
    name = ascii_name(value) if value else ""
    if name and ("." not in name or len(name) > 253 or not _NAME.fullmatch(name)):
        raise ValueError('is not a domain: write a name such as "news.example.org"')
    return name


def _selector(value: object) -> object:
    if not isinstance(value, str) or (value and not _NAME.fullmatch(value.lower())):
        raise ValueError("must be a name of a-z, 0-9 and -, as it stands in DNS")
    return value.lower()


def _server(value: object) -> object:
    if value and server_of(str(value)) is None:
        raise ValueError('must be an IP address, or one with a port such as "127.0.0.1:5353"')
    return value


def server_of(text: str) -> tuple[str, int] | None:
    """Parse an address with or without a port; None if it is neither."""
    address, colon, port = text.rpartition(":")
    if not colon or (":" in address and not address.startswith("[")):
        address, port = text, str(_DNS_PORT)
    try:
        known = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    return (str(known), int(port)) if port.isascii() and port.isdigit() and 0 < int(port) < 65536 else None


class DkimSettings(Table):
    """`[dkim]`: the keys that sign messages; without any, messages are not signed."""

    domain: Annotated[str, BeforeValidator(_domain)] = ""
    selector: Annotated[str, BeforeValidator(_selector)] = ""
    key_file: Path | None = None
    ed25519_selector: Annotated[str, BeforeValidator(_selector)] = ""
    ed25519_key_file: Path | None = None

    @model_validator(mode="after")
    def _keys_are_whole(self) -> "DkimSettings":
        for prefix, selector, file in (
            ("", self.selector, self.key_file),
            ("ed25519_", self.ed25519_selector, self.ed25519_key_file),
        ):
            if bool(selector) != bool(file):
                missing = f"{prefix}{'key_file' if selector else 'selector'}"
                raise ValueError(f"{missing} is missing: `digest dkim` makes a key and says what to write")
        if self.selector and self.selector == self.ed25519_selector:
            raise ValueError("ed25519_selector must be another one: each key has a record of its own in DNS")
        if self.domain and not (self.selector or self.ed25519_selector):
            raise ValueError("selector is missing: `digest dkim` makes a key and says what to write")
        return self


class DnsSettings(Table):
    """`[dns]`: which resolver is used."""

    resolver: Annotated[str, BeforeValidator(_server)] = ""

    @property
    def server(self) -> tuple[str, int] | None:
        """Return the resolver's address and port; None for the system's own."""
        return server_of(self.resolver) if self.resolver else None
