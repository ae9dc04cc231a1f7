"""Encrypted connections to a relay, each against a real server that speaks TLS."""

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from digest.models import Outcome, Stage
from digest.net.smtp import Channel, Connection, Relay, Timeouts, open_connection
from digest.net.smtp.tls import tls_context

EHLO_REPLY = b"250-relay.example\r\n250 PIPELINING\r\n"
Talk = Callable[[ssl.SSLSocket], None]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def answers(wire: ssl.SSLSocket) -> None:
    """Greet, and answer every line until the client leaves."""
    wire.sendall(b"220 relay.example ESMTP\r\n")
    while received := wire.recv(65_536):
        wire.sendall(EHLO_REPLY if received.startswith(b"EHLO") else b"250 2.0.0 Ok\r\n")


@contextmanager
def server(
    authority: trustme.CA, talk: Talk = answers, version: ssl.TLSVersion | None = None
) -> Iterator[int]:
    """Serve connections one after another, at a port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if version is not None:
        context.maximum_version = version
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener is closed, or the client has left
                while True:
                    plain, _ = listener.accept()
                    plain.settimeout(20)
                    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as wire:
                        talk(wire)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(20)


def connect(port: int, ca_file: Path, seconds: float = 10) -> Connection | Outcome:
    """Open a connection to a server that speaks TLS from its first byte."""
    timeouts = Timeouts(seconds, seconds, seconds, seconds, seconds, seconds)
    return open_connection(Relay("127.0.0.1", port, "tls", ca_file=str(ca_file), timeouts=timeouts))


def opened(port: int, ca_file: Path) -> ssl.SSLSocket:
    """Open a connection that must succeed, and give its socket."""
    connection = connect(port, ca_file)
    assert isinstance(connection, Connection), connection
    wire = connection.detach()
    assert isinstance(wire, ssl.SSLSocket)
    return wire


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_every_connection_after_the_first_resumes_its_session(
    authority: trustme.CA, ca_file: Path, version: ssl.TLSVersion
) -> None:
    with server(authority, version=version) as port:
        resumed = []
        for _ in range(4):
            with contextlib.closing(opened(port, ca_file)) as wire:
                resumed.append(wire.session_reused)
                assert wire.version() == version.name.replace("_", ".")
    assert resumed == [False, True, True, True]


def test_a_session_is_resumed_with_the_server_that_gave_it_only(authority: trustme.CA, ca_file: Path) -> None:
    with server(authority) as first, server(authority) as second:
        opened(first, ca_file).close()
        with contextlib.closing(opened(second, ca_file)) as wire:
            assert not wire.session_reused


def test_a_server_that_has_forgotten_the_session_is_asked_for_its_certificate(
    authority: trustme.CA, ca_file: Path
) -> None:
    with server(authority) as port:
        opened(port, ca_file).close()
        known = tls_context(str(ca_file))
        session = known._sessions["127.0.0.1", port]
    with server(authority) as port:
        known._sessions["127.0.0.1", port] = session
        with contextlib.closing(opened(port, ca_file)) as wire:
            assert not wire.session_reused
            assert wire.getpeercert()


def test_authorities_are_read_once_and_again_when_their_file_has_changed(
    authority: trustme.CA, ca_file: Path
) -> None:
    first = tls_context(str(ca_file))
    assert tls_context(str(ca_file)) is first
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    assert tls_context(str(ca_file)) is not first
    with server(authority) as port:
        refused = connect(port, ca_file)
    assert isinstance(refused, Outcome)
    assert refused.stage is Stage.STARTTLS
    assert "certificate" in refused.fault


def test_the_systems_authorities_are_read_once() -> None:
    assert tls_context(None) is tls_context(None)


def test_a_message_arrives_whole_however_slowly_the_server_takes_it(
    authority: trustme.CA, ca_file: Path
) -> None:
    pieces = [bytes([n % 251]) * (1_000 * n) for n in range(1, 90)]  # 4 MB, more than buffers hold
    heard = bytearray()

    def takes_its_time(wire: ssl.SSLSocket) -> None:
        wire.sendall(b"220 relay.example ESMTP\r\n")
        wire.recv(4_096)
        wire.sendall(EHLO_REPLY)
        time.sleep(0.3)
        while len(heard) < sum(map(len, pieces)):
            heard.extend(wire.recv(16_384))
        wire.sendall(b"250 2.0.0 Ok\r\n" * 3)
        wire.recv(4_096)

    with server(authority, takes_its_time) as port:
        connection = connect(port, ca_file)
        assert isinstance(connection, Connection), connection
        channel, replies, held = Channel(connection), 0, False
        channel.write(pieces)
        held = channel.unsent > 0
        selector, end = selectors.DefaultSelector(), time.monotonic() + 20
        selector.register(channel, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while replies < 3 and time.monotonic() < end:
            for _, events in selector.select(1):
                if events & selectors.EVENT_WRITE:
                    channel.flush()
                    assert channel.sent + channel.unsent == sum(map(len, pieces))
                if not channel.unsent:
                    selector.modify(channel, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    replies += len(channel.receive())
        assert held
        assert (replies, channel.unsent, channel.fault) == (3, 0, "")
        channel.close(politely=True)
    assert bytes(heard) == b"".join(pieces)


def test_a_handshake_ends_in_time_however_the_server_spreads_its_bytes(ca_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drips() -> None:
            plain, _ = listener.accept()
            with plain, contextlib.suppress(OSError):
                for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * 200:
                    plain.sendall(bytes([byte]))
                    time.sleep(0.05)

        thread = threading.Thread(target=drips, daemon=True)
        thread.start()
        began = time.monotonic()
        failed = connect(int(listener.getsockname()[1]), ca_file, seconds=0.5)
        took = time.monotonic() - began
    thread.join(20)
    assert isinstance(failed, Outcome)
    assert failed.fault == "TLS failed (timed out)"
    assert took < 3


def test_an_end_without_goodbye_is_an_end(authority: trustme.CA, ca_file: Path) -> None:
    def hangs_up(wire: ssl.SSLSocket) -> None:
        wire.sendall(b"220 relay.example ESMTP\r\n")
        wire.recv(4_096)
        wire.sendall(EHLO_REPLY)

    with server(authority, hangs_up) as port, contextlib.closing(opened(port, ca_file)) as wire:
        assert wire.recv(4_096) == b""
