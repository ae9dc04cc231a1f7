"""Requests that no browser sends: half, slow, endless, forged, unreadable."""

import asyncio
import contextlib
import logging
import select as readiness
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as trial
from hypothesis import strategies as st
from sqlmodel import select
from starlette.formparsers import FormParser
from starlette.routing import Route

from digest.models import ConsentEvent
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.connections import BoundedListener, ConnectionLimits
from digest.web.server import LogLimit, Server
from digest.web.shared.guard import LargeBodies
from tests.support.readers import Clock, link, sign_up, sign_up_and_confirm, snapshot

ANNA = {"digest": "world", "address": "anna@example.org", "cadence": "weekly", "consent": "yes"}
HALF = b"GET / HTTP/1.1\r\nHost: courier.example\r\n"


@pytest.fixture
def client(readers: Readers) -> Iterator[TestClient]:
    app = create_app(readers, readers.settings, now=Clock())
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@contextlib.contextmanager
def served(readers: Readers, limits: ConnectionLimits) -> Iterator[Server]:
    server = Server(create_app(readers, readers.settings), "127.0.0.1", 0, limits)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def opened(server: Server, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), 10)
    with contextlib.suppress(OSError):
        connection.sendall(sent)
    return connection


def ending(connection: socket.socket) -> bytes:
    """Read until the server closes; a reset is an end too."""
    with contextlib.suppress(ConnectionError):
        return b"".join(iter(lambda: connection.recv(4096), b""))
    return b""


def test_half_requests_of_one_client_are_few_and_end_and_others_are_served(readers: Readers) -> None:
    with served(readers, ConnectionLimits(per_client=10, head=0.5)) as server:
        held = [opened(server, HALF) for _ in range(40)]
        assert [ending(one) for one in held] == [b""] * 40
        with urllib.request.urlopen(f"{server.url}/health") as answer:
            assert answer.status == 200
        for one in held:
            one.close()


def test_who_comes_while_hundreds_wait_need_not_come_again(readers: Readers) -> None:
    """A connection for which the queue has no place is dropped, and its client tries again a second later."""
    is_busy = threading.Event()

    async def busy(_scope: Any, _receive: Any, _send: Any) -> None:
        is_busy.set()
        time.sleep(2)

    server = Server(busy, "127.0.0.1", 0, ConnectionLimits(per_client=10, head=0.5))
    server.start()
    try:
        with opened(server, HALF + b"\r\n"), contextlib.ExitStack() as waiting:
            assert is_busy.wait(10)
            for _ in range(500):
                waiting.enter_context(socket.create_connection(("127.0.0.1", server.port), 0.9))
    finally:
        server.stop()


def test_a_connection_beyond_a_limit_is_closed_as_it_is_accepted() -> None:
    limits = ConnectionLimits(per_client=1)
    with BoundedListener(socket.create_server(("127.0.0.1", 0)), limits) as listening:
        listening.setblocking(False)
        with contextlib.ExitStack() as stack:
            first, second = (
                stack.enter_context(socket.create_connection(listening.getsockname(), 10)) for _ in "12"
            )
            connection, address = listening.accept()
            stack.enter_context(connection)
            assert address == first.getsockname()
            assert limits.admit(address[0])
            with pytest.raises(BlockingIOError):
                listening.accept()
            assert ending(second) == b""


@pytest.mark.parametrize("path", ["/subscribe", "/desk/login", "/desk/world/weekly/2026-W10/shape"])
@pytest.mark.parametrize("field", ["", "a=x", "="])
def test_a_form_of_thousands_of_fields_is_refused_before_it_is_parsed(
    client: TestClient, path: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(*_: Any) -> None:
        raise AssertionError("this form was parsed, in the loop that serves everybody")

    monkeypatch.setattr(FormParser, "parse", parse)
    body = "&".join([field] * 10_000)
    form = {"Content-Type": "Application/X-WWW-Form-urlencoded; charset=utf-8"}
    assert client.post(path, content=body, headers=form).status_code == 413


def test_a_body_that_drips_is_cut_off_and_changes_nothing(readers: Readers) -> None:
    head = b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\ndigest=world"
    with served(readers, ConnectionLimits(body=0.3)) as server:
        dripping = opened(server, head)
        assert ending(dripping) == b""
        dripping.close()
    assert snapshot(readers) == []


HELD = b"POST /api/v1/articles HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n" + b"x" * 499_000


def test_large_bodies_that_never_end_are_few_and_smaller_ones_are_read_beside_them(readers: Readers) -> None:
    """Who sends one to the desk or the API is known only when it has arrived."""
    with served(readers, ConnectionLimits()) as server:
        held = [opened(server, HELD) for _ in range(30)]
        form = urlencode({"email": "", "filler": "x" * 60_000}).encode()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{server.url}/subscribe", form)
        with refused.value:
            assert refused.value.code == 400
        for one in held:
            one.settimeout(0.5)
        said = [one.recv(100)[9:12] for one in held if readiness.select([one], [], [], 0.5)[0]]
        assert set(said) == {b"503"}
        assert len(said) >= 20
        for one in held:
            one.close()


def test_a_large_body_is_counted_until_it_is_answered() -> None:
    bodies = LargeBodies(most=100, per_client=60)

    assert bodies.take("192.0.2.1", 60)
    assert not bodies.take("192.0.2.1", 1), "of one client"
    assert bodies.take("192.0.2.2", 40)
    assert not bodies.take("192.0.2.3", 1), "in all"
    bodies.release("192.0.2.1", 60)
    assert bodies.take("192.0.2.3", 60)
    assert "192.0.2.1" not in bodies.held


def test_a_request_to_look_has_no_large_body(client: TestClient) -> None:
    assert client.request("GET", "/api/v1/articles", content=b"x" * 70_000).status_code == 413
    assert client.request("GET", "/desk/readers/import", content=b"x" * 70_000).status_code == 413


def test_a_body_over_a_slow_line_is_waited_for_while_it_comes(readers: Readers) -> None:
    """A picture of 12 MB takes a phone a minute."""
    body = b"email=&filler=" + b"x" * 3_000
    head = f"POST /subscribe HTTP/1.1\r\nHost: a.example\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    with served(readers, ConnectionLimits(body=0.3, slowest=2_000)) as server:
        slow = opened(server, head.encode())
        for piece in range(0, len(body), 300):
            slow.sendall(body[piece : piece + 300])
            time.sleep(0.1)
        assert slow.recv(12) == b"HTTP/1.1 400"
        slow.close()


def test_a_trusted_proxy_is_not_counted_as_one_client() -> None:
    limits = ConnectionLimits(most=5, per_client=1, trusted=(ip_network("10.0.0.0/8"),))

    assert [limits.admit("10.0.0.2") for _ in range(4)] == [True] * 4
    assert limits.admit("192.0.2.1")
    assert not limits.admit("192.0.2.2"), "all connections are counted"
    limits.release("10.0.0.2")
    assert not limits.admit("192.0.2.1"), "those of one client are counted"
    assert limits.admit("192.0.2.2")


def test_the_addresses_of_one_ipv6_network_are_one_client() -> None:
    limits = ConnectionLimits(most=5, per_client=2)

    assert limits.admit("2001:db8:0:1::1")
    assert limits.admit("2001:db8:0:1::2")
    assert not limits.admit("2001:db8:0:1:ffff::3")
    assert limits.admit("2001:db8:0:100::1"), "another network is another client"
    limits.release("2001:db8:0:1::2")
    assert limits.admit("2001:db8:0:1::4")
    assert [limits.admit(f"::ffff:192.0.2.{last}") for last in (1, 2)] == [True, True], "which is IPv4"


@pytest.mark.parametrize(
    "sent",
    [b"no HTTP at all\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n"],
)
def test_what_is_no_request_is_answered_with_our_headers(readers: Readers, sent: bytes) -> None:
    with served(readers, ConnectionLimits()) as server, opened(server, sent) as one:
        head, _, said = ending(one).partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")

    assert lines[0] == "http/1.1 400 bad request"
    assert {"x-content-type-options: nosniff", "x-frame-options: deny", "cache-control: no-store"} < set(
        lines
    )
    assert any(line.startswith("content-security-policy: default-src 'none'") for line in lines)
    assert f"content-length: {len(said)}" in lines


def test_no_connection_is_counted_twice_or_forgotten(readers: Readers) -> None:
    limits = ConnectionLimits()
    with served(readers, limits) as server:
        for _ in range(3):
            with urllib.request.urlopen(f"{server.url}/health") as answer:
                answer.read()
        one = opened(server, b"no HTTP at all\r\n\r\n")
        assert b"400" in ending(one)
        one.close()
    assert limits.open.total() == 0


def broken_off(app: Any, path: str) -> list[Any]:
    """Post a form of which only the beginning arrives."""
    parts = [{"type": "http.request", "body": b"cadence=weekly&con", "more_body": True}]
    answers: list[Any] = []

    async def receive() -> Any:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answers.append(message)

    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"400")]
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers, "client": ("192.0.2.1", 1), "server": ("x", 80), "scheme": "http",
        "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return answers


def all_routes(app: Any, method: str) -> list[str]:
    """List the paths of the routes."""
    return sorted({
        route.path for route in app.routes if isinstance(route, Route) and method in (route.methods or ())
    })  # fmt: skip


def test_a_request_that_does_not_arrive_whole_changes_nothing(client: TestClient, readers: Readers) -> None:
    sign_up_and_confirm(client, readers)
    before = snapshot(readers)
    paths = all_routes(client.app, "POST")
    assert "/preferences/{token}" in paths
    for path in paths:
        action = path.split("/")[1]
        known = link(readers, action) if action in ("preferences", "unsubscribe") else f"/{action}/x"
        assert broken_off(client.app, path.replace(f"/{action}/{{token}}", known)) == []
    assert snapshot(readers) == before


@pytest.mark.parametrize("path", ["/archive/", "/unsubscribe/x/", "/desk/", "//evil.example/archive/"])
def test_nothing_redirects_to_the_host_that_a_request_names(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"host": "evil.example"})

    assert answer.status_code in (200, 404)
    assert "location" not in answer.headers
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    ("trusted", "recorded"), [((), "unknown"), (("203.0.113.0/24",), "198.51.100.7")], ids=["none", "one"]
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    readers: Readers, trusted: tuple[str, ...], recorded: str
) -> None:
    web = readers.settings.web.model_copy(update={"trusted_proxies": tuple(map(ip_network, trusted))})
    known = replace(readers, settings=readers.settings.model_copy(update={"web": web}))
    peer = ("203.0.113.5", 1) if trusted else ("testclient", 1)
    client = TestClient(create_app(known, known.settings, now=Clock()), client=peer)
    sign_up(client, headers={"x-forwarded-for": "Win a prize at evil.example, 198.51.100.7"})

    with known.database.read() as session:
        assert session.exec(select(ConsentEvent)).one().origin["ip"] == recorded


def test_another_sites_page_changes_nothing(client: TestClient, readers: Readers) -> None:
    sign_up_and_confirm(client, readers)
    before = snapshot(readers)
    for sent in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://e.example"},
    ):
        answer = client.post(link(readers, "preferences"), data={"cadence": "daily"}, headers=sent)
        assert answer.status_code == 403
    assert snapshot(readers) == before


def test_pages_demand_https_where_readers_reach_them_so_and_are_framed_by_nobody(client: TestClient) -> None:
    for path in ("/", "/nowhere", "/health", "/archive", "/unsubscribe/x"):
        headers = client.get(path).headers
        assert headers["strict-transport-security"] == "max-age=15552000"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "headers",
    [
        {"if-modified-since": "Mon, 02 Mar 2026 12:00:00 +9999"},
        {"if-modified-since": "Mon, 02 Mar 9999 12:00:00 -2359"},
        {"if-modified-since": "Mon, 99 Mar 2026 99:00:00 GMT"},
        {"if-modified-since": "Fri, 31 Dec 99999999999 23:59:59 GMT"},
        {"if-none-match": "\xff\xfe"},
    ],
)
def test_an_absurd_condition_is_no_condition(client: TestClient, headers: dict[str, str]) -> None:
    sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = client.get("/archive/feed.xml", headers=sent)

    assert answer.status_code == 200


@pytest.mark.parametrize("charset", ["undefined", "idna", "utf-7", "base64", "zlib", "rot13", "no-such"])
def test_a_forms_charset_is_not_looked_up(client: TestClient, charset: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="address"\r\n\r\n\xff\xfe\r\n--b--\r\n'
    kind = f"multipart/form-data; charset={charset}; boundary=b"
    answer = client.post("/subscribe", content=body, headers={"content-type": kind})

    assert answer.status_code == 400


@pytest.mark.parametrize("cut", [20, 120, 220])
def test_a_multipart_form_without_its_end_changes_nothing(
    client: TestClient, readers: Readers, cut: int
) -> None:
    sign_up_and_confirm(client, readers)
    path = link(readers, "preferences")
    stamp = client.get(path).text.partition('name="form" value="')[2].partition('"')[0]
    fields = {"form": stamp, "cadence": "daily", "topics": "science"}
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    before = snapshot(readers)
    kind = {"content-type": "multipart/form-data; boundary=b"}
    short = (parts + "--b--\r\n")[:-cut]

    assert client.post(path, content=short, headers=kind).status_code == 400
    assert snapshot(readers) == before
    assert client.post(path, content=parts + "--b--\r\n", headers=kind).status_code == 200
    assert snapshot(readers) != before


def test_one_click_leaves_whatever_its_body(client: TestClient, readers: Readers) -> None:
    sign_up_and_confirm(client, readers)
    kind = {"content-type": "multipart/form-data; boundary=b"}
    answer = client.post(link(readers, "unsubscribe"), content="--b\r\nCont", headers=kind)
    assert answer.status_code == 200
    assert "unsubscribed" in answer.text


NASTY = st.sampled_from(
    [
        "\0",
        "%00",
        "%0a",
        "%",
        "%ff",
        "..",
        "//",
        "\\",
        "{{7*7}}",
        "'",
        '"',
        "<",
        "\ud83d",
        "𝔞",
        "\u202e",
        "-1",
        "9" * 30,
    ]
)
TEXT = st.one_of(NASTY, st.text(max_size=12), st.builds("".join, st.lists(NASTY, max_size=4)))
PLACES = ("/{}", "/archive/{}", "/archive/world/{}/x", "/archive/world/daily/{}", "/archive/world?page={}",
          "/archive?page={}", "/images/{}.jpg", "/confirm/{}", "/unsubscribe/{}", "/preferences/{}", "/subscribe",
          "/desk/proof/{}", "/desk/login?next={}", "/?language={}", "/undo/{}", "/me/{}")  # fmt: skip
FIELDS = ("digest", "address", "cadence", "topics", "consent", "pause", "form", "language", "name", "")
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain", "\xff",
         "multipart/form-data; boundary=", "application/json", "multipart/form-data; charset=undefined; boundary=b")  # fmt: skip
HEADERS = ("if-modified-since", "if-none-match", "accept-language", "cookie", "x-forwarded-for", "host", "origin",
           "sec-fetch-site", "range", "accept", "content-length", "transfer-encoding")  # fmt: skip


@trial(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS"]),
    st.sampled_from(PLACES),
    TEXT,
    st.dictionaries(st.sampled_from(FIELDS), TEXT, max_size=4),
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(HEADERS), TEXT, max_size=3),
)
def test_no_input_ends_in_an_error_of_ours(
    client: TestClient,
    method: str,
    place: str,
    text: str,
    form: dict[str, str],
    kind: str,
    headers: dict[str, str],
) -> None:
    path = place.format(quote(text, safe="%", errors="surrogatepass"))
    body = urlencode(form, errors="surrogatepass").encode()
    if kind.startswith("multipart"):
        parts = [f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in form.items()]
        body = "".join([*parts, "--b--\r\n"]).encode("utf-8", "surrogatepass")
    sent = {b"content-type": kind.encode("latin-1"), b"content-length": str(len(body)).encode()}
    sent |= {
        name.encode(): value.encode("utf-8", "surrogatepass").translate(None, b"\r\n\0")
        for name, value in headers.items()
    }
    with contextlib.suppress(UnicodeError):  # a cookie that this client itself cannot write
        answer = client.request(method, path, content=body, headers=sent)
        assert answer.status_code < 500, (method, path, headers, form)


def test_lines_that_anybody_can_write_into_the_log_are_few(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tests.bounded")
    log.addFilter(LogLimit(per_minute=3))
    for number in range(50):
        log.warning("bad form %s", number)
    assert [record.getMessage() for record in caplog.records] == [f"bad form {n}" for n in range(3)]


def test_the_servers_libraries_write_a_bounded_log(
    readers: Readers, caplog: pytest.LogCaptureFixture
) -> None:
    with served(readers, ConnectionLimits()) as server:
        for _ in range(30):
            one = opened(server, b"\x16\x03\x01 no HTTP\r\n\r\n")
            ending(one)
            one.close()
    assert sum(record.name == "uvicorn.error" for record in caplog.records) <= 10
