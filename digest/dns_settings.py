"""The settings that DNS has a part in: the keys whose public halves are published there, and the resolver."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

import idna
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DNS_PORT = 53


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


def _domain(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be a domain such as "news.example.org"')
    name = ascii_name(value) if value else ""
    if name and ("." not in name or len(name) > 253 or not _NAME.fullmatch(name)):
        raise ValueError('is no domain: write a name such as "news.example.org"')
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
    """Read an address with or without a port; None where it is neither."""
    address, colon, port = text.rpartition(":")
    if not colon or (":" in address and not address.startswith("[")):
        address, port = text, str(_DNS_PORT)
    try:
        known = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    return (str(known), int(port)) if port.isascii() and port.isdigit() and 0 < int(port) < 65536 else None


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Dkim(_Table):
    """`[dkim]`: the keys that messages are signed with; none, and they are not signed."""

    domain: Annotated[str, BeforeValidator(_domain)] = ""
    selector: Annotated[str, BeforeValidator(_selector)] = ""
    key_file: Path | None = None
    ed25519_selector: Annotated[str, BeforeValidator(_selector)] = ""
    ed25519_key_file: Path | None = None

    @model_validator(mode="after")
    def _keys_are_whole(self) -> "Dkim":
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


class Dns(_Table):
    """`[dns]`: who is asked."""

    resolver: Annotated[str, BeforeValidator(_server)] = ""

    @property
    def server(self) -> tuple[str, int] | None:
        """Give the resolver's address and port; None for the system's own."""
        return server_of(self.resolver) if self.resolver else None
