"""Connection limits of the web server: how many, and how long a request may take to arrive.

uvicorn waits without limit for a header or a body, and accepts connections until the process has no
descriptor left; a client that opens a thousand connections and sends half a request on each would make the
pages unavailable (CWE-400).
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from digest.rules.readers.origins import Network, is_trusted, parse_ip


@dataclass
class ConnectionLimits:
    """The limits of one server and the connections that count against them.

    Trusted proxies are exempt from `per_client`: all readers come through them. Times are in seconds: `head`
    and `body` from the first byte to the last, `response` from then until the client has received the
    response.
    """

    most: int = 512
    per_client: int = 64
    head: float = 10.0
    body: float = 20.0
    response: float = 120.0
    trusted: Sequence[Network] = ()
    open: Counter[str] = field(default_factory=Counter)

    def admit(self, peer: str) -> bool:
        """Count a new connection; return False where it exceeds a limit."""
        is_proxy = is_trusted(parse_ip(peer), self.trusted)
        if self.open.total() >= self.most or (not is_proxy and self.open[peer] >= self.per_client):
            return False
        self.open[peer] += 1
        return True

    def release(self, peer: str) -> None:
        """Count the end of an admitted connection."""
        self.open[peer] -= 1
        if self.open[peer] <= 0:
            del self.open[peer]


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
            named = transport.get_extra_info("peername")
            peer = str(named[0]) if isinstance(named, tuple) else ""
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
            self._follow()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.get_write_buffer_size() == 0:
                self._enter("")

        def _follow(self) -> None:
            """Move the deadline when a part of the request has arrived."""
            cycle: Any = self.cycle
            if cycle is None or cycle.response_complete:
                return
            if cycle.more_body:
                if self._phase != "body":
                    self._enter("body", limits.body)
            elif self._phase != "response":
                self._enter("response", limits.response)

        def _enter(self, phase: str, seconds: float = 0.0) -> None:
            self._phase = phase
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = self.loop.call_later(seconds, self.transport.abort) if phase else None

    return BoundedProtocol
