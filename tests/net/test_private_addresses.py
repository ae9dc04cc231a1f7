"""No spelling of a private address, given, redirected to or resolved, opens one connection to what listens there."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from digest.errors import DigestError
from digest.net import http as module
from digest.net.hosts import is_public
from digest.net.http import fetch
from tests.support.websites import Website, page

OUTSIDE = "127.0.0.3"
SPELLINGS = [
    # as it is, short, and with dots behind
    "127.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "127.1.", "127.0.0.2", "127.255.255.254", "0", "0.0.0.0", "00.00.00.00",
    # one number, octal, hexadecimal, mixed, padded, too large
    "2130706433", "017700000001", "0x7f000001", "0x7F.1", "0177.1", "0x7f.0.0.0x1", "0177.0x0.0.1", "00000177.0.0.01", "0x0000007f.1", "127.0x1", "6425673729",
    # as percent codes, full-width, circled and other digits, ideographic dots
    "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "１２７.0.0.1", "127。0。0。1", "127｡0｡0｡1", "127．0．0．1", "①②⑦.⓪.⓪.①", "१२७.0.0.1", "𝟙𝟚𝟟.0.0.1",
    # a name or a sign in front of or behind it
    "user@127.0.0.1", "example.com@127.0.0.1", "example.com:80@127.0.0.1", "127.0.0.1#@example.com", "127.0.0.1?@example.com", "127.0.0.1\\@example.com", "a:b@c@127.0.0.1",
    # IPv6: loopback, mapped, compatible, translated, 6to4, Teredo, with a zone
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000:0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "[::7f00:1]",
    "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]", "[2001:0:7f00:1::]",
    "[2001:0:0:0:0:0:80ff:fffe]", "[::1%25lo]", "[::1%lo]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]",
    # names
    "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "a.localhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌocalhost", "locaLho\u017ft",
    # other networks: at home, of carriers, of clouds, for documents and tests, many at once
    "10.0.0.1", "10.255.255.255", "0xa000001", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1", "3232235521", "169.254.169.254", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]", "100.64.0.1", "100.127.255.255", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
]  # fmt: skip


class Listener:
    """Takes connections on several addresses of this machine at one port, and counts them."""

    def __init__(self, *addresses: str) -> None:
        self.count = 0
        self._sockets: list[socket.socket] = []
        self.port = 0
        for address in addresses:
            with contextlib.suppress(OSError):  # a machine may have no IPv6
                self._listen(address)
        self._threads = [threading.Thread(target=self._take, args=(one,)) for one in self._sockets]

    def _listen(self, address: str) -> None:
        listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, self.port))
        listening.listen()
        listening.settimeout(0.05)
        self.port = self.port or listening.getsockname()[1]
        self._sockets.append(listening)

    def _take(self, listening: socket.socket) -> None:
        while not self._is_over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listening.accept()
                self.count += 1
                connection.close()

    def __enter__(self) -> "Listener":
        self._is_over = threading.Event()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(10)
        for listening in self._sockets:
            listening.close()


@pytest.fixture(scope="module")
def inside() -> Iterator[Listener]:
    with Listener("127.0.0.1", "127.0.0.2", "127.0.1.1", "::1") as inside:
        yield inside


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Website]:
    """One loopback address stands for the public internet; all others are judged as they are."""
    monkeypatch.setattr(module, "is_public", lambda address: address == OUTSIDE or is_public(address))
    with Website(OUTSIDE) as outside:
        yield outside


def test_the_listener_counts(inside: Listener) -> None:
    before = inside.count
    with socket.create_connection(("127.0.0.1", inside.port), timeout=5) as connection:
        connection.recv(1)
    assert inside.count == before + 1


@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_no_spelling_is_dialled(scheme: str, inside: Listener) -> None:
    before = inside.count
    for host in SPELLINGS:
        with pytest.raises(DigestError):
            fetch(f"{scheme}://{host}:{inside.port}/feed", timeout=2)
    assert inside.count == before
    assert len(set(SPELLINGS)) > 90


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_there(status: int, inside: Listener, outside: Website) -> None:
    before = inside.count
    for number, host in enumerate(SPELLINGS):
        # A header is Latin-1; what is not is left as servers send it, in bytes of UTF-8.
        target = f"//{host}:{inside.port}/feed".encode().decode("latin-1")
        outside.pages[f"/{number}"] = page(b"", status, Location=("http:" if number % 2 else "") + target)
        with pytest.raises(DigestError):
            fetch(f"{outside.url}/{number}", timeout=2)
    assert inside.count == before
    assert len(outside.requests) == len(SPELLINGS)


def test_no_name_that_turns_private_between_two_hops_is_dialled(
    inside: Listener, outside: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        if host != "turning.example":
            return list(real(host, port, *rest, **named))
        asked.append(host)
        address = OUTSIDE if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    before = inside.count
    outside.pages["/a"] = page(b"", 302, Location=f"http://turning.example:{inside.port}/b")
    with pytest.raises(DigestError, match="only public addresses are fetched"):
        fetch(f"http://turning.example:{outside.port}/a", timeout=2)
    assert (len(asked), inside.count) == (2, before)


@pytest.mark.parametrize(
    "order", [("93.184.216.34", "127.0.0.1"), ("127.0.0.1", "93.184.216.34"), ("::1", "93.184.216.34")]
)
def test_a_name_that_has_a_private_address_among_others_is_not_dialled(
    order: tuple[str, str], inside: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, inside.port)) for address in order]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    before = inside.count
    with pytest.raises(DigestError, match="only public addresses are fetched"):
        fetch(f"http://mixed.example:{inside.port}/", timeout=2)
    assert inside.count == before


def test_no_proxy_of_the_environment_is_used(inside: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{inside.port}")
    before = inside.count
    with pytest.raises(DigestError):
        fetch("http://192.0.2.1/feed", timeout=2)
    assert inside.count == before
