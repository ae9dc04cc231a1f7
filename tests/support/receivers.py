"""Receivers of webhooks on loopback: one that takes, at once or slowly, fails, hangs, drips or redirects, as its path says."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any, Self


class Receiver:
    """Answers /taken, /slow, /fails, /hangs, /drips and /redirects; `posted` holds (path, headers, body) of each request."""

    def __init__(self, redirect_to: str = "") -> None:
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.is_over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posted.append((self.path, headers, body))
                if self.path == "/hangs":
                    receiver.is_over.wait()
                    return
                if self.path == "/drips":
                    receiver.drip(self.wfile)
                    return
                if self.path == "/slow":
                    receiver.is_over.wait(1)
                self.send_response({"/taken": 204, "/slow": 204, "/redirects": 302}.get(self.path, 500))
                if self.path == "/redirects":
                    self.send_header("Location", redirect_to)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def drip(self, out: BufferedIOBase) -> None:
        """Answer a byte at a time, for as long as somebody listens."""
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 204 No Content\r\n" + b"X-Wait: a little longer\r\n" * 1_000:
                out.write(bytes([byte]))
                out.flush()
                if self.is_over.wait(0.05):
                    return

    def taken(self) -> list[bytes]:
        """Return the bodies that were taken."""
        return [body for path, _, body in self.posted if path in ("/taken", "/slow")]
