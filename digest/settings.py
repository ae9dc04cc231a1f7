"""The settings: config.toml and DIGEST_* environment variables, validated whole before anything starts."""

import difflib
import os
import re
import tomllib
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from digest.dns_settings import LOOPBACK, Dkim, Dns, ascii_name, is_aligned
from digest.errors import SettingsError
from digest.models.cadence import Cadence
from digest.smtp_settings import Smtp
from digest.topic_settings import TopicSettings

SUBJECT_NAMES = ("title", "lead", "date", "publication")
_DURATION = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_RESERVED = ("folder", "file")  # ours, not a key of the file
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def parse_duration(value: object) -> timedelta:
    """Read a span of time such as "15m" or "7d"; raise ValueError with the remedy."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    if isinstance(value, timedelta):
        return value
    raise ValueError('must be a duration such as "15m", "1h" or "7d"')


def _timezone(value: object) -> object:
    if not isinstance(value, str) or value not in available_timezones():
        raise ValueError('is no time zone: write a name such as "Europe/Paris" or "UTC"')
    return value


def _slug(value: object) -> object:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("must be 1 to 40 characters of a-z, 0-9 and -")
    return value


def _mailbox(value: object) -> object:
    address = parseaddr(value)[1] if isinstance(value, str) else ""
    local, _, domain = address.rpartition("@")
    if not local or ("." not in domain.strip(".") and domain not in LOOPBACK):
        raise ValueError('is no mail address: write "name@example.org" or "Name <name@example.org>"')
    if any(ord(char) < 32 or ord(char) == 127 for char in str(value)):
        raise ValueError("must be one line without control characters")
    ascii_name(domain)
    return value


def _base_url(value: object) -> object:
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError('must be an address such as "https://news.example.org"')
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("may be http only for localhost: readers' links need https")
    return str(value).rstrip("/")


def _cadence(value: object) -> object:
    Cadence.parse("", str(value))
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Timezone = Annotated[str, BeforeValidator(_timezone)]
Slug = Annotated[str, BeforeValidator(_slug)]
Mailbox = Annotated[str, BeforeValidator(_mailbox)]
Written = Annotated[str, BeforeValidator(_cadence)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class Site(_Table):
    """`[site]`: who publishes."""

    name: Text
    base_url: Annotated[str, BeforeValidator(_base_url)]
    from_: Mailbox = Field(alias="from")
    reply_to: Mailbox | None = None
    postal_address: Text
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    timezone: Timezone = "UTC"

    @property
    def from_domain(self) -> str:
        """Give the domain of From, as it stands in DNS."""
        return ascii_name(parseaddr(self.from_)[1].rpartition("@")[2])


class Database(_Table):
    """`[database]`: where everything is kept."""

    url: str = "sqlite:///digest.db"

    @model_validator(mode="after")
    def _known(self) -> "Database":
        if not self.url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError('url must start with "sqlite:///" or "postgresql+psycopg://"')
        return self


class Web(_Table):
    """`[web]`: the pages, and the secret that their links are signed with."""

    host: Text = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    secret: SecretStr = SecretStr("")
    old_secrets: tuple[SecretStr, ...] = ()

    @model_validator(mode="after")
    def _long_enough(self) -> "Web":
        length = len(self.secret.get_secret_value())
        if not length:
            raise ValueError(
                "secret is missing: set it here (`digest init` writes one) or in DIGEST_WEB__SECRET"
            )
        if length < 16:
            raise ValueError("secret must have 16 characters or more: readers' links are signed with it")
        return self

    @property
    def signing_keys(self) -> tuple[bytes, ...]:
        """Give the ring of signing secrets; the first signs, all verify."""
        return tuple(key.get_secret_value().encode() for key in (self.secret, *self.old_secrets))


class Fetch(_Table):
    """`[fetch]`: how sources are asked."""

    parallel: int = Field(default=8, ge=1, le=64)
    spacing: Duration = timedelta(seconds=1)


class SourceSettings(_Table):
    """One `[[sources]]`."""

    name: Slug
    url: Text
    topics: tuple[Slug, ...] = ()
    every: Duration = timedelta(hours=1)
    allow_private: bool = False
    title: str = Field(default="", max_length=100)
    max_new: int = Field(default=100, ge=1, le=10_000)


class DigestSettings(_Table):
    """One `[[digests]]`."""

    name: Slug
    title: Text
    topics: tuple[Slug, ...] = ()
    subject: Text = "{title}: {lead}"
    max_articles: int = Field(default=20, ge=1, le=200)
    lookback: Duration = timedelta(days=7)
    carry: Duration = timedelta(days=31)
    cadences: dict[Slug, Written] = Field(min_length=1)

    @model_validator(mode="after")
    def _subject_is_known(self) -> "DigestSettings":
        for name in re.findall(r"\{([^}]*)\}", self.subject):
            if name not in SUBJECT_NAMES:
                raise ValueError(f'subject names "{{{name}}}"; known are {", ".join(SUBJECT_NAMES)}')
        return self

    def cadence(self, name: str) -> Cadence:
        """Give one of the digest's cadences; raise SettingsError for a name that it does not offer."""
        if name not in self.cadences:
            offered = ", ".join(self.cadences)
            raise SettingsError(f'digest "{self.name}" has no cadence "{name}"; it offers {offered}')
        return Cadence.parse(name, self.cadences[name])

    @property
    def default_cadence(self) -> str:
        """Give the cadence of a reader who picks none: the first one written."""
        return next(iter(self.cadences))


class Settings(BaseSettings):
    """Everything that config.toml and the environment say; `folder` is where relative paths start."""

    model_config = SettingsConfigDict(
        env_prefix="DIGEST_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    site: Site
    database: Database = Database()
    smtp: Smtp = Smtp()
    web: Web
    fetch: Fetch = Fetch()
    dkim: Dkim = Dkim()
    dns: Dns = Dns()
    sources: tuple[SourceSettings, ...] = ()
    topics: tuple[TopicSettings, ...] = ()
    digests: tuple[DigestSettings, ...] = Field(min_length=1)
    folder: Path = Path()
    file: Path = Path("config.toml")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @model_validator(mode="before")
    @classmethod
    def _web_is_checked_when_absent(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {"web": {}, **values}

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Settings":
        for kind, names in (
            ("sources", [s.name for s in self.sources]),
            ("topics", [t.name for t in self.topics]),
            ("digests", [d.name for d in self.digests]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f'[[{kind}]] name "{name}" stands twice: each needs a name of its own')
        return self

    @model_validator(mode="after")
    def _signature_is_aligned(self) -> "Settings":
        domain, sender = self.dkim.domain, self.site.from_domain
        if domain and not is_aligned(domain, sender):
            raise ValueError(
                f'[dkim] domain "{domain}" does not answer for From\'s domain "{sender}":'
                " use that, or one above or below it"
            )
        return self

    def digest(self, name: str) -> DigestSettings:
        """Give the digest of that name; raise SettingsError naming those that exist."""
        for digest in self.digests:
            if digest.name == name:
                return digest
        raise SettingsError(
            f'there is no digest "{name}"; there is {", ".join(d.name for d in self.digests)}'
        )

    @property
    def zone(self) -> ZoneInfo:
        """Give the publication's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def database_url(self) -> str:
        """Give the database's URL, a relative SQLite path being relative to the settings file."""
        path = self.database.url.removeprefix("sqlite:///")
        if path == self.database.url or path.startswith("/"):
            return self.database.url
        return f"sqlite:///{self.folder / path}"

    def path(self, text: str | Path) -> Path:
        """Give a path of the settings, a relative one being relative to the settings file."""
        return self.folder / text


def find_config(explicit: Path | None) -> Path:
    """Find the settings file: the one named, else $DIGEST_CONFIG, else ./config.toml."""
    return explicit or Path(os.environ.get("DIGEST_CONFIG") or "config.toml")


def load_settings(path: Path) -> Settings:
    """Load and validate the settings; raise SettingsError, one line for each thing to mend."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist: `digest init` writes one, --config names another"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no valid TOML: {error}") from None
    for reserved in _RESERVED:
        if reserved in written:
            raise SettingsError(f"{path}: {reserved}: unknown key; remove it")
    try:
        return Settings(**written, folder=path.resolve().parent, file=path.resolve())
    except ValidationError as error:
        found = error.errors()
        # A list whose items are wrong is not also too short.
        wrong = {item["loc"][0] for item in found if len(item["loc"]) > 1}
        told = [item for item in found if len(item["loc"]) != 1 or item["loc"][0] not in wrong]
        lines = [_printable(f"{path}: {_explain(item, written)}") for item in told]
        raise SettingsError("\n".join(dict.fromkeys(lines))) from None


def _printable(line: str) -> str:
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


def _explain(item: Any, written: dict[str, Any]) -> str:
    """Turn one validation error into one line: key, value, remedy."""
    location = [part for part in item["loc"] if part != "[key]"]
    where = _name_key(location, written)
    message = str(item["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggest(location)}"
    if item["type"] == "missing":
        return f"{where}: missing; see config.example.toml"
    value = _look_up(written, location)
    hidden = value is None or _is_secret(location) or isinstance(value, dict | list) or message[0] == '"'
    shown = "" if hidden else f' = "{value}"'
    return f"{where}{shown}: {message[0].lower() + message[1:]}"


def _name_key(location: list[str | int], written: dict[str, Any]) -> str:
    if not location:
        return "settings"
    names = [str(part) for part in location]
    if len(location) > 1 and isinstance(location[1], int):
        rest = ".".join(names[2:])
        name = _look_up(written, [*location[:2], "name"])
        which = f'"{name}"' if isinstance(name, str) and rest != "name" else f"number {location[1] + 1}"
        return f"[[{names[0]}]] {which}" + (f", {rest}" if rest else "")
    table = f"[[{names[0]}]]" if names[0] in ("sources", "topics", "digests") else f"[{names[0]}]"
    return table + (f" {'.'.join(names[1:])}" if names[1:] else "")


def _suggest(location: list[str | int]) -> str:
    known: list[str] = [name for name in Settings.model_fields if name not in _RESERVED]
    tables: dict[str, type[BaseModel]] = {
        "site": Site, "database": Database, "smtp": Smtp, "web": Web, "fetch": Fetch,
        "dkim": Dkim, "dns": Dns,
        "sources": SourceSettings, "topics": TopicSettings, "digests": DigestSettings,
    }  # fmt: skip
    if len(location) > 1:
        table = tables.get(str(location[0]))
        known = [field.alias or name for name, field in table.model_fields.items()] if table else []
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known are {', '.join(known)}"


def _look_up(written: Any, location: list[str | int]) -> object:
    for part in location:
        try:
            written = written[part]
        except (KeyError, IndexError, TypeError):
            return None
    return written


def _is_secret(location: list[str | int]) -> bool:
    return bool({"password", "secret", "old_secrets", "url"} & {str(part) for part in location[-2:]}) and (
        location[0] not in ("sources", "topics")
    )
