"""The types of settings; each reports what is wrong with a value, and the remedy."""

import ipaddress
import re
from datetime import date, timedelta
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from digest.clock import is_time_zone
from digest.models.cadence import Cadence
from digest.safe_text import belongs_to_word, plain_greek
from digest.settings.domains import LOOPBACK, ascii_name

_DURATION = re.compile(r"(\d+)\s*([smhdw])")


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


_LONGEST_TOPIC = 40
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PICTURE = re.compile(
    r"(?<!\\)!\[(?:[^\[\]]|\[[^\[\]]*\])*\](?:\([^)]*\)|\[[^\]]*\])?|<(?:img|image|picture|svg)\b[^>]*>", re.I
)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
_CENTURY = timedelta(days=36_500)
"""The longest duration: what lies further back is no date that every zone has."""


def parse_duration(value: object) -> timedelta:
    """Parse a duration such as "15m", "7d" or "0"; raise ValueError with the remedy."""
    if isinstance(value, str) and value.strip() == "0":
        return timedelta()
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        try:
            found = timedelta(**{_UNITS[match[2]]: int(match[1])})
        except (OverflowError, ValueError):  # int() refuses thousands of digits
            found = timedelta.max
        if found > _CENTURY:
            raise ValueError("must be a shorter time: 36500d at most")
        return found
    if isinstance(value, timedelta):
        return value
    raise ValueError('must be a duration such as "15m", "1h" or "7d"')


def _timezone(value: object) -> object:
    if not isinstance(value, str) or not is_time_zone(value):
        raise ValueError('is not a time zone: write a name such as "Europe/Paris" or "UTC"')
    return value


def _slug(value: object) -> object:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("must be 1 to 40 characters of a-z, 0-9 and -")
    return value


def is_topic(value: str) -> bool:
    """Return whether a text has the form of a topic."""
    letters = value.replace("-", "")
    return (
        0 < len(value) <= _LONGEST_TOPIC
        and value[0].isalnum()
        and all(map(belongs_to_word, letters))
        and value == plain_greek(value.casefold())
    )


def _topic(value: object) -> object:
    value = plain_greek(value) if isinstance(value, str) else value
    if not isinstance(value, str) or not is_topic(value):
        raise ValueError("must be 1 to 40 lower-case letters of any script, digits and -")
    return value


def _mailbox(value: object) -> object:
    address = parseaddr(value)[1] if isinstance(value, str) else ""
    local, _, domain = address.rpartition("@")
    if not local or ("." not in domain.strip(".") and domain not in LOOPBACK):
        raise ValueError('is not a mail address: write "name@example.org" or "Name <name@example.org>"')
    if any(ord(char) < 32 or ord(char) == 127 for char in str(value)):
        raise ValueError("must be one line without control characters")
    if not local.isascii():
        raise ValueError("must have ASCII signs alone before the @: most servers can carry no other")
    ascii_name(domain)
    return value


def _base_url(value: object) -> object:
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        is_whole = False
    if not is_whole or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise ValueError('must be an address such as "https://news.example.org"')
    if "@" in parts.netloc:
        raise ValueError("has a user name in it, which would stand in every link that readers get: remove it")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("may be http only for localhost: readers' links need https")
    return str(value).rstrip("/")


def _host(value: object) -> object:
    name = ascii_name(value) if isinstance(value, str) else ""
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", name):
        raise ValueError('is not a host: write a name such as "images.example.org"')
    return name


def _network(value: object) -> object:
    if not isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        try:
            return ipaddress.ip_network(str(value))
        except ValueError:
            raise ValueError(
                'is not an address or network: write "127.0.0.1", "10.0.0.0/8" or "2001:db8::/32"'
            ) from None
    return value


def _cadence(value: object) -> object:
    Cadence.parse("", str(value))
    return value


def _year_day(value: object) -> object:
    """Parse a date of one year, "2027-01-01", or of every year, "12-25"; TOML's own dates are of one year."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    try:
        date.fromisoformat(text if len(text) == 10 else f"2024-{text}")
    except ValueError:
        raise ValueError(f'"{text}" is not a date: write "12-25" (each year) or "2027-01-01"') from None
    return text


def parse_quiet_hours(value: object) -> str:
    """Parse quiet hours, "22:00-07:00"; an empty text means none."""
    text = re.sub(r"\s*[-–]\s*", "-", str(value).strip())
    if text and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f'"{value}" is not a span of hours: write "22:00-07:00", or "" for none')
    if text and text[:5] == text[6:]:
        raise ValueError(f'"{value}" leaves no hour for messages; write "" for no quiet hours')
    return text


def _origin(value: object) -> object:
    parts = urlsplit(value if isinstance(value, str) else "")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(
            "is not an origin: write scheme, host and port alone, such as https://app.example.org"
        )
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


Timezone = Annotated[str, BeforeValidator(_timezone)]


Slug = Annotated[str, BeforeValidator(_slug)]
Topic = Annotated[str, BeforeValidator(_topic)]


Mailbox = Annotated[str, BeforeValidator(_mailbox)]


Host = Annotated[str, BeforeValidator(_host)]
ProxyNetwork = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)]
Origin = Annotated[str, BeforeValidator(_origin)]
BaseUrl = Annotated[str, BeforeValidator(_base_url)]
Written = Annotated[str, BeforeValidator(_cadence)]
QuietHours = Annotated[str, BeforeValidator(parse_quiet_hours)]
YearDay = Annotated[str, BeforeValidator(_year_day)]


Text = Annotated[str, Field(min_length=1, max_length=500)]


class Table(BaseModel):
    """One table of config.toml: unknown keys are refused, and errors contain no values."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


def pictures_in_text(text: str) -> list[str]:
    """List the pictures of a Markdown text, and those written as HTML; code is left alone."""
    return list(dict.fromkeys(" ".join(found.split()) for found in _PICTURE.findall(_CODE.sub(" ", text))))


def _without_pictures(text: str) -> str:
    pictures = pictures_in_text(text)
    if pictures:
        raise ValueError(f"must not contain a picture ({pictures[0][:100]}): none is sent there; link to it")
    return text


Prose = Annotated[Text, AfterValidator(_without_pictures)]
"""A text for readers, in Markdown."""
