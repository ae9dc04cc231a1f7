"""The plain tables: the publisher, the database, the web pages, and the sources."""

import re
from datetime import timedelta
from email.utils import parseaddr
from typing import Literal
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from digest.settings.domains import ascii_name
from digest.settings.types import (
    BaseUrl,
    Duration,
    Host,
    Mailbox,
    Origin,
    ProxyNetwork,
    Slug,
    Table,
    Text,
    Timezone,
    Topic,
)

LONGEST_SETTLE = timedelta(days=1)
"""The largest `settle`: an article that becomes news later than that is old news."""

EXAMPLE_SECRET = "replace-me-by-a-long-random-text"  # noqa: S105 - it protects nothing
"""The secret in config.example.toml."""

_SHORTEST = 16
_LONGEST_REPEATED = 10


class Site(Table):
    """`[site]`: the publisher."""

    name: Text
    base_url: BaseUrl
    from_: Mailbox = Field(alias="from")
    reply_to: Mailbox | None = None
    postal_address: Text
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    timezone: Timezone = "UTC"
    images: Literal["link", "copy", "none"] = "link"
    image_hosts: tuple[Host, ...] = ()
    alerts: tuple[Mailbox, ...] = ()
    operators: tuple[Mailbox, ...] = ()
    names: dict[str, dict[str, Text]] = Field(default_factory=dict)

    @property
    def from_address(self) -> str:
        """Return the address of From, its domain in ASCII form."""
        local, _, _ = parseaddr(self.from_)[1].rpartition("@")
        return f"{local}@{self.from_domain}"

    @property
    def from_domain(self) -> str:
        """Return the domain of From in ASCII form."""
        return ascii_name(parseaddr(self.from_)[1].rpartition("@")[2])


class DatabaseSettings(Table):
    """`[database]`: where everything is stored."""

    url: str = "sqlite:///digest.db"

    @field_validator("url")
    @classmethod
    def _name_the_driver(cls, url: str) -> str:
        """Accept the URL schemes of PostgreSQL's own programs (libpq, section 34.1.1.2)."""
        for scheme in ("postgresql://", "postgres://"):
            if url.startswith(scheme):
                return url.replace(scheme, "postgresql+psycopg://", 1)
        return url

    @model_validator(mode="after")
    def _known(self) -> "DatabaseSettings":
        if not self.url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError('url must start with "sqlite:///" or "postgresql://"')
        if self.url == "sqlite:///":
            raise ValueError('url names no file: write "sqlite:///digest.db"')
        try:
            port = urlsplit(self.url).port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("url has a port that is not a number from 1 to 65535")
        return self


class WebSettings(Table):
    """`[web]`: the web pages, and the secret that signs their links."""

    enabled: bool = True
    host: Text = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    secret: SecretStr = SecretStr("")
    old_secrets: tuple[SecretStr, ...] = ()
    trusted_proxies: tuple[ProxyNetwork, ...] = ()
    connections: int = Field(default=512, ge=16, le=100_000)
    connections_per_client: int = Field(default=64, ge=4, le=100_000)
    sign_ups_per_network: int = Field(default=20, ge=1, le=1_000_000)
    sign_ups_per_domain: int = Field(default=200, ge=1, le=1_000_000)
    refused_domains: tuple[Host, ...] = ()
    refused_domains_file: str = ""
    check_mail_domains: bool = False
    uploads: Text = "uploads"
    keep_origins: Duration = timedelta(days=365)
    keep_unconfirmed: Duration = timedelta(days=90)
    metrics_token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _long_enough(self) -> "WebSettings":
        length = len(self.secret.get_secret_value())
        if not length:
            raise ValueError(
                "secret is missing: set it here (`digest init` writes one) or in DIGEST_WEB__SECRET"
            )
        if 0 < len(self.metrics_token.get_secret_value()) < 16:
            raise ValueError("metrics_token must have 16 characters or more, or be empty: no /metrics then")
        if self.keep_unconfirmed < timedelta(days=8):
            raise ValueError('keep_unconfirmed must be "8d" or more: a link to confirm works for seven days')
        if length < _SHORTEST:
            raise ValueError("secret must have 16 characters or more: readers' links are signed with it")
        if any(len(key.get_secret_value()) < _SHORTEST for key in self.old_secrets):
            raise ValueError(
                "old_secrets has one of fewer than 16 characters, with which anybody could sign readers'"
                " links: remove it"
            )
        return self

    @property
    def secret_weakness(self) -> str:
        """Return how anybody could guess the secret, or ""."""
        return _weakness_of(self.secret)

    @property
    def former_weakness(self) -> str:
        """Return how anybody could guess a former secret, with which links are valid as well, or ""."""
        return next(filter(None, map(_weakness_of, self.old_secrets)), "")

    @property
    def signing_keys(self) -> tuple[bytes, ...]:
        """Return the ring of signing secrets; the first signs, all verify."""
        return tuple(key.get_secret_value().encode() for key in (self.secret, *self.old_secrets))


def _weakness_of(secret: SecretStr) -> str:
    """Return how anybody could guess a secret: by the example, or because it repeats a few characters."""
    text = secret.get_secret_value()
    if text.strip().strip("'\"").strip().casefold() == EXAMPLE_SECRET:
        return "is the one of config.example.toml"
    if any(text[size:] == text[:-size] for size in range(1, _LONGEST_REPEATED + 1)):
        return "only repeats a few characters"
    return ""


class ApiSettings(Table):
    """`[api]`: what programs may do; without a token made at the desk they may do nothing.

    `origins` are sites whose scripts may call it from a browser (CORS); `private_webhooks` are the only
    addresses of the own machine or network to which webhooks are posted.
    """

    enabled: bool = True
    requests_per_minute: int = Field(default=120, ge=1, le=1_000_000)
    origins: tuple[Origin, ...] = ()
    private_webhooks: tuple[Origin, ...] = ()


class LogSettings(Table):
    """`[log]`: what is recorded of each run, and where; an empty `file` is standard error."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    format: Literal["text", "json"] = "text"
    file: str = ""


class TracesSettings(Table):
    """`[traces]`: the collector that gets what runs and requests did; an empty `endpoint` is none."""

    endpoint: str = ""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    share: float = Field(default=1.0, ge=0, le=1)

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, endpoint: str) -> str:
        if not endpoint:
            return endpoint
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f'"{endpoint}" is not an address: write http://127.0.0.1:4318/v1/traces')
        if parts.username is not None:
            raise ValueError("endpoint has a user name in it: put what it asks for into headers")
        return endpoint


class AnalyticsSettings(Table):
    """`[analytics]`: what is counted of readers' acts; nothing unless it is asked for."""

    clicks: Literal["none", "count"] = "none"

    @property
    def counts_clicks(self) -> bool:
        """Return whether articles' links are counted."""
        return self.clicks == "count"


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}):(?=//)|(feed):(?=https?://)", re.I)


class FetchSettings(Table):
    """`[fetch]`: how sources are requested.

    `private_sources` are the only addresses of the own machine or network that sources added at the desk may
    have.
    """

    parallel: int = Field(default=8, ge=1, le=64)
    spacing: Duration = timedelta(seconds=1)
    private_sources: tuple[Origin, ...] = ()


class SourceSettings(Table):
    """One `[[sources]]`."""

    name: Slug
    url: Text
    topics: tuple[Topic, ...] = ()
    every: Duration = timedelta(hours=1)
    allow_private: bool = False
    title: str = Field(default="", max_length=100)
    max_new: int = Field(default=100, ge=1, le=10_000)
    settle: Duration = Field(default=timedelta(), le=LONGEST_SETTLE)
    language: str = Field(default="", pattern=r"^(?:[a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")

    @field_validator("url")
    @classmethod
    def _can_be_fetched(cls, url: str) -> str:
        """Return an address with its scheme in lower case, `feed:` replaced; a path stays as it is."""
        named = _SCHEME.match(url)
        if named is None:
            return url
        scheme, rest = (named[1] or named[2]).lower(), url[named.end() :]
        if scheme == "feed":
            return f"http:{rest}" if rest.startswith("//") else rest
        if scheme not in ("http", "https"):
            raise ValueError(
                f'"{scheme}://" is not fetched: write an address with https:// or http://, or the path of a'
                " file or folder"
            )
        return f"{scheme}:{rest}"
