"""`[inbound]`: where mail is received, and how return paths lead there."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from digest.settings.domains import LOOPBACK, ascii_name, is_full_name
from digest.settings.types import Table

TOKEN_LENGTH = 31
"""The length of a return path's token (rules.tokens.tokens)."""

_LOCAL = re.compile(r"[a-z0-9!#$%&'*/=?^_`{|}~+-]+(?:\.[a-z0-9!#$%&'*/=?^_`{|}~+-]+)*", re.I)
_SIGNS = "+-=_"
_LONGEST_LOCAL = 64
_LONGEST_PATH = 254  # without its angle brackets (RFC 5321 4.5.3.1.3)


def _inbox(value: object) -> object:
    local, _, domain = str(value).rpartition("@")
    known = ascii_name(domain) if value else ""
    fits = len(local) <= _LONGEST_LOCAL and len(local) + 1 + len(known) <= _LONGEST_PATH
    if value and not (fits and _LOCAL.fullmatch(local) and (is_full_name(known) or known in LOOPBACK)):
        raise ValueError('is not a mail address: write one of ASCII signs alone, such as "news@example.org"')
    return f"{local}@{known}" if value else ""


def _delimiter(value: object) -> object:
    if isinstance(value, str) and len(value) == 1 and value in _SIGNS:
        return value
    name = ascii_name(str(value))
    if not is_full_name(name):
        raise ValueError(
            "must be one of + - = _ (what your mail server takes), or a domain all of whose mail comes in,"
            ' such as "in.example.org"'
        )
    return name


class ImapSettings(Table):
    """`[inbound.imap]`: a mailbox folder from which mail to our addresses is fetched."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 993
    security: Literal["none", "starttls", "tls"] = "tls"
    username: Annotated[str, Field(min_length=1)]
    password: SecretStr = SecretStr("")
    token_file: Path | None = None
    ca_file: Path | None = None
    folder: Annotated[str, Field(min_length=1)] = "INBOX"
    move_to: str = ""

    @model_validator(mode="after")
    def _can_log_in(self) -> "ImapSettings":
        if not self.token_file and not self.password.get_secret_value():
            raise ValueError(
                "password is missing: set it here or in DIGEST_INBOUND__IMAP__PASSWORD, or name a token_file"
            )
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError(
                'security = "none" would show the password to the network: use "starttls" or "tls"'
            )
        if self.move_to == self.folder:
            raise ValueError(f'move_to is the folder itself ("{self.folder}"): name another, or leave it out')
        return self


class InboundSettings(Table):
    """`[inbound]`: the address for mail to the publication, and how it is received; without it, bounces go
    to From."""

    address: Annotated[str, BeforeValidator(_inbox)] = ""
    delimiter: Annotated[str, BeforeValidator(_delimiter)] = "+"
    return_path: Literal["", "verp", "plain"] = ""
    spool: str = "inbox"
    authserv_id: str = ""
    lmtp_host: str = "127.0.0.1"
    lmtp_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    maildir: str = ""
    imap: ImapSettings | None = None

    @model_validator(mode="after")
    def _names_the_inbox(self) -> "InboundSettings":
        if (self.lmtp_port or self.maildir or self.imap) and not self.address:
            raise ValueError("address is missing: it names whose mail comes in by lmtp_port, maildir or imap")
        return self

    @model_validator(mode="after")
    def _leads_to_an_inbox(self) -> "InboundSettings":
        if self.return_path == "verp" and not self.address:
            raise ValueError('address is missing for return_path = "verp": it names where bounces come in')
        if self.is_verp and len(self.before) + TOKEN_LENGTH > _LONGEST_LOCAL:
            most = _LONGEST_LOCAL - TOKEN_LENGTH - len(self.delimiter)
            length = len(self.before) - len(self.delimiter)
            raise ValueError(
                f"address has {length} characters before its @, and a return path may have {most}:"
                ' take a shorter one, or a domain of its own as delimiter, or return_path = "plain"'
            )
        if self.is_verp and len(self.before) + TOKEN_LENGTH + 1 + len(self.domain) > _LONGEST_PATH:
            raise ValueError(f"address is too long: a return path may have {_LONGEST_PATH} characters")
        return self

    def is_ours(self, address: str) -> bool:
        """Return whether mail to an address is for us: the inbox's address, also with a delimiter and
        more."""
        local, _, domain = address.strip("<>").lower().rpartition("@")
        if f"{local}@{domain}" == self.address.lower():
            return True
        return domain == self.domain.lower() and local.startswith(self.before.lower()) and bool(self.address)

    def mailto(self, named: str) -> str:
        """Return a mailto URL of our address with a token or a command after the delimiter (RFC 6068)."""
        return f"mailto:{quote(self.before, safe='+')}{named}@{self.domain}"

    @property
    def is_verp(self) -> bool:
        """Return whether each delivery has a return path of its own."""
        return bool(self.address) and self.return_path != "plain"

    @property
    def before(self) -> str:
        """Return what precedes a token: base and delimiter, or "" on a catch-all domain."""
        if len(self.delimiter) > 1:
            return ""
        return self.address.rpartition("@")[0] + self.delimiter

    @property
    def domain(self) -> str:
        """Return the domain of addresses with a token."""
        return self.delimiter if len(self.delimiter) > 1 else self.address.rpartition("@")[2]
