"""Which pictures may be shown: a reader's programs ask nobody for one but the publication and its sources."""

import ipaddress
import re
from collections.abc import Callable, Collection
from html import unescape
from urllib.parse import urlsplit

_IMAGE = re.compile(r'<img(?:\s+[\w-]+(?:="[^"]*")?)*\s*/?>')
_SOURCE = re.compile(r'\ssrc="([^"]*)"')
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


def host_of(url: str | None) -> str:
    """Give the host of an http address in lower case; empty where it has none that is plain ASCII."""
    try:
        parts = urlsplit(url or "")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""
    return host if parts.scheme in ("http", "https") and _NAME.fullmatch(host) else ""


def is_own(picture: str | None, homes: Collection[str]) -> bool:
    """Tell whether a picture lies with one of the hosts that may show it, or below or above one.

    A third party's server would learn who opens a message and when, whatever the picture shows.
    """
    host = _bare(host_of(picture))
    return bool(host) and any(_are_one(host, _bare(home)) for home in homes if home)


def keep_pictures(html: str, may_stand: Callable[[str], bool]) -> str:
    """Take those pictures out of cleaned HTML that may not stand there; it is as nh3 writes it."""

    def settle(tag: re.Match[str]) -> str:
        found = _SOURCE.search(tag[0])
        return tag[0] if found and may_stand(unescape(found[1])) else ""

    return _IMAGE.sub(settle, html)


def _are_one(one: str, other: str) -> bool:
    if one == other:
        return True
    if _is_address(one) or _is_address(other) or min(one.count("."), other.count(".")) == 0:
        return False
    return one.endswith("." + other) or other.endswith("." + one)


def _bare(host: str) -> str:
    return host.removeprefix("www.") if host.count(".") > 1 else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
