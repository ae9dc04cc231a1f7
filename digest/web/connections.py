"""Connection limits of the web server: how many, and how long a request may take to arrive.

uvicorn waits without limit for a header or a body, and accepts connections until the process has no
descriptor left; a client that opens a thousand connections and sends half a request on each would make the
pages unavailable (CWE-400).
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders
from uvicorn.protocols.http.h11_impl import H11Protocol

from digest.rules.readers.origins import Network, find_block, is_trusted, parse_ip
from digest.web.shared.security import set_headers

_REFUSED_AT_ONCE = 200


@dataclass
class ConnectionLimits:
    """The limits of one server and the connections that count against them.

    Trusted proxies are exempt from `per_client`: all readers come through them. On IPv6 a client is a
    network, since a single line has more addresses than there are connections. Times are in seconds: `head`
    from the first byte to the last; `body` likewise, and a second more for each `slowest` bytes, as lists
    come over slow lines; `response` from then until the client has received the response.
    """

    most: int = 512
    per_client: int = 64
    head: float = 10.0
    body: float = 20.0
    slowest: float = 16 * 1024
    response: float = 120.0
    trusted: Sequence[Network] = ()
    open: Counter[str] = field(default_factory=Counter)

    def has_room(self, peer: str) -> bool:
        """Return whether another connection is within the limits."""
        if self.open.total() >= self.most:
            return False
        return self.open[_client(peer)] < self.per_client or is_trusted(parse_ip(peer), self.trusted)

    def admit(self, peer: str) -> bool:
        """Count a new connection; return False where it exceeds a limit."""
        if not self.has_room(peer):
            return False
        self.open[_client(peer)] += 1
        return True

    def release(self, peer: str) -> None:
        """Count the end of an admitted connection."""
        client = _client(peer)
        self.open[client] -= 1
        if self.open[client] <= 0:
            del self.open[client]


def _client(peer: str) -> str:
    """Return what the connections of one client are counted by."""
    return find_block(peer) if ":" in peer and "." not in peer else peer


class BoundedListener(socket.socket):
    """A listening socket that closes connections beyond a limit as it accepts them.

    There a connection costs a hundredth of what it costs once it has a transport and a protocol, so a client
    that opens thousands fills neither the loop nor the queue in which others wait to be accepted.
    """

    def __init__(self, listening: socket.socket, limits: ConnectionLimits) -> None:
        super().__init__(fileno=listening.detach())
        self._limits = limits

    def listen(self, backlog: int = 0) -> None:
        """Keep the queue that the socket has: what asyncio passes is how many it accepts in one turn."""

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection within the limits; raise BlockingIOError if none waits."""
        for _ in range(_REFUSED_AT_ONCE):
            connection, address = super().accept()
            if self._limits.has_room(peer_of(address)):
                return connection, address
            connection.close()
        raise BlockingIOError  # the loop comes back: what is admitted has its turn first


def peer_of(address: object) -> str:
    """Return the IP address in a socket's address; "" for a socket in the file system."""
    return str(address[0]) if isinstance(address, tuple) else ""


def bounded_protocol(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP/1.1 protocol with these limits.

    A connection beyond a limit is closed at once, and so is one whose request does not arrive in time,
    without a response: proxies turn the close into a 502 of their own.
    """

    class BoundedProtocol(H11Protocol):
        """One connection; `_phase` is the part of the exchange that has the deadline."""

        _peer: str | None = None
        _deadline: asyncio.TimerHandle | None = None
        _phase = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            peer = peer_of(transport.get_extra_info("peername"))
            if not limits.admit(peer):
                transport.abort()
                self.transport = transport
                return
            self._peer = peer
            super().connection_made(transport)
            self._enter("head", limits.head)

        def connection_lost(self, exc: Exception | None) -> None:
            self._enter("")
            if self._peer is not None:
                limits.release(self._peer)
                super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._peer is None:
                return
            if not self._phase:
                self._enter("head", limits.head)
            super().data_received(data)
            self._follow(len(data))

        def send_400_response(self, msg: str) -> None:
            """Answer what is no request in HTTP: no page sees it, so that none adds our headers."""
            cycle: Any = self.cycle
            if cycle is None or cycle.response_complete:
                said = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(msg))}
                headers = MutableHeaders({**said, "connection": "close"})
                set_headers(headers, "", "POST")
                lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + text for name, text in headers.raw)]
                self.transport.write(b"\r\n".join([*lines, b"", msg.encode("ascii")]))
            self.transport.close()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.get_write_buffer_size() == 0:
                self._enter("")

        def _follow(self, size: int) -> None:
            """Move the deadline when so many bytes of the request have arrived."""
            cycle: Any = self.cycle
            if cycle is None or cycle.response_complete:
                return
            if cycle.more_body:
                if self._phase != "body":
                    self._enter("body", limits.body)
                elif self._deadline is not None:
                    left = self._deadline.when() - self.loop.time()
                    self._enter("body", left + size / limits.slowest)
            elif self._phase != "response":
                self._enter("response", limits.response)

        def _enter(self, phase: str, seconds: float = 0.0) -> None:
            self._phase = phase
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = self.loop.call_later(seconds, self.transport.abort) if phase else None

    return BoundedProtocol
