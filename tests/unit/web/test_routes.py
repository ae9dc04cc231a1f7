"""Routes to pages: built when they are first requested, in the order in which they were added."""

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.responses import Response
from starlette.types import ASGIApp

from digest.web.shared.routes import FirstUsed, PageRoutes


def show(number: int) -> Response:
    return Response(f"page {number}")


def other(number: str) -> Response:
    return Response(f"other {number}")


def refuse(request: Request) -> None:
    raise HTTPException(403)


@pytest.fixture
def client() -> TestClient:
    app, routes = FastAPI(), PageRoutes()
    routes.look("/pages/{number}", show)
    routes.post("/pages/{number}", other)
    routes.look("/pages/{number}", other)
    routes.look("/closed/{number}", show, refuse)
    routes.add_to(app)
    return TestClient(app)


def test_a_page_gets_what_its_parameters_ask_for_at_each_request(client: TestClient) -> None:
    for number in (1, 2):
        assert client.get(f"/pages/{number}").text == f"page {number}"
    assert client.head("/pages/1").status_code == 200
    assert client.post("/pages/7").text == "other 7"
    assert client.get("/pages/x").status_code == 422


def test_a_page_that_is_not_allowed_is_not_shown(client: TestClient) -> None:
    assert [client.get("/closed/1").status_code for _ in range(2)] == [403, 403]


def test_a_method_that_a_page_does_not_have_is_named_with_those_it_has(client: TestClient) -> None:
    answer = client.put("/closed/1")

    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_only_the_pages_that_are_requested_are_built(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []

    def build(path: str, *values: object, **options: object) -> APIRoute:
        built.append(path)
        return APIRoute(path, *values, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("digest.web.shared.routes.APIRoute", build)
    for _ in range(2):
        client.get("/pages/1")

    assert built == ["/pages/{number}"]


def test_an_application_is_created_by_its_first_request() -> None:
    created: list[ASGIApp] = []

    def create() -> ASGIApp:
        made = FastAPI()
        made.add_api_route("/token", lambda: "found")
        created.append(made)
        return made

    app = FastAPI()
    app.mount("/api", FirstUsed(create))
    assert not created

    client = TestClient(app)
    assert [client.get("/api/token").json() for _ in range(2)] == ["found", "found"]
    assert len(created) == 1
