"""What every page is guarded by: headers, a limit on bodies, a limit on sign-ups."""

import ipaddress
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.rules.articles.images import host_of

MOST_BODY = 64 * 1024
TOKEN_PATHS = ("/confirm/", "/unsubscribe/", "/preferences/")

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'{pictures}; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

# The desk has a script of its own, which adds comfort only, and shows messages in frames.
_DESK_TOO = "; script-src 'self'; frame-src 'self'"


def policy(pictures: Iterable[str] = ()) -> str:
    """Give a page's Content-Security-Policy: all is our own, but for the hosts of its pictures."""
    origins = {f"{urlsplit(url).scheme}://{host_of(url)}{_port(url)}" for url in pictures if host_of(url)}
    return _POLICY.format(pictures="".join(f" {origin}" for origin in sorted(origins)))


def _port(url: str) -> str:
    try:
        port = urlsplit(url).port
    except ValueError:
        return ""
    return f":{port}" if port else ""


class Guard:
    """ASGI middleware that reads bodies whole up to a limit and sets the headers of every answer.

    Pages that a token opens are kept by nobody, indexed by nobody, and never named to another site.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                set_headers(MutableHeaders(scope=message), scope["path"], scope["method"])
            await send(message)

        body = await _read_body(receive)
        if body is None:
            await _refuse(send_guarded)
        else:
            await self._app(scope, _replay(body, receive), send_guarded)


def set_headers(headers: MutableHeaders, path: str, method: str) -> None:
    """Set the headers of an answer."""
    is_desk = path == "/desk" or path.startswith("/desk/")
    headers.setdefault("Content-Security-Policy", policy() + (_DESK_TOO if is_desk else ""))
    headers["X-Content-Type-Options"] = "nosniff"
    # Of a page without a referrer a browser posts "Origin: null"; the desk asks for its own.
    headers["Referrer-Policy"] = "same-origin" if is_desk else "no-referrer"
    if is_desk or path.startswith(TOKEN_PATHS):
        headers["X-Robots-Tag"] = "noindex"
    if is_desk or path.startswith(TOKEN_PATHS) or method == "POST":
        headers["Cache-Control"] = "no-store"


async def _read_body(receive: Receive) -> bytes | None:
    """Read a request's body; None where it passes the limit."""
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > MOST_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"Too much was sent.\n"})


class SignUpLimit:
    """Counts sign-ups by address block for an hour, in memory that is bounded.

    A block is what one household or office commonly has: an IPv4 /24, an IPv6 /56.
    """

    def __init__(self, per_hour: int, *, most_blocks: int = 10_000) -> None:
        self._per_hour = per_hour
        self._most_blocks = most_blocks
        self._times: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, origin: str, now: datetime) -> bool:
        """Count one sign-up, where the block has one left."""
        block = find_block(origin)
        with self._lock:
            times = self._times.setdefault(block, deque())
            self._times.move_to_end(block)
            while len(self._times) > self._most_blocks:
                self._times.popitem(last=False)
            while times and now - times[0] >= timedelta(hours=1):
                times.popleft()
            if len(times) >= self._per_hour:
                return False
            times.append(now)
            return True


def find_block(origin: str) -> str:
    """Find the block of addresses that an origin is in; what is no IP address stands for itself."""
    try:
        address = ipaddress.ip_address(origin.partition("%")[0])
    except ValueError:
        return origin[:64]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    length = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network((address, length), strict=False))
