"""The headers of every response: what a page may load, who may frame it, and who may cache it."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders

from digest.rules.articles.images import host_of
from digest.rules.readers.origins import find_block

__all__ = ["TOKEN_PATHS", "find_block", "policy", "set_headers"]

TOKEN_PATHS = (
    "/confirm/", "/unsubscribe/", "/preferences/", "/undo/", "/me/", "/address/", "/feed/", "/calendar/",
    "/api/",
)  # fmt: skip

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'{pictures}; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HALF_A_YEAR = 180 * 24 * 3600

# The desk has a script of its own, for convenience only, and shows messages in frames.
_DESK_TOO = "; script-src 'self'; connect-src 'self'; frame-src 'self'"


def policy(pictures: Iterable[str] = ()) -> str:
    """Return a page's Content-Security-Policy: everything is our own except for the hosts of its images."""
    origins = {f"{urlsplit(url).scheme}://{host_of(url)}{_port(url)}" for url in pictures if host_of(url)}
    return _POLICY.format(pictures="".join(f" {origin}" for origin in sorted(origins)))


def _port(url: str) -> str:
    try:
        port = urlsplit(url).port
    except ValueError:
        return ""
    return f":{port}" if port else ""


def set_headers(headers: MutableHeaders, path: str, method: str, *, secure: bool = False) -> None:
    """Set the headers of a response; `secure` if the pages are served by https.

    Pages that a token opens are not cached, not indexed, and send no referrer. X-Frame-Options repeats
    frame-ancestors for browsers that know only the former (RFC 7034).
    """
    is_desk = path == "/desk" or path.startswith("/desk/")
    headers.setdefault("Content-Security-Policy", policy() + (_DESK_TOO if is_desk else ""))
    framed = "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    headers["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    headers["X-Content-Type-Options"] = "nosniff"
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={_HALF_A_YEAR}"
    # From a page without a referrer a browser posts "Origin: null"; the desk checks for its own origin.
    headers["Referrer-Policy"] = "same-origin" if is_desk else "no-referrer"
    is_personal = is_desk or path.startswith(TOKEN_PATHS)
    if is_personal:
        headers["X-Robots-Tag"] = "noindex"
    if is_personal or method == "POST":
        headers["Cache-Control"] = "no-store"
