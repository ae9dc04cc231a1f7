"""Fetching over http: no private address is ever dialled, and no answer can hold or fill us."""

import contextlib
import functools
import gzip
import socket
import ssl
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import brotli
import httpcore2
import pytest
import trustme

from digest.errors import Busy, DigestError, InputError, Unreachable
from digest.net import http as module
from digest.net.host_spacing import HostSpacing
from digest.net.hosts import is_public
from digest.net.http import fetch
from tests.support.websites import Website, page

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.fixture
def site() -> Any:
    with Website(feed=page(b"<rss/>", ETag='"v1"', Last_Modified="Mon, 23 Nov 2026 07:00:00 GMT")) as site:
        yield site


def test_an_answer_comes_with_what_the_next_request_needs(site: Website) -> None:
    fetched = fetch(f"{site.url}/feed", allow_private=True)

    assert (fetched.status, fetched.content) == (200, b"<rss/>")
    assert (fetched.etag, fetched.last_modified) == ('"v1"', "Mon, 23 Nov 2026 07:00:00 GMT")


def test_what_is_known_is_asked_for_only_where_it_changed(site: Website) -> None:
    site.pages["/feed"] = page(b"", 304)
    fetched = fetch(
        f"{site.url}/feed", etag='"v1"', last_modified="Mon, 23 Nov 2026 07:00:00 GMT", allow_private=True
    )

    assert fetched.status == 304
    ((_, headers),) = site.requests
    assert headers["if-none-match"] == '"v1"'
    assert headers["if-modified-since"] == "Mon, 23 Nov 2026 07:00:00 GMT"


def test_a_header_value_that_a_server_made_up_is_not_sent_back(site: Website) -> None:
    fetch(f"{site.url}/feed", etag='"v1"\r\nX: y', allow_private=True)
    ((_, headers),) = site.requests
    assert "if-none-match" not in headers
    assert "x" not in headers


PRIVATE = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1",
    "0177.0.0.1", "017700000001", "0", "0.0.0.0", "00.00.00.00", "localhost", "LOCALHOST", "localhost.",
    "127.0.0.1.", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
    "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]", "[::ffff:10.0.0.1]", "10.0.0.1",
    "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
    "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "1.0.0.127.in-addr.arpa.invalid", "①②⑦.⓪.⓪.①", "127。0。0。1", "127%2e0%2e0%2e1",
    "user@127.0.0.1", "example.com@127.0.0.1", "127.0.0.1#@example.com", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]", "ⓛocalhost",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_address_is_never_dialled_however_it_is_written(host: str, site: Website) -> None:
    with pytest.raises(DigestError):
        fetch(f"http://{host}:{site.port}/feed", timeout=3)
    assert site.requests == []


def test_a_redirect_to_a_private_address_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Website("127.0.0.2", feed=page(b"inside")) as inside:
        monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.1")
        with Website(feed=page(b"", 302, Location=f"{inside.url}/feed")) as outside:
            with pytest.raises(InputError, match="only public addresses are fetched"):
                fetch(f"{outside.url}/feed")
            assert len(outside.requests) == 1
        assert inside.requests == []


def test_a_permission_for_a_private_address_is_for_its_host_and_port_alone(site: Website) -> None:
    with Website(feed=page(b"<rss/>")) as other:
        site.pages["/away"] = page(b"", 301, Location=f"{other.url}/feed")
        with pytest.raises(InputError, match="with allow_private = true"):
            fetch(f"{site.url}/away", allow_private=True)
        with pytest.raises(InputError, match=f":{other.port}/feed.*private address"):
            fetch(f"{other.url}/feed", private_origin=f"{site.url}/anything")
        assert other.requests == []

    assert fetch(f"{site.url}/feed", private_origin=f"{site.url}/").status == 200


def test_the_address_that_was_checked_is_the_one_that_is_dialled(
    site: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes its answer between check and use (DNS rebinding) gains nothing."""
    asked = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    dialled: list[str] = []

    class Backend:
        def connect_tcp(self, host: str, *_: Any) -> Any:
            dialled.append(host)
            raise httpcore2.ConnectError("not in a test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(httpcore2, "SyncBackend", Backend)
    with pytest.raises(Unreachable):
        fetch(f"http://rebinding.example:{site.port}/feed")

    assert asked == ["rebinding.example"]
    assert dialled == ["93.184.216.34"]


def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(InputError, match="private address"):
        fetch("http://mixed.example/feed")


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["3fff::1", "3fff:fff:ffff::1", "5f00::1", "2001:db8::1", "fec0::1", "64:ff9b:1::1"]
)
def test_addresses_for_documents_and_within_networks_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://x/", "ftp://x/", "//x/", "http://", "feed", "http://[::1"]
)
def test_only_http_and_https_are_fetched(url: str) -> None:
    with pytest.raises(InputError, match=r"not an http or https address|the address"):
        fetch(url, allow_private=True)


def test_a_redirect_to_another_scheme_is_not_followed(site: Website) -> None:
    site.pages["/feed"] = page(b"", 302, Location="file:///etc/passwd")
    with pytest.raises(InputError, match="not an http or https address"):
        fetch(f"{site.url}/feed", allow_private=True)


def test_redirects_are_followed_to_where_they_lead_and_no_further_than_five(site: Website) -> None:
    site.pages["/old"] = page(b"", 301, Location="/feed")
    assert fetch(f"{site.url}/old", allow_private=True).url == f"{site.url}/feed"

    site.pages["/loop"] = page(b"", 302, Location="/loop")
    with pytest.raises(InputError, match="more than 5 redirects"):
        fetch(f"{site.url}/loop", allow_private=True)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, InputError), (410, InputError), (500, Unreachable), (503, Unreachable), (429, Unreachable)],
)
def test_a_refusal_tells_what_may_mend_itself(site: Website, status: int, error: type[DigestError]) -> None:
    site.pages["/feed"] = page(b"no", status)
    with pytest.raises(error, match=str(status)):
        fetch(f"{site.url}/feed", allow_private=True)


def test_an_error_shows_no_password_and_no_query(site: Website) -> None:
    with pytest.raises(InputError) as error:
        fetch(f"http://ann:hush@127.0.0.1:{site.port}/gone?key=hush", allow_private=True)
    assert "hush" not in str(error.value)


def test_an_answer_that_is_too_large_is_refused(site: Website) -> None:
    site.pages["/feed"] = page(b"x" * 2_000_000)
    with pytest.raises(InputError, match="larger than 1,000,000 bytes"):
        fetch(f"{site.url}/feed", allow_private=True, max_bytes=1_000_000)


def test_a_packed_answer_counts_by_its_unpacked_size(site: Website) -> None:
    site.pages["/feed"] = page(gzip.compress(b"x" * 50_000_000), Content_Encoding="gzip")
    began = time.monotonic()
    with pytest.raises(InputError, match="larger than 1,000,000 bytes"):
        fetch(f"{site.url}/feed", allow_private=True, max_bytes=1_000_000)
    assert time.monotonic() - began < 20


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": functools.partial(brotli.compress, quality=4),  # the best quality takes half a minute for a bomb
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_packing_that_is_asked_for_is_unpacked(site: Website, packing: str) -> None:
    site.pages["/feed"] = page(PACKINGS[packing](b"<rss/>"), Content_Encoding=packing)
    assert fetch(f"{site.url}/feed", allow_private=True).content == b"<rss/>"
    ((_, headers),) = site.requests
    assert packing in headers["accept-encoding"]


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_bomb_is_refused_early_and_small(site: Website, packing: str) -> None:
    bomb = PACKINGS[packing](bytes(1_000_000_000 if packing in ("br", "zstd") else 300_000_000))
    site.pages["/feed"] = page(bomb, Content_Encoding=packing)
    tracemalloc.start()
    with pytest.raises(InputError, match="larger than 10,000,000 bytes"):
        fetch(f"{site.url}/feed", allow_private=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


@pytest.mark.parametrize("packing", ["x-gzip", "identity"])
def test_a_feed_in_a_gzip_file_or_under_gzips_old_name_is_unpacked(site: Website, packing: str) -> None:
    site.pages["/feed"] = page(gzip.compress(b"<rss>") + gzip.compress(b"</rss>"), Content_Encoding=packing)
    assert fetch(f"{site.url}/feed", allow_private=True).content == b"<rss></rss>"

    site.pages["/feed"] = page(gzip.compress(bytes(50_000_000)), Content_Encoding=packing)
    with pytest.raises(InputError, match="larger than 1,000,000 bytes"):
        fetch(f"{site.url}/feed", allow_private=True, max_bytes=1_000_000)


def test_very_many_parts_of_a_gzip_file_take_no_time(site: Website) -> None:
    site.pages["/feed"] = page(gzip.compress(b"<rss/>") + gzip.compress(b"") * 400_000)
    assert fetch(f"{site.url}/feed", allow_private=True).content == b"<rss/>"


@pytest.mark.parametrize("packing", ["gzip", "br", "zstd", "deflate"])
def test_a_packing_that_is_broken_is_tried_again_later(site: Website, packing: str) -> None:
    site.pages["/feed"] = page(b"not packed at all", Content_Encoding=packing)
    with pytest.raises(Unreachable):
        fetch(f"{site.url}/feed", allow_private=True)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_plain_feed_that_is_declared_as_packed_is_read(site: Website, packing: str) -> None:
    site.pages["/feed"] = page(b"\n<rss/>", Content_Encoding=packing)
    assert fetch(f"{site.url}/feed", allow_private=True).content == b"\n<rss/>"
    assert site.requests[-1][1]["accept-encoding"] == "identity"


def test_a_cookie_that_a_redirect_sets_is_sent_where_it_leads(site: Website) -> None:
    def feed(request: BaseHTTPRequestHandler) -> None:
        known = request.headers.get("Cookie") == "seen=1"
        answer = page(b"<rss/>") if known else page(b"", 302, Location="/feed", Set_Cookie="seen=1; Path=/")
        answer(request)

    site.pages["/feed"] = feed
    assert fetch(f"{site.url}/feed", allow_private=True).content == b"<rss/>"
    assert "cookie" not in site.requests[0][1]
    fetch(f"{site.url}/feed", allow_private=True)
    assert "cookie" not in site.requests[2][1]  # nothing is kept from one fetch to the next


def test_a_permanent_redirect_says_where_to_go_from_now_on(site: Website) -> None:
    site.pages["/old"] = page(b"", 301, Location="/older")
    site.pages["/older"] = page(b"", 308, Location="/feed")
    assert fetch(f"{site.url}/old", allow_private=True).moved_to == f"{site.url}/feed"
    assert fetch(f"{site.url}/feed", allow_private=True).moved_to is None


@pytest.mark.parametrize("status", [403, 429, 503])
def test_who_is_busy_says_for_how_long(site: Website, status: int) -> None:
    site.pages["/feed"] = page(b"", status, Retry_After="120")
    with pytest.raises(Busy) as busy:
        fetch(f"{site.url}/feed", allow_private=True)
    assert busy.value.retry_after == "120"


def test_a_host_that_asks_to_be_left_alone_is_not_asked_for_its_other_pages(site: Website) -> None:
    turns = HostSpacing(0)
    site.pages["/busy"] = page(b"", 429, Retry_After="120")
    with pytest.raises(Busy):
        fetch(f"{site.url}/busy", allow_private=True, turns=turns)
    with pytest.raises(Busy, match="not requested again") as busy:
        fetch(f"{site.url}/feed", allow_private=True, turns=turns)
    assert busy.value.retry_after == "120"
    assert [path for path, _ in site.requests] == ["/busy"]
    assert fetch(f"{site.url}/feed", allow_private=True, turns=HostSpacing(0)).status == 200


def test_the_second_request_to_a_host_waits_and_one_to_another_does_not() -> None:
    waited: list[float] = []
    turns = HostSpacing(1.0, waited.append)
    for host in ("a.example", "b.example", "a.example"):
        with turns.at(host):
            pass
    (seconds,) = waited
    assert 0.9 < seconds <= 1.0


def test_an_answer_that_drips_in_is_given_up_when_the_time_is_up(site: Website) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(300):
            request.wfile.write(b"x")
            time.sleep(0.1)

    site.pages["/feed"] = drip
    began = time.monotonic()
    with pytest.raises(Unreachable):
        fetch(f"{site.url}/feed", allow_private=True, timeout=1)
    assert time.monotonic() - began < 20


@contextlib.contextmanager
def speaking(with_client: Callable[[socket.socket], object]) -> Iterator[str]:
    """Serve one connection on loopback, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def serve() -> None:
            with contextlib.suppress(OSError), listening.accept()[0] as client:
                client.settimeout(20)
                with_client(client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(20)


def wrap_unknown(client: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    context.wrap_socket(client, server_side=True)


@pytest.mark.parametrize(
    ("scheme", "with_client", "why"),
    [
        (
            "http",
            lambda client: client.recv(1) and client.recv(100_000) and client.recv(1),
            "it takes too long",
        ),
        ("http", lambda client: client.recv(100_000), "it breaks off"),
        ("https", wrap_unknown, "its certificate is not valid"),
    ],
    ids=["silent", "gone", "unknown authority"],
)
def test_why_nothing_came_is_said_in_words(
    scheme: str, with_client: Callable[[socket.socket], object], why: str
) -> None:
    with speaking(with_client) as host, pytest.raises(Unreachable, match=f"does not answer: {why}$"):
        fetch(f"{scheme}://{host}/feed", allow_private=True, timeout=2)


def test_a_closed_port_and_an_unknown_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable, match=r"does not answer: it takes no connection$"):
        fetch("http://127.0.0.1:1/feed", allow_private=True)

    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match=r"does not answer: the name cannot be resolved$"):
        fetch("http://nowhere.example/feed")
