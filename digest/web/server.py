"""The pages' server: uvicorn in a thread, with access logs off, for they would hold readers' tokens."""

import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from digest.errors import Unreachable

_STEP = 0.02


class Server:
    """Serves an application until it is stopped; port 0 takes any that is free."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self.host, self.port = host, port
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
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(self._config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Give where the pages are, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Start serving in a thread and return once it answers; raise Unreachable where the port is taken."""
        listening = self._listen()
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="pages", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_STEP)

    def run(self) -> None:
        """Serve in this thread until SIGINT or SIGTERM; raise Unreachable where the port is taken."""
        self._server.run([self._listen()])

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listening = socket.create_server((self.host, self.port), family=family)
        except OSError as error:
            raise Unreachable(
                f"the pages cannot listen on {self.host}:{self.port} ({error.strerror}): "
                "end what does, or change [web] host and port"
            ) from None
        self.port = int(listening.getsockname()[1])
        return listening

    def stop(self) -> None:
        """Answer what is open, then end."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve in this thread until SIGINT or SIGTERM."""
    Server(app, host, port).run()
