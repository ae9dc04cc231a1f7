"""Errors as programs read them: problem details (RFC 9457), each kind under an address of its own."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from digest.errors import Busy, InputError, Unreachable
from digest.tasks.api.answers import KeyBusy, KeyReused
from digest.tasks.api.articles import ArticleUnknown, ArticleWithdrawn, ForeignArticle
from digest.tasks.api.readers import DepartedReader, NotSubscribed, ReaderUnknown
from digest.tasks.api.tokens import TokenUnknown, TooManyRequests
from digest.tasks.readers.on_request import ReaderChanged

MEDIA_TYPE = "application/problem+json"
PLACE = "/api/v1/problems"
_SHOWN_ERRORS = 20


class Problem(BaseModel):
    """Problem details (RFC 9457): `type` names the kind of problem, `detail` what to do about this one."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem: `ProblemKind("rate-limit", 429, "Too many requests", "Wait ...")`."""

    name: str
    status: int
    title: str
    remedy: str


KINDS = {
    kind.name: kind
    for kind in (
        ProblemKind("malformed", 400, "The request cannot be read", "Send one JSON object in UTF-8."),
        ProblemKind("token", 401, "No valid token", "Send `Authorization: Bearer TOKEN`."),
        ProblemKind("scope", 403, "The token may not do this", "Make one with the scope that is named."),
        ProblemKind("not-found", 404, "There is no such thing", "Look the id up in a list first."),
        ProblemKind("method", 405, "This address does not accept the method", "See the header Allow."),
        ProblemKind("conflict", 409, "This cannot be changed", "Read it again, then decide."),
        ProblemKind("not-subscribed", 409, "The reader does not get this digest", "Sign them up first."),
        ProblemKind("departed", 409, "The reader left, or is suppressed", "Let them sign up themselves."),
        ProblemKind("withdrawn", 409, "The article is withdrawn", "Send it in as another article."),
        ProblemKind("key-busy", 409, "The first request is not done yet", "Repeat it in a few seconds."),
        ProblemKind("too-large", 413, "The request is too large", "Send less: at most 512 KiB."),
        ProblemKind("media-type", 415, "This is not JSON", "Send `Content-Type: application/json`."),
        ProblemKind("invalid", 422, "Some values are wrong", "Correct the values that are named."),
        ProblemKind("key-reused", 422, "The Idempotency-Key was used before", "Make one for each request."),
        ProblemKind("rate-limit", 429, "Too many requests", "Wait as long as Retry-After says."),
        ProblemKind("sign-up-limit", 429, "Too many sign-ups", "Wait an hour; the limits are in [web]."),
        ProblemKind("fault", 500, "It is our fault", "Try again later; the log says more."),
        ProblemKind("unavailable", 503, "The database does not answer", "Nothing was changed; try again."),
    )
}  # fmt: skip
"""Every problem that there is, listed at PLACE too."""

_BY_STATUS = {400: "malformed", 401: "token", 403: "scope", 404: "not-found", 405: "method", 413: "too-large"}


TAKEN = {"Accept": "application/json"}
"""What an answer 415 says of the type that is taken (RFC 9110, section 15.5.16)."""


class RequestProblem(Exception):  # noqa: N818 - named for what it becomes
    """Answer a request with a problem."""

    def __init__(self, kind: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers = kind, detail, headers


def show_problem(
    kind: str,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    """Return the answer for one problem."""
    known = KINDS[kind]
    told: dict[str, Any] = {
        "type": f"{PLACE}#{known.name}",
        "title": known.title,
        "status": known.status,
        "detail": detail or known.remedy,
    }
    if errors is not None:
        told["errors"] = errors
    return Response(json.dumps(told), known.status, dict(headers or {}), MEDIA_TYPE)


def list_kinds() -> JSONResponse:
    """List every kind of problem with its remedy."""
    return JSONResponse(
        [
            {
                "type": f"{PLACE}#{kind.name}",
                "title": kind.title,
                "status": kind.status,
                "remedy": kind.remedy,
            }
            for kind in KINDS.values()
        ]
    )


def add_problems(api: FastAPI) -> None:
    """Answer every error of an application with a problem."""
    told = {
        TokenUnknown: "token", KeyReused: "key-reused", KeyBusy: "key-busy", ArticleWithdrawn: "withdrawn",
        ForeignArticle: "conflict", ArticleUnknown: "not-found", ReaderChanged: "conflict",
        ReaderUnknown: "not-found", NotSubscribed: "not-subscribed", DepartedReader: "departed",
        InputError: "invalid", Unreachable: "unavailable", Busy: "unavailable",
    }  # fmt: skip
    for error, kind in told.items():
        api.add_exception_handler(error, _handler(kind))
    api.add_exception_handler(RequestProblem, _asked_for)  # type: ignore[arg-type]
    api.add_exception_handler(TooManyRequests, _too_many)  # type: ignore[arg-type]
    api.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    api.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    api.add_exception_handler(Exception, _crashed)


def _handler(kind: str) -> Any:
    def handle(_: Request, error: Exception) -> Response:
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if kind == "token" else None
        detail = "" if kind == "unavailable" else str(error)
        return show_problem(kind, detail, headers)

    return handle


def _asked_for(_: Request, problem: RequestProblem) -> Response:
    return show_problem(problem.kind, problem.detail, problem.headers)


def _too_many(_: Request, error: TooManyRequests) -> Response:
    seconds = max(1, -(-int(error.wait.total_seconds() * 1_000) // 1_000))
    return show_problem("rate-limit", str(error), {"Retry-After": str(seconds)})


def _http(request: Request, error: HTTPException) -> Response:
    kind = _BY_STATUS.get(error.status_code, "invalid" if error.status_code < 500 else "fault")
    usual = HTTPStatus(error.status_code).phrase
    detail = "" if error.detail == usual else str(error.detail)
    headers = {"Allow": _allowed(request)} if kind == "method" else error.headers
    return show_problem(kind, detail, headers)


def _allowed(request: Request) -> str:
    """Return all methods of an address (RFC 9110, section 15.5.6): the router names those of one route."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: set[str] = set()
    for known, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path):
            found.update(operations)
    if "get" in found:
        found.add("head")  # answered as GET is, without its body
    return ", ".join(sorted(method.upper() for method in found))


def _invalid(_: Request, error: RequestValidationError) -> Response:
    """Name each wrong value by its place, as a JSON pointer or a parameter's name; never quote it."""
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return show_problem("malformed")
    whole = [one["type"] for one in found if one["loc"] == ("body",)]
    if "missing" in whole:
        return show_problem("malformed", "There is no body: send one JSON object in UTF-8.")
    if whole and isinstance(error.body, bytes):  # which is not read as JSON
        return show_problem("media-type", headers=TAKEN)
    errors = [
        {"place": _place(one["loc"]), "detail": str(one["msg"]).encode("utf-8", "replace").decode()}
        for one in found[:_SHOWN_ERRORS]
    ]
    return show_problem(
        "invalid", "; ".join(f"{one['place']}: {one['detail']}" for one in errors), None, errors
    )


def _place(loc: tuple[int | str, ...]) -> str:
    """Return where a value stands: `/image/url` in the body, else the parameter's name."""
    if loc[:1] == ("body",):
        return "".join(f"/{_plain(part)}" for part in loc[1:]) or "/"
    return _plain(loc[-1])


def _plain(part: int | str) -> str:
    """Return a name as it may stand in an answer; a program may have made up any."""
    return str(part)[:100].encode("utf-8", "replace").decode()


def _crashed(request: Request, _: Exception) -> Response:
    return show_problem("fault")
