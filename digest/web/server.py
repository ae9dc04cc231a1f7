"""The web server: uvicorn in a thread, without access logs, which would contain readers' tokens."""

import logging
import socket
import sys
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from digest.errors import Unreachable
from digest.settings.site import WebSettings
from digest.web.connections import BoundedListener, ConnectionLimits, bounded_protocol

_STEP = 0.02
_SWITCH_SECONDS = 0.001
"""How long a thread computes while others wait. With the default of 5 ms and forty busy threads, the loop
that reads every request waits for a fifth of a second each time."""

_WAITING = 2048
"""Connections that may wait to be accepted; who comes when the queue is full tries again a second later."""

_AT_ONCE = 64
"""Connections that asyncio accepts in one turn of the loop, before it serves those that it has."""

_LARGEST_HEAD = 32 * 1024
_LOGGERS = ("uvicorn.error", "python_multipart", "python_multipart.multipart", "asyncio")
_PER_MINUTE = 10


class Server:
    """Serves an application until it is stopped; port 0 means any free one.

    X-Forwarded-* headers are read by the application alone, from the proxies that the settings trust.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, limits: ConnectionLimits | None = None) -> None:
        self.host, self.port = host, port
        limit_logs()
        self._limits = limits or ConnectionLimits()
        self._config = uvicorn.Config(
            app,
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="off",
            ws="none",
            server_header=False,
            http=bounded_protocol(self._limits),
            proxy_headers=False,
            backlog=_AT_ONCE,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(self._config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address of the pages, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Start serving in a thread and return once it answers; raise Unreachable if the port is taken."""
        listening = self._listen()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="pages", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_STEP)

    def run(self) -> None:
        """Serve in this thread until SIGINT or SIGTERM; raise Unreachable if the port is taken."""
        listening = self._listen()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._server.run([listening])

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listening = socket.create_server((self.host, self.port), family=family, backlog=_WAITING)
        except OSError as error:
            raise Unreachable(
                f"the pages cannot listen on {self.host}:{self.port} ({error.strerror}): "
                "end what does, or change [web] host and port"
            ) from None
        self.port = int(listening.getsockname()[1])
        return BoundedListener(listening, self._limits)

    def stop(self) -> None:
        """Finish open requests, then stop."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def limits_of(web: WebSettings) -> ConnectionLimits:
    """Return the limits in the settings."""
    return ConnectionLimits(
        most=web.connections, per_client=web.connections_per_client, trusted=web.trusted_proxies
    )


class LogLimit(logging.Filter):
    """Passes ten records a minute of one logger, and counts the rest in the next one that passes."""

    def __init__(self, per_minute: int = _PER_MINUTE) -> None:
        super().__init__()
        self._per_minute = per_minute
        self._began = 0.0
        self._passed = self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record passes."""
        if not 0 <= record.created - self._began < 60:
            self._began, self._passed = record.created, 0
        if self._passed >= self._per_minute:
            self._left_out += 1
            return False
        self._passed += 1
        if self._left_out:
            record.msg = f"{record.getMessage()} ({self._left_out} more lines like it were left out)"
            record.args = ()
            self._left_out = 0
        return True


def limit_logs() -> None:
    """Limit what requests can write into the log; safe to repeat.

    uvicorn warns about each request that is not HTTP, python-multipart about each form that is not one,
    asyncio about each connection that it cannot accept: such requests would fill our log.
    """
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, LogLimit) for one in logger.filters):
            logger.addFilter(LogLimit())
