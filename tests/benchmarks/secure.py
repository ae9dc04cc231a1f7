"""A sink that may speak TLS, which Postfix's does not: it takes messages as fast as it can and keeps none."""

import multiprocessing
import selectors
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import trustme

from tests.benchmarks.relays import Sink

_END = b"\r\n.\r\n"
_REPLIES = {
    b"EHLO": b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n",
    b"DATA": b"354 go\r\n",
}


@dataclass(slots=True)
class _Session:
    wire: socket.socket
    unread: bytes = b""
    is_content: bool = False

    def take(self, received: bytes) -> bytes:
        """Buffer bytes and return the replies to the complete lines."""
        replies = []
        self.unread += received
        while True:
            if self.is_content:
                end = self.unread.find(_END)
                if end < 0:
                    self.unread = self.unread[-len(_END) :]
                    break
                self.unread, self.is_content = self.unread[end + len(_END) :], False
                replies.append(b"250 2.0.0 Ok\r\n")
                continue
            line, found, rest = self.unread.partition(b"\r\n")
            if not found:
                break
            self.unread, self.is_content = rest, line == b"DATA"
            replies.append(_REPLIES.get(line[:4], b"250 2.0.0 Ok\r\n"))
        return b"".join(replies)


def _serve(certificate: str, told: Connection) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
    if context is not None:
        context.load_cert_chain(certificate)
        context.num_tickets = 0  # a client that only waits for replies would take one for a reply
    listener = socket.create_server(("127.0.0.1", 0))
    told.send(listener.getsockname()[1])
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                wire, _ = listener.accept()
                wire = context.wrap_socket(wire, server_side=True) if context else wire
                wire.sendall(b"220 sink.example ESMTP\r\n")
                wire.setblocking(False)
                selector.register(wire, selectors.EVENT_READ, _Session(wire))
            elif not _hear(key.data):
                selector.unregister(key.fileobj)
                key.data.wire.close()


def _hear(session: _Session) -> bool:
    """Read what is there and answer it; tell whether the client is still there."""
    try:
        while received := session.wire.recv(262_144):
            replies = session.take(received)
            if replies:
                session.wire.send(replies)
    except (ssl.SSLWantReadError, BlockingIOError):
        return True
    except OSError:
        return False
    return False


@contextmanager
def secure_sink(*, encrypts: bool = True) -> Iterator[tuple[Sink, Path | None]]:
    """Run the sink for as long as it is needed; give it, and the file of who vouches for it, if any does."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        vouches, certificate = Path(folder) / "ca.pem", Path(folder) / "sink.pem"
        authority.cert_pem.write_to_path(str(vouches))
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(str(certificate) if encrypts else "", there), daemon=True
        )
        process.start()
        try:
            yield Sink(int(here.recv()), process.pid or 0), vouches if encrypts else None
        finally:
            process.kill()
            process.join()
