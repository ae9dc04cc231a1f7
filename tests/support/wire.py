"""A publication's server on loopback and a client that keeps nothing: no cookie, no redirect, no referrer."""

import http.client
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.server import Server

Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Answered:
    """A server's answer; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Wire:
    """Sends requests to one server, each over a connection of its own."""

    port: int

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}) -> Answered:
        """Send one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
            content = answer.read().decode("utf-8", "replace")
            return Answered(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, content
            )
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answered:
        """Get a page."""
        return self.ask("GET", path, headers=headers)

    def post(
        self, path: str, fields: Fields, *, multipart: bool = False, headers: Mapping[str, str] = {}
    ) -> Answered:
        """Send a form, urlencoded or as multipart."""
        pairs = [
            (name, value)
            for name, given in fields.items()
            for value in ([given] if isinstance(given, str) else given)
        ]
        if multipart:
            parts = [
                f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in pairs
            ]
            body, kind = "".join([*parts, "--part--\r\n"]).encode(), "multipart/form-data; boundary=part"
        else:
            body, kind = urllib.parse.urlencode(pairs).encode(), "application/x-www-form-urlencoded"
        return self.ask("POST", path, body, {"Content-Type": kind, **headers})


@contextmanager
def serving(readers: Readers, **options: Any) -> Iterator[Wire]:
    """Serve the pages of a publication; a form may be sent at once."""
    app = create_app(readers, readers.settings, **{"quickest": timedelta(), **options})
    server = Server(app, "127.0.0.1", 0)
    server.start()
    try:
        yield Wire(server.port)
    finally:
        server.stop()
