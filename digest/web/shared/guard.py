"""What every request passes before a page sees it: client address, limits, complete bodies, valid paths."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.rules.readers.origins import UNKNOWN, Network, find_client
from digest.web.shared.security import set_headers
from digest.web.shared.threads import thread_limits

MOST_BODY = 64 * 1024
MOST_FIELDS = 1_000
API = "/api/"
MOST_BY_API = 512 * 1024
MOST_AT_DESK = 256 * 1024  # an introduction of 10,000 letters may take nine bytes for each
MOST_LIST = 257 * 1024 * 1024  # a list of readers with its form
MOST_PICTURE = 12 * 1024 * 1024
UPLOAD_LIST = "/desk/readers/import"
_UPLOAD_PICTURE = re.compile(r"/desk/[^/]+/[^/]+/[^/]+/picture/[0-9]+")
_DOORS = ("/desk/password",)
_SIGN_INS = ("/desk/login", *_DOORS)  # they have a limit of their own
_CONTROLS = re.compile("[\x00-\x1f\x7f]")
_BOUNDARY = re.compile(r"""boundary=(?:"([^"\\]{1,70})"|([^\s;,"]{1,70}))""", re.I)
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_SAFE = ("GET", "HEAD", "OPTIONS")
_JSON = "application/json"
# A mailbox provider's one-click POST and a form on the publication's own site come from elsewhere by design;
# the API knows no cookie, so another site's page can do nothing in anybody's name.
_FROM_ANYWHERE = ("/unsubscribe/", "/subscribe", API)
_REFUSALS = {
    400: b"This request cannot be read.\n",
    403: b"This came from another site's page, and nothing was changed.\n",
    413: b"The request is too large.\n",
    503: b"Too many large requests arrive at once: try again in a few seconds.\n",
}
_RETRY_AFTER = b"5"


@dataclass
class LargeBodies:
    """How many bytes the bodies hold that are larger than a reader's, in all and of one client.

    Whoever sends them is known only when they have arrived; without a limit, a stranger who never sends the
    last byte would hold as much on each connection.
    """

    most: int = 16 * 1024 * 1024
    per_client: int = 4 * 1024 * 1024
    held: Counter[str] = field(default_factory=Counter)

    def take(self, client: str, size: int) -> bool:
        """Count so many bytes more; return False where that exceeds a limit."""
        if self.held.total() + size > self.most or self.held[client] + size > self.per_client:
            return False
        self.held[client] += size
        return True

    def release(self, client: str, size: int) -> None:
        """Count a body's bytes no longer."""
        self.held[client] -= size
        if self.held[client] <= 0:
            del self.held[client]


class _Body:
    """The body of one request, counted while it is larger than a reader's."""

    def __init__(self, bodies: LargeBodies, client: str) -> None:
        self._bodies, self._client = bodies, client
        self._taken = 0
        self.has_room = True

    async def read(self, receive: Receive, most: int) -> bytes | None:
        """Read it, at most one chunk beyond the limit; return None if the client disconnected."""
        parts, length = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > most:
                return b"".join(parts)
            more = max(0, length - MOST_BODY) - self._taken
            if more and not self._bodies.take(self._client, more):
                self.has_room = False
                return b""
            self._taken += more
            if not message.get("more_body", False):
                return b"".join(parts)

    def release(self) -> None:
        """Make room for others."""
        if self._taken:
            self._bodies.release(self._client, self._taken)
            self._taken = 0


class Guard:
    """ASGI middleware in front of every route.

    - The client's address is the peer's, or the one that a trusted proxy forwards; nothing else reads it.
    - A request whose body breaks off is dropped: it changes nothing, and there is nobody to answer. A
      multipart form without its end gets 400.
    - A body over 64 KiB, or what the desk and the API take, gets 413 before it is read, a form of over 1,000
      fields before it is parsed; control characters in a path or a form get 400. Of bodies over 64 KiB few
      are held at once; others get 503. Pages that take a file read the body themselves, piece by piece, after
      they know who sends it.
    - Requests that change something have some of the threads, so that pages to read have the others.
    - An unsafe request from another site's page gets 403 (Fetch Metadata; RFC 6454, section 7).
    - The answer gets its headers (`security.set_headers`).
    """

    def __init__(self, app: ASGIApp, *, base_url: str, trusted: Sequence[Network] = ()) -> None:
        self._app = app
        self._trusted = tuple(trusted)
        self._bodies = LargeBodies()
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._is_secure = parts.scheme == "https"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                set_headers(headers, scope["path"], scope["method"], secure=self._is_secure)
            await send(message)

        headers = Headers(scope=scope)
        refused = self._refuse(scope, headers)
        if not refused and scope["method"] == "POST" and _most_upload(scope["path"]):
            await self._app(self._passed(scope, headers), receive, send_guarded)
            return
        passed = self._passed(scope, headers)
        body = _Body(self._bodies, passed["client"][0])
        try:
            await self._read_and_answer(passed, headers, body, refused, receive, send_guarded)
        finally:
            body.release()

    async def _read_and_answer(
        self, scope: Scope, headers: Headers, body: _Body, refused: int, receive: Receive, send: Send
    ) -> None:
        most = _most_body(scope["path"], scope["method"])
        content = b"" if refused else await body.read(receive, most)
        if content is None:
            return
        refused = refused or (0 if body.has_room else 503)
        refused = refused or _refuse_body(content, most, headers.get("content-type", ""), scope["path"])
        if refused:
            await _answer(send, refused, as_problem=scope["path"].startswith(API))
            return
        limits = thread_limits()
        is_limited = scope["method"] not in _SAFE and not scope["path"].startswith(_SIGN_INS)
        async with limits.changes if is_limited else nullcontext():
            await self._app(scope, _replay(content, receive), send)

    def _passed(self, scope: Scope, headers: Headers) -> Scope:
        """Return what a page sees of a request: the client's own address, and a form's plain type."""
        peer = scope["client"][0] if scope.get("client") else UNKNOWN
        seen = find_client(peer, headers.getlist("x-forwarded-for"), self._trusted)
        return {**scope, "client": (seen, 0), "headers": _plain_form(scope["headers"])}

    def _refuse(self, scope: Scope, headers: Headers) -> int:
        """Return the status with which to refuse a request before its body is read, or 0."""
        if _CONTROLS.search(scope["path"]) or b"%00" in scope.get("query_string", b""):
            return 400
        length = headers.get("content-length", "0")
        if (
            not length.isdecimal()
            or len(length) > 12
            or int(length) > _most_body(scope["path"], scope["method"])
        ):
            return 413
        if scope["method"] not in _SAFE and not scope["path"].startswith(_FROM_ANYWHERE):
            return 403 if self._is_cross_site(headers) else 0
        return 0

    def _is_cross_site(self, headers: Headers) -> bool:
        """Return whether a browser says that another site's page sent this.

        A page without a referrer posts "Origin: null", so "null" alone proves nothing.
        """
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site not in ("same-origin", "none")
        ours = (None, "null", self._origin, f"http://{headers.get('host')}", f"https://{headers.get('host')}")
        return origin not in ours


def _most_upload(path: str) -> int:
    """Return how many bytes a page that takes a file takes; 0 for other pages."""
    if path == UPLOAD_LIST:
        return MOST_LIST
    return MOST_PICTURE if _UPLOAD_PICTURE.fullmatch(path) else 0


def _most_body(path: str, method: str) -> int:
    """Return how many bytes a request may have: editors write more than anybody else, and what they wrote is
    kept through the sign-in when their session has ended."""
    if method in _SAFE:
        return MOST_BODY
    upload = _most_upload(path)
    if upload:
        return upload
    if path.startswith(API):
        return MOST_BY_API
    return MOST_AT_DESK if path.startswith("/desk/") and not path.startswith(_DOORS) else MOST_BODY


def _refuse_body(body: bytes, most: int, content_type: str, path: str) -> int:
    """Return the status with which to refuse what has arrived, or 0."""
    if len(body) > most or _has_many_fields(body, content_type):
        return 413
    return 400 if _is_cut_off(body, content_type, path) or _has_nul(body, content_type) else 0


def _is_cut_off(body: bytes, content_type: str, path: str) -> bool:
    """Return whether a multipart form lacks its last boundary: what is missing would be taken as not chosen.

    Unsubscribing asks for nothing of its body (RFC 8058, section 3.1).
    """
    if not content_type.lower().startswith(_MULTIPART) or path.startswith("/unsubscribe/"):
        return False
    boundary = _BOUNDARY.search(content_type)
    return (
        boundary is not None and f"--{boundary[1] or boundary[2]}--".encode("latin-1", "replace") not in body
    )


def _has_nul(body: bytes, content_type: str) -> bool:
    """Return whether a form contains NUL, which no field may contain and PostgreSQL cannot store."""
    return b"\0" in body or (b"%00" in body and content_type.lower().startswith(_URLENCODED))


def _has_many_fields(body: bytes, content_type: str) -> bool:
    """Return whether a form has more fields than any of ours; parsing them would hold up everybody.

    The parser counts the fields that have a name, not the separators that it skips one by one.
    """
    return content_type.lower().startswith(_URLENCODED) and body.count(b"&") > MOST_FIELDS


def _plain_form(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with a form's Content-Type reduced to what parsing needs.

    A charset that the client names ("undefined", "utf-7") would be looked up as a Python codec; forms are
    UTF-8 (HTML, section 4.10.21.8).
    """
    kept = [(name, value) for name, value in headers if name != b"content-type"]
    for name, value in headers:
        if name == b"content-type":
            kept.append((name, _plain_type(value.decode("latin-1")).encode("latin-1")))
            break
    return kept


def _plain_type(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        boundary = _BOUNDARY.search(content_type)
        return f'{_MULTIPART}; boundary="{boundary[1] or boundary[2]}"' if boundary else "text/plain"
    return kind if kind in (_URLENCODED, _JSON) else "text/plain"


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _answer(send: Send, status: int, *, as_problem: bool) -> None:
    kind, body = b"text/plain; charset=utf-8", _REFUSALS[status]
    if as_problem:  # RFC 9457, section 4.2.1: about:blank means no more than the status does
        told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        kind, body = (
            b"application/problem+json",
            json.dumps(told | {"detail": body.decode().strip()}).encode(),
        )
    headers = [(b"content-type", kind), (b"connection", b"close")]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", _RETRY_AFTER))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
