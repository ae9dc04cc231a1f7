"""A web server on loopback that answers as it is told and remembers who asked."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = Callable[[BaseHTTPRequestHandler], None]


def page(content: bytes, status: int = 200, **headers: str) -> Answer:
    """Answer with this content; header names are written with _ for -."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    return answer


class Website:
    """Pages by path; `requests` holds (path, headers) of each request, `most_at_once` how many met.

    A request counts until its answer begins: after that the client may ask again before the server knows.
    """

    def __init__(self, host: str = "127.0.0.1", *, port: int = 0, **pages: Answer) -> None:
        self.pages = {f"/{name}": answer for name, answer in pages.items()}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.most_at_once = 0
        self._open, self._guard = 0, threading.Lock()
        website = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                website.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                with website.counting() as self.answers, contextlib.suppress(OSError):  # a client may go
                    website.pages.get(self.path, page(b"not here", 404))(self)

            def end_headers(self) -> None:
                self.answers()
                super().end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"

    @contextlib.contextmanager
    def counting(self) -> Iterator[Callable[[], None]]:
        """Count the requests that wait for an answer at the same time; what is yielded ends one's wait."""
        waits = True

        def end() -> None:
            nonlocal waits
            with self._guard:
                self._open -= waits
                waits = False

        with self._guard:
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            yield end
        finally:
            end()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
