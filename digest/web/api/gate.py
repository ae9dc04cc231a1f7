"""What every request of the API passes: its token, its scope, its allowance, its Idempotency-Key."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyAddress,
    model_validator,
)
from starlette.responses import Response

from digest.models import ApiScope
from digest.rules.tokens import sealed_values
from digest.settings import Settings
from digest.tasks.api.answers import ApiAnswer, answer_once
from digest.tasks.api.tokens import Caller, admit_caller
from digest.tasks.readers.readers import Readers
from digest.web.api.problems import TAKEN, RequestProblem

_BEARER = HTTPBearer(auto_error=False, description="A token made at the desk, or by `digest tokens make`.")
_CURSOR = "api cursor"
_MOST = 100
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _check_text(value: object) -> object:
    """Refuse what is no text: pydantic also takes numbers for moments and addresses."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


def _check_moment(value: object) -> object:
    """Refuse what is no text with a date in it: a number is seconds since 1970 to pydantic."""
    if not isinstance(value, str) or "-" not in value[1:]:
        raise ValueError('must be a moment such as "2026-11-23T07:00:00Z"')
    return value


def _check_day(value: object) -> object:
    if not isinstance(value, str | date) or (isinstance(value, str) and not _DAY.fullmatch(value)):
        raise ValueError("must be a day such as 2026-11-23")
    return value


def _check_number(value: object) -> object:
    """Refuse a text with digits, and true and false, which are 1 and 0 to Python."""
    if isinstance(value, str | bool):
        raise ValueError("must be a number, without quotation marks")
    return value


Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
Limit = Annotated[int, Query(ge=1, le=_MOST, description="How many to list at most.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_check_moment),
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]
Day = Annotated[date, BeforeValidator(_check_day)]
IpAddress = Annotated[IPvAnyAddress, BeforeValidator(_check_text)]
Number = Annotated[int, BeforeValidator(_check_number)]
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:.-]{0,79}$")]
OnceKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text; the same one again gets the same answer for a day.",
    ),
]


class RequestBody(BaseModel):
    """What all bodies share: unknown members are refused, and so is a text that no database can store."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_nul(cls, values: Any) -> Any:
        if _has_nul(values):
            raise ValueError("a text has the character NUL in it: remove it")
        return values


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


@dataclass(frozen=True, slots=True)
class ApiGate:
    """Lets requests through, or not; and answers a repeated one as the first time."""

    readers: Readers
    now: Callable[[], datetime]

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return self.readers.settings

    def needs(self, scope: ApiScope | None) -> Callable[..., None]:
        """Return what lets a token with a scope through, or any token."""

        def allow(request: Request, bearer: Bearer) -> None:
            if bearer is None:
                raise RequestProblem("token", headers={"WWW-Authenticate": "Bearer"})
            per_minute = self.settings.api.requests_per_minute
            caller = admit_caller(self.readers.database, bearer.credentials, self.now(), per_minute)
            if scope is not None and scope not in caller.scopes:
                raise RequestProblem(
                    "scope",
                    f"this needs a token with the scope {scope}",
                    {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
                )
            request.state.caller = caller
            _refuse_other_json(request)

        return allow

    def caller(self, request: Request) -> Caller:
        """Return who makes a request that was let through."""
        caller: Caller = request.state.caller
        return caller

    def once(
        self, request: Request, key: str | None, body: BaseModel | None, act: Callable[[], ApiAnswer]
    ) -> Response:
        """Do what changes something, once for each Idempotency-Key."""
        sent = body.model_dump_json(exclude_unset=True) if body is not None else ""
        asked = "\n".join((request.method, request.url.path, sent))
        hashed = self.readers.hash_key("request", asked)
        answer = answer_once(self.readers.database, self.caller(request), key, hashed, self.now(), act)
        headers = {"Idempotency-Replayed": "true"} if answer.is_repeat else {}
        if answer.location:
            headers["Location"] = answer.location
        return Response(
            answer.body or None, answer.status, headers, "application/json" if answer.body else None
        )

    def read_cursor(self, kind: str, cursor: str | None) -> int | None:
        """Return the id that a page goes on below; None for the first page."""
        if cursor is None:
            return None
        values = sealed_values.unseal(self.readers.signing_keys, _CURSOR, cursor)
        if values is None or values[0] != kind:
            raise RequestProblem(
                "invalid", "cursor: is not a cursor of this list; use `next` of the page before"
            )
        return int(values[1])

    def write_cursor(self, kind: str, below: int | None) -> str | None:
        """Return the cursor of the next page; None where this is the last one."""
        if below is None:
            return None
        return sealed_values.seal(self.readers.signing_keys, _CURSOR, kind, str(below))


def _refuse_other_json(request: Request) -> None:
    """Refuse a body of another type in JSON, which FastAPI takes: the suffix tells its syntax alone.

    What a type means is said by its whole name (RFC 6839, section 3.1): a PATCH with
    `application/json-patch+json` asks for other changes than ours (RFC 5789, section 2.2).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.endswith("+json") and getattr(request.scope.get("route"), "body_field", None) is not None:
        raise RequestProblem("media-type", headers=TAKEN)


def answer_of(status: int, body: BaseModel | None = None, location: str = "") -> ApiAnswer:
    """Return what a request is answered with."""
    return ApiAnswer(status, json.dumps(body.model_dump(mode="json")) if body is not None else "", location)
