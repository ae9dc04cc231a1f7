"""Fetch and post over HTTP safely: a private address is connected to only for a host and port that the
operator named."""

import functools
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2

from digest import __version__
from digest.errors import Busy, Gone, InputError, Unreachable
from digest.net.host_spacing import HostSpacing
from digest.net.hosts import is_public
from digest.net.urls import checked, host_and_port, origin, redirected, sendable, shown

MAX_REDIRECTS = 5
_AGENT = f"newsletter-digest/{__version__} (feed reader)"
_ACCEPTED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9,"
    " text/html;q=0.8, */*;q=0.5"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.I)
_GZIP = b"\x1f\x8b\x08"
_NO_NAME, _NO_ADDRESS = "the name cannot be resolved", "the name has no address"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response; `url` is the final one, `content` is decompressed and limited.

    `moved_to` is the URL to use from now on, after permanent redirects (RFC 9110 15.4.2, 15.4.9); `max_age`
    comes from Cache-Control, in seconds; `links` is the Link header, `pages` the number of a list's pages.
    """

    status: int
    url: str
    content: bytes
    content_type: str
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    max_age: int | None = None
    links: str = ""
    pages: int = 1
    date: str | None = None


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: str
    is_permanent: bool


def fetch(
    url: str,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    allow_private: bool = False,
    private_origin: str | None = None,
    timeout: float = 20.0,
    max_bytes: int = 10_000_000,
    turns: HostSpacing | None = None,
) -> Fetched:
    """Fetch a URL; raise InputError for a permanent failure, Unreachable for one that may pass.

    `private_origin` is a URL that the operator configured: if given, its host and port may be private, and no
    others, whatever a redirect or a document names. `allow_private` does this for `url` itself. `timeout`
    limits the whole fetch in seconds, with redirects, but without waiting for the host's turn.
    """
    vouched = url if allow_private else private_origin
    permitted = origin(vouched) if vouched else None
    conditions = {"If-None-Match": sendable(etag), "If-Modified-Since": sendable(last_modified)}
    headers = {name: value for name, value in conditions.items() if value}
    waits = turns or HostSpacing(0)
    moved_to, is_permanent, cookies = None, True, httpx2.Cookies()
    for _ in range(MAX_REDIRECTS + 1):
        host = host_and_port(checked(url))
        with waits.at(host):
            began = time.monotonic()
            with _client(origin(url) == permitted, timeout, began + timeout) as client:
                client.cookies = cookies  # of the redirects before: some sites set one and lead back
                answer = _asked(client, url, headers, max_bytes, began + timeout, waits)
                cookies = client.cookies
            timeout = max(timeout - (time.monotonic() - began), 0.01)
        if isinstance(answer, Fetched):
            return replace(answer, moved_to=moved_to)
        url = checked(redirected(url, answer.location))
        is_permanent = is_permanent and answer.is_permanent
        moved_to = url if is_permanent else moved_to
    raise InputError(f"{shown(url)}: more than {MAX_REDIRECTS} redirects")


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """The answer to what was posted; `retry_after` is that header's own text, "" without one."""

    status: int
    retry_after: str


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool, timeout: float
) -> PostAnswer:
    """Post to a URL; a redirect is an answer like any other, and is not followed.

    `timeout` limits the whole exchange in seconds. Raise InputError for a private address, Unreachable where
    nothing answers in time; the answer's content is not read. Errors name the host alone: the rest of the URL
    may be a secret.
    """
    end, host = time.monotonic() + timeout, urlsplit(checked(url)).hostname
    sent = {**headers, "User-Agent": _AGENT.partition(" ")[0], "Accept": "*/*"}
    try:
        with (
            _client(allow_private, timeout, end) as client,
            client.stream("POST", url, content=body, headers=sent) as response,
        ):
            retry_after = sendable(response.headers.get("retry-after")) or ""
            return PostAnswer(response.status_code, retry_after)
    except _PrivateAddressError as error:
        raise InputError(
            f"{host}: {error}; only public addresses are posted to, and those in [api] private_webhooks"
        ) from None
    except (httpx2.HTTPError, httpcore2.ConnectError, httpcore2.TimeoutException, OSError) as error:
        raise Unreachable(f"{host} does not answer: {_why(error)}") from None
    except (httpx2.InvalidURL, ValueError):
        raise InputError(f"{host} is not an address that can be posted to") from None


class _TimedStream(httpcore2.NetworkStream):
    """A connection with a deadline: a response that trickles in cannot hold the reader for ever."""

    def __init__(self, stream: httpcore2.NetworkStream, end: float) -> None:
        self._stream = stream
        self._end = end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read the bytes that are available."""
        return self._stream.read(max_bytes, _left(self._end, timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all."""
        self._stream.write(buffer, _left(self._end, timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Begin TLS; the name to verify is the URL's, not the dialled address."""
        timeout = _left(self._end, timeout, httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._end)

    def get_extra_info(self, info: str) -> Any:
        """Return what the pool asks about the socket."""
        return self._stream.get_extra_info(info)


class _CheckedBackend(httpcore2.NetworkBackend):
    """Resolves a name, checks every address, and connects to the checked one: it cannot change in between."""

    def __init__(self, allow_private: bool, end: float) -> None:
        self._allow_private = allow_private
        self._end = end
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first public address of a host that accepts the connection."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore2.ConnectError(_NO_NAME) from None
        addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise _PrivateAddressError("the name resolves to a private address")
        last: Exception = httpcore2.ConnectError(_NO_ADDRESS)
        for address in addresses:
            try:
                left = _left(self._end, timeout, httpcore2.ConnectTimeout)
                stream = self._backend.connect_tcp(address, port, left, local_address, socket_options)
                return _TimedStream(stream, self._end)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        """Refuse: a feed is never on a local socket."""
        raise _PrivateAddressError("local sockets are not read")

    def sleep(self, seconds: float) -> None:
        """Wait, as the pool asks for between tries."""
        self._backend.sleep(seconds)


def _why(error: Exception) -> str:
    """Describe why there is no answer, for a reader who sees the host's name beside it."""
    text = str(error)
    if isinstance(error, httpx2.TimeoutException | httpcore2.TimeoutException):
        return "it takes too long"
    if text in (_NO_NAME, _NO_ADDRESS):
        return text
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not valid"
    if isinstance(error, httpx2.ConnectError | httpcore2.ConnectError):
        return "it takes no connection"
    return "its answer cannot be unpacked" if isinstance(error, httpx2.DecodingError) else "it breaks off"


class _PrivateAddressError(Exception):
    """Not a ConnectError: it must not be retried or taken for a network failure."""


def _left(end: float, timeout: float | None, error: type[Exception]) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise error("the time is up")
    return left if timeout is None else min(left, timeout)


def _client(allow_private: bool, timeout: float, end: float) -> httpx2.Client:
    context = _trust()
    transport = httpx2.HTTPTransport(verify=context, trust_env=False)
    # httpx2 has no public argument for the network backend; the version is pinned and a test holds this.
    transport._pool = httpcore2.ConnectionPool(
        ssl_context=context,
        network_backend=_CheckedBackend(allow_private, end),
    )
    headers = {"User-Agent": _AGENT, "Accept": _ACCEPTED}
    return httpx2.Client(transport=transport, timeout=timeout, trust_env=False, headers=headers)


@functools.cache
def _trust() -> ssl.SSLContext:
    """Load the certificates once: that takes longer than a fetch."""
    return httpx2.create_ssl_context(trust_env=False)


def _asked(
    client: httpx2.Client, url: str, headers: dict[str, str], max_bytes: int, end: float, waits: HostSpacing
) -> Fetched | _Redirect:
    try:
        return _get(client, url, headers, max_bytes, end)
    except Busy as told:
        waits.refuse(host_and_port(url), told)
        raise


def _get(
    client: httpx2.Client, url: str, headers: dict[str, str], max_bytes: int, end: float
) -> Fetched | _Redirect:
    try:
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                is_permanent = response.status_code in _PERMANENT
                return _Redirect(str(response.headers["location"]), is_permanent)
            try:
                content = b"" if response.status_code >= 300 else _read(response, url, max_bytes, end)
            except httpx2.DecodingError:
                content = _read_as_it_is(client, url, headers, max_bytes, end)
    except _PrivateAddressError as error:
        raise InputError(
            f"{shown(url)}: {error}; only public addresses are fetched, except at"
            " a source's own url with allow_private = true"
        ) from None
    except (httpx2.HTTPError, httpcore2.ConnectError, httpcore2.TimeoutException, OSError) as error:
        raise Unreachable(f"{shown(url)} does not answer: {_why(error)}") from None
    except (httpx2.InvalidURL, ValueError):
        raise InputError(f"{shown(url)} is not an address that can be fetched") from None
    _refuse(response, url)
    found = response.headers
    return Fetched(
        response.status_code, url, content, found.get("content-type", ""), sendable(found.get("etag")),
        sendable(found.get("last-modified")), max_age=_max_age(found.get("cache-control", "")),
        links=found.get("link", "")[:5_000], pages=_count(found.get("x-wp-totalpages", "")),
        date=sendable(found.get("date")),
    )  # fmt: skip


def _refuse(response: httpx2.Response, url: str) -> None:
    """Raise the error that a status stands for; 2xx and 304 are none."""
    status = response.status_code
    retry_after = sendable(response.headers.get("retry-after"))
    if status in (429, 503) or (status == 403 and retry_after):  # 403: GitHub's, of who asks too often
        raise Busy(f"{shown(url)} answers {status}; it is tried again later", retry_after)
    if status >= 500 or status in (408, 425):
        raise Unreachable(f"{shown(url)} answers {status}; it is tried again later")
    if status == 410:
        raise Gone(f"{shown(url)} answers 410: it is gone for good; give its new address or remove it")
    if status >= 400:
        raise InputError(f"{shown(url)} answers {status}; check the address")
    if status >= 300 and status != 304:
        raise InputError(f"{shown(url)} answers {status} and does not say where to; check the address")


def _max_age(cache_control: str) -> int | None:
    """Parse how long a response is fresh (RFC 9111 5.2.2.1)."""
    match = _MAX_AGE.search(cache_control)
    return int(match[1]) if match else None


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _read_as_it_is(
    client: httpx2.Client, url: str, headers: dict[str, str], max_bytes: int, end: float
) -> bytes:
    """Ask for plain content again, whose server declared a packing that it does not have."""
    with client.stream("GET", url, headers={**headers, "Accept-Encoding": "identity"}) as response:
        content = _read(response, url, max_bytes, end, is_raw=True) if response.status_code == 200 else b""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"{")):
        raise httpx2.DecodingError("neither packed as declared nor plain")
    return content


def _read(response: httpx2.Response, url: str, max_bytes: int, end: float, *, is_raw: bool = False) -> bytes:
    parts, size = [], 0
    for chunk in response.iter_raw(65_536) if is_raw else response.iter_bytes(65_536):
        size += len(chunk)
        if size > max_bytes:
            raise InputError(f"{shown(url)} is larger than {max_bytes:,} bytes; give a smaller one")
        if time.monotonic() > end:
            raise Unreachable(f"{shown(url)} takes too long; it is tried again later")
        parts.append(chunk)
    content = b"".join(parts)
    if content.startswith(_GZIP):
        content = _unpacked(content, max_bytes)
        if len(content) > max_bytes:
            raise InputError(f"{shown(url)} is larger than {max_bytes:,} bytes; give a smaller one")
    return content


def _unpacked(content: bytes, max_bytes: int) -> bytes:
    """Unpack what came as "x-gzip" (RFC 9110 8.4.1.3) or is a file in that format; other bytes stay.

    Of a file's members (RFC 1952 2.2) a hundred are read, and at most one byte more than is allowed.
    """
    unpacked, members = b"", 0
    while content.startswith(_GZIP) and len(unpacked) <= max_bytes and members < 100:  # each copies the rest
        members += 1
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            unpacked += member.decompress(content, max_bytes + 1 - len(unpacked))
        except zlib.error:
            return unpacked or content
        content = member.unused_data
    return unpacked
