"""URLs that are requested: checked, redirected, and shown in errors without their secrets."""

from urllib.parse import urljoin, urlsplit

from digest.errors import InputError


def origin(url: str) -> tuple[str, int]:
    """Return a URL's host and port, by default that of its scheme (RFC 3986 3.2)."""
    parts = urlsplit(checked(url))
    try:
        return (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise InputError(f"{shown(url)} names a port that does not exist; check the address") from None


def checked(url: str) -> str:
    """Return a URL that can be requested; raise InputError for any other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"{shown(url)} is not an http or https address")
    return url


def host_and_port(url: str) -> str:
    """Return what requests are spaced by."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{origin(url)[1]}"


def redirected(url: str, location: str) -> str:
    """Return where a redirect leads; raise InputError if that is no URL."""
    try:
        return urljoin(url, location)
    except ValueError:
        raise InputError(f"{shown(url)} redirects to what is not an address; check it in a browser") from None


def sendable(value: str | None) -> str | None:
    """Keep a header value that can be sent again; a server may have sent anything."""
    return value if value and len(value) <= 500 and value.isascii() and value.isprintable() else None


def shown(url: str) -> str:
    """Return a URL for an error message: host, port and path, without login, query and control characters."""
    try:
        parts = urlsplit(url)
        text = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]
    except ValueError:
        return "the address"
    return "".join(sign for sign in text if sign.isprintable())
