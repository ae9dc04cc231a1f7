"""The API, an application of its own at /api/v1: its routes, its description, CORS where that is set."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest import __version__
from digest.rules.api.access import PURPOSES
from digest.tasks.ledger.running_sums import RunningSums
from digest.tasks.readers.mail_domains import MailDomains
from digest.tasks.readers.readers import Readers
from digest.web.api.articles import ArticleApi
from digest.web.api.editions import EditionApi
from digest.web.api.gate import ApiGate
from digest.web.api.problems import KINDS, MEDIA_TYPE, Problem, add_problems, list_kinds
from digest.web.api.readers import ReaderApi

BASE = "/api/v1"
_UNSAFE = ("post", "patch", "put", "delete")
_BODY = ("media-type", "too-large")
_ALWAYS = ("malformed", "token", "scope", "invalid", "rate-limit", "fault", "unavailable")
_ONCE = ("key-busy", "key-reused")
_PATHS = ("not-found",)


class TokenBody(BaseModel):
    """The token that a request was made with."""

    name: str
    scopes: list[str]


class HeadAnswers:
    """Answers HEAD as GET without its content (RFC 9110, section 9.3.2), whatever the route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_content(message: Message) -> None:
            bare = {"body": b""} if message["type"] == "http.response.body" else {}
            await send({**message, **bare})

        await self._app({**scope, "method": "GET"}, receive, send_without_content)


def create_api(
    readers: Readers, domains: MailDomains, running: RunningSums, now: Callable[[], datetime]
) -> FastAPI:
    """Create the API of one publication."""
    site = readers.settings.site
    api = FastAPI(
        title=f"{site.name}: API",
        version=__version__,
        description=_describe_scopes(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        servers=[{"url": site.base_url + BASE}],
        root_path_in_servers=False,
        generate_unique_id_function=_name_operation,
    )
    gate = ApiGate(readers, now)
    for one in (ArticleApi(gate), EditionApi(gate, running), ReaderApi(gate, domains)):
        api.include_router(one.router())
    api.include_router(_own_routes(gate))
    add_problems(api)
    origins = readers.settings.api.origins
    if origins:
        api.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            expose_headers=["Location", "Retry-After", "Idempotency-Replayed"],
        )
    api.add_middleware(HeadAnswers)
    described = api.openapi

    def describe() -> dict[str, Any]:
        return api.openapi_schema or _with_problems(described())

    api.openapi = describe  # type: ignore[method-assign]
    return api


def _name_operation(route: APIRoute) -> str:
    """Return the name of an operation, for programs that are made from the description: `get_articles`."""
    return "_".join([min(route.methods or {"GET"}).lower(), *re.findall(r"\w+", route.path_format)])


def _own_routes(gate: ApiGate) -> APIRouter:
    router = APIRouter()

    def token(request: Request) -> TokenBody:
        """Show which token this is and what it may do."""
        caller = gate.caller(request)
        return TokenBody(name=caller.name, scopes=sorted(caller.scopes))

    router.add_api_route(
        "/token", token, methods=["GET"], dependencies=[Depends(gate.needs(None))], tags=["token"]
    )
    router.add_api_route("/problems", list_kinds, methods=["GET"], include_in_schema=False)
    return router


def _describe_scopes() -> str:
    lines = "\n".join(f"- `{scope}`: {purpose}" for scope, purpose in PURPOSES.items())
    return (
        f"Each request brings `Authorization: Bearer TOKEN`. What a token may do are its scopes:\n\n{lines}"
    )


def _with_problems(described: dict[str, Any]) -> dict[str, Any]:
    """Describe the errors of each operation, in place of the form of its own that FastAPI describes."""
    schemas = described["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            kinds = [*_ALWAYS, *(_PATHS if "{" in path else ())]
            if method in _UNSAFE:
                kinds += [*_ONCE, "conflict", "withdrawn", "not-found"]
            if "requestBody" in operation:
                kinds += _BODY
            statuses = sorted({KINDS[kind].status for kind in kinds})
            operation["responses"].pop("422", None)
            operation["responses"] |= {str(status): _problem(status) for status in statuses}
    return described


def _problem(status: int) -> dict[str, Any]:
    titles = dict.fromkeys(kind.title for kind in KINDS.values() if kind.status == status)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "; or: ".join(titles), "content": {MEDIA_TYPE: {"schema": schema}}}
