"""Every address of the API by every scope and method, and with whatever a program may send to it."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import select

from digest.models import ApiScope, Subscriber
from digest.settings import load_settings
from tests.conftest import write_config
from tests.support.api import API, EVERYTHING, Program, kind_of
from tests.support.desks import Clock, Newsdesk

NEEDS: dict[tuple[str, str], ApiScope | None] = {
    ("GET", "/token"): None,
    ("GET", "/articles"): ApiScope.ARTICLES_READ,
    ("POST", "/articles"): ApiScope.ARTICLES_WRITE,
    ("GET", "/articles/{article_id}"): ApiScope.ARTICLES_READ,
    ("PATCH", "/articles/{article_id}"): ApiScope.ARTICLES_WRITE,
    ("POST", "/articles/{article_id}/withdraw"): ApiScope.ARTICLES_WITHDRAW,
    ("GET", "/drafts"): ApiScope.EDITIONS_READ,
    ("GET", "/drafts/{digest}/{cadence}"): ApiScope.EDITIONS_READ,
    ("GET", "/editions"): ApiScope.EDITIONS_READ,
    ("GET", "/editions/{digest}/{cadence}/{period}"): ApiScope.EDITIONS_READ,
    ("GET", "/figures"): ApiScope.FIGURES_READ,
    ("GET", "/readers"): ApiScope.READERS_READ,
    ("POST", "/readers"): ApiScope.READERS_WRITE,
    ("POST", "/find-reader"): ApiScope.READERS_READ,
    ("GET", "/readers/{reader}"): ApiScope.READERS_READ,
    ("PATCH", "/readers/{reader}"): ApiScope.READERS_WRITE,
    ("PATCH", "/readers/{reader}/subscriptions/{digest}"): ApiScope.READERS_WRITE,
    ("DELETE", "/readers/{reader}/subscriptions/{digest}"): ApiScope.READERS_WRITE,
}
"""What each address needs, written down here once more."""

SAMPLES = {
    "article_id": "1", "digest": "world", "cadence": "daily", "period": "2026-11-22", "reader": "a" * 26,
}  # fmt: skip
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/articles"): {
        "url": "https://blog.example/a", "title": "A", "html": "<p>x</p>", "summary": "s", "author": "Ada",
        "picture": {"url": "https://blog.example/a.png", "alt": "a"}, "language": "en", "topics": ["World"],
        "published_at": "2026-11-22T12:00:00Z", "external_id": "7", "source": "api",
    },
    ("PATCH", "/articles/{article_id}"): {"title": "B", "picture": None, "topics": [], "url": "https://b.example/"},
    ("POST", "/articles/{article_id}/withdraw"): {"reason": "no"},
    ("POST", "/readers"): {
        "address": "ann@reader.example", "subscriptions": [{"digest": "world", "topics": ["culture"]}],
        "language": "en", "wording": "Yes, mail me.", "ip": "192.0.2.1", "form": "https://a.example/",
        "confirmed": {"wording": "Yes, mail me that."},
    },
    ("POST", "/find-reader"): {"address": "ann@reader.example"},
    ("PATCH", "/readers/{reader}"): {"name": "Ann", "language": "fr", "timezone": "Europe/Paris"},
    ("PATCH", "/readers/{reader}/subscriptions/{digest}"): {
        "cadence": "weekly", "topics": ["culture"], "hour": 7, "max_articles": 3, "form": "text",
        "breaking": False, "paused": True, "paused_until": "2026-12-24T08:00:00Z",
    },
}  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def newsdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    folder = tmp_path_factory.mktemp("api")
    loaded = load_settings(write_config(folder, f"sqlite:///{folder}/digest.db"))
    api = loaded.api.model_copy(update={"requests_per_minute": 1_000_000})
    newsdesk = Newsdesk(loaded.model_copy(update={"api": api}), Clock())
    newsdesk.publish("A story", "world")
    newsdesk.subscribe("ann@reader.example")
    with newsdesk.app.database.read() as session:
        SAMPLES["reader"] = session.exec(select(Subscriber.public_id)).one()
    yield newsdesk
    newsdesk.close()


@pytest.fixture(scope="module")
def described(newsdesk: Newsdesk) -> dict[str, Any]:
    described: dict[str, Any] = Program(newsdesk, None).get("/openapi.json").json()
    return described


def fill(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: SAMPLES[name[1]], path)


def operations(described: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}


def test_what_is_described_is_what_is_written_down_here(described: dict[str, Any]) -> None:
    assert operations(described) == NEEDS.keys()
    assert described["servers"] == [{"url": f"https://courier.example{API}"}]
    assert described["info"]["title"] == "The Harbour Courier: API"


def test_an_address_opens_for_its_scope_and_for_no_other_and_changes_nothing_otherwise(
    newsdesk: Newsdesk,
) -> None:
    nobody = Program(newsdesk, None)
    stranger = Program(newsdesk, None)
    stranger.client.headers["authorization"] = "Bearer digest_made-up"
    only = {scope: Program(newsdesk, [scope]) for scope in ApiScope}
    before = newsdesk.snapshot()
    for (method, path), needed in NEEDS.items():
        body = BODIES.get((method, path))
        for program in (nobody, stranger):
            answer = program.send(method, fill(path), body)
            assert kind_of(answer) == "token", (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for scope, program in only.items():
            if needed in (None, scope):
                continue
            refused = program.send(method, fill(path), body, key="k" if method != "GET" else None)
            assert kind_of(refused) == "scope", (method, path, scope)
            assert needed in refused.json()["detail"]
    after = newsdesk.snapshot()
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"api_token"}, "nothing but the last use of the tokens"
    for (method, path), needed in NEEDS.items():
        if method == "GET":
            allowed = only[needed or ApiScope.FIGURES_READ].get(fill(path))
            assert allowed.status_code in (200, 404), (path, allowed.text)


def test_no_other_method_is_answered(newsdesk: Newsdesk, described: dict[str, Any]) -> None:
    program = Program(newsdesk, EVERYTHING)
    for path in described["paths"]:
        known = {method for method, other in NEEDS if other == path}
        known |= {"HEAD"} if "GET" in known else set()
        for method in {*METHODS, "HEAD", "TRACE"} - known:
            answer = program.client.request(method, f"{API}{fill(path)}")
            assert answer.status_code == 405, (method, path)
            if method != "HEAD":
                assert kind_of(answer) == "method"
                assert set(answer.headers["allow"].split(", ")) == known


def test_head_is_answered_as_get_without_its_body(newsdesk: Newsdesk) -> None:
    for program in (Program(newsdesk, EVERYTHING), Program(newsdesk, None)):
        for (method, path), _ in NEEDS.items():
            if method != "GET":
                continue
            whole, head = (program.client.request(name, f"{API}{fill(path)}") for name in ("GET", "HEAD"))
            assert (head.status_code, head.content) == (whole.status_code, b""), path
            for name in ("content-type", "content-length", "cache-control"):
                assert head.headers.get(name) == whole.headers.get(name), (path, name)


def test_every_problem_is_listed_with_its_remedy_and_a_page_that_is_not_there_is_one(
    newsdesk: Newsdesk,
) -> None:
    nobody = Program(newsdesk, None)
    listed = nobody.get("/problems").json()

    assert {"token", "scope", "rate-limit", "key-reused"} <= {
        one["type"].rpartition("#")[2] for one in listed
    }
    assert all(one["remedy"] for one in listed)
    missing = nobody.get("/nowhere")
    assert kind_of(missing) == "not-found"
    assert missing.headers["cache-control"] == "no-store"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("x" * 3_000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
QUERIES = ("limit", "cursor", "search", "topic", "source", "digest", "state", "since")


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str], Any, str | None]:
    """Return a request that is right but for some of its parts: method, template, path parts, body, key."""
    method, path = draw(st.sampled_from(sorted(NEEDS)))
    parts = {
        name: draw(st.just(SAMPLES[name]) | st.text(min_size=1, max_size=30))
        for name in re.findall(r"\{(\w+)\}", path)
    }
    body: Any = dict(BODIES[(method, path)]) if (method, path) in BODIES else None
    if body is not None:
        names = st.sampled_from([*body, "unknown"])
        for name in draw(st.lists(names, max_size=2)):
            body.pop(name, None)
        for name in draw(st.lists(names, max_size=2)):
            body[name] = draw(ANYTHING)
        if not draw(st.integers(0, 19)):
            body = draw(ANYTHING)
    return method, path, parts, body, draw(st.none() | st.sampled_from(["a", "b", "c"]))


def send(
    program: Program, request: tuple[str, str, dict[str, str], Any, str | None], query: dict[str, str]
) -> Response:
    method, path, parts, body, key = request
    address = API + re.sub(
        r"\{(\w+)\}", lambda name: quote(parts[name[1]].encode("utf-8", "replace"), safe=""), path
    )
    headers = {"idempotency-key": key} if key else {}
    if body is None:
        return program.client.request(method, address, params=query, headers=headers)
    content = json.dumps(body)  # with lone surrogates, NaN and all that Python writes
    headers["content-type"] = "application/json"
    return program.client.request(method, address, params=query, headers=headers, content=content)


def test_whatever_is_sent_is_answered_as_described_and_never_by_a_fault(
    newsdesk: Newsdesk, described: dict[str, Any]
) -> None:
    program = Program(newsdesk, EVERYTHING)
    statuses: set[int] = set()

    @given(
        requests(),
        st.dictionaries(st.sampled_from(QUERIES), st.text(max_size=20).filter(str.isascii), max_size=2),
    )
    @hypothesis_settings(
        max_examples=300, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    def check(request: tuple[str, str, dict[str, str], Any, str | None], query: dict[str, str]) -> None:
        answer = send(program, request, query)
        method, path = request[:2]
        if answer.headers.get("content-type") == "application/problem+json" and answer.json()["type"] in (
            "about:blank", "/api/v1/problems#not-found", "/api/v1/problems#method",
        ):  # fmt: skip
            return  # the address was another one
        statuses.add(answer.status_code)
        assert answer.status_code < 500, answer.text
        responses = described["paths"][path][method.lower()]["responses"]
        assert str(answer.status_code) in responses, (request, answer.status_code, answer.text)
        kind = answer.headers.get("content-type", "")
        assert kind in responses[str(answer.status_code)].get("content", {"": None}), (request, kind)

    check()
    assert {200, 201, 204, 422} <= statuses, "what is right was among it"


def test_a_request_that_does_not_arrive_whole_changes_nothing(newsdesk: Newsdesk) -> None:
    """Also where what arrived would be a whole body in itself, and a key is named under which to answer again."""
    program = Program(newsdesk, EVERYTHING)
    before = newsdesk.snapshot()
    unsafe = [one for one in NEEDS if one[0] != "GET"]
    assert len(unsafe) >= 7
    for method, path in unsafe:
        body = json.dumps(BODIES.get((method, path), {})).encode()
        for arrived in (body, body[:-1], body[: len(body) // 2]):
            assert broken_off(newsdesk.web, method, f"{API}{fill(path)}", arrived, program.token) == []
    after = newsdesk.snapshot()

    assert {name for name in before if before[name] != after[name]} == set()


def broken_off(app: Any, method: str, path: str, arrived: bytes, token: str) -> list[Any]:
    """Send a request of which only a part arrives; return what is answered."""
    parts = [{"type": "http.request", "body": arrived, "more_body": True}]
    answers: list[Any] = []

    async def receive() -> Any:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answers.append(message)

    headers = [
        (b"host", b"courier.example"), (b"content-type", b"application/json"), (b"content-length", b"4000"),
        (b"authorization", f"Bearer {token}".encode()), (b"idempotency-key", b"broken-off"),
    ]  # fmt: skip
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers, "client": ("192.0.2.1", 1), "server": ("x", 80), "scheme": "https",
        "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return answers
