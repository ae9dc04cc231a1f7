"""Readers through the API: asked to confirm, looked up, changed at their request, taken leave of."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field, StrictBool, model_validator
from starlette.responses import Response

from digest.models import ApiScope, MailForm, SubscriptionState
from digest.models.subscriber import ReaderFilter
from digest.rules.readers import consent
from digest.safe_text import one_line
from digest.tasks.api import readers as tasks
from digest.tasks.api.answers import ApiAnswer
from digest.tasks.api.readers import KnownReader
from digest.tasks.readers.mail_domains import MailDomains
from digest.tasks.readers.on_request import Change
from digest.tasks.readers.rhythm import Rhythm
from digest.tasks.readers.sign_up import Choices
from digest.web.api.gate import (
    ApiGate,
    Cursor,
    IpAddress,
    Limit,
    Moment,
    Name,
    Number,
    OnceKey,
    RequestBody,
    answer_of,
)
from digest.web.api.problems import RequestProblem

_KIND = "readers"
_Address = Annotated[str, Field(min_length=3, max_length=320)]
_Topic = Annotated[str, Field(min_length=1, max_length=40)]
_Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")]
ReaderId = Annotated[str, Path(pattern=r"^[a-z2-7]{26}$")]


class WantedDigest(RequestBody):
    """One digest that somebody signs up for; what is not named is the digest's own."""

    digest: str = Field(min_length=1, max_length=40)
    cadence: str = Field(default="", max_length=40)
    topics: list[_Topic] = Field(default=[], max_length=200)
    breaking: StrictBool | None = None


class ConsentElsewhere(RequestBody):
    """What somebody agreed to elsewhere, word for word; they are subscribed without being asked again."""

    wording: str = Field(min_length=10, max_length=2_000)


class NewReaderBody(RequestBody):
    """Somebody who signs up. `ip` and `form` are where they did so, for the record of consent."""

    address: _Address
    subscriptions: list[WantedDigest] = Field(min_length=1, max_length=20)
    language: _Language | None = None
    wording: str = Field(default="", max_length=2_000, description="The sentence that they agreed to.")
    ip: IpAddress | None = None
    form: str | None = Field(default=None, max_length=500, pattern=r"^https?://[\x21-\x7e]+$")
    confirmed: ConsentElsewhere | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "NewReaderBody":
        names = [one.digest for one in self.subscriptions]
        if len(set(names)) < len(names):
            raise ValueError("subscriptions names a digest twice: name each once")
        return self


class AddressBody(RequestBody):
    """An address to look up; it is sent in the body, since addresses of pages stand in logs."""

    address: _Address


class ReaderChanges(RequestBody):
    """What is to be changed of a reader; null means no language or zone of their own."""

    name: str = Field(default="", max_length=200)
    language: _Language | None = None
    timezone: str | None = Field(default=None, min_length=1, max_length=60)


class SubscriptionChanges(RequestBody):
    """What is to be changed of a subscription.

    No topics are all of them; `hour` null is the usual one, `max_articles` null as many as fit.
    """

    cadence: str = Field(default="", min_length=1, max_length=40)
    topics: list[_Topic] = Field(default=[], max_length=200)
    hour: Number | None = Field(default=None, ge=0, le=23)
    max_articles: Number | None = Field(default=None, ge=1, le=200)
    form: MailForm = MailForm.PICTURES
    breaking: StrictBool = False
    paused: StrictBool = False
    paused_until: Moment | None = None

    @model_validator(mode="after")
    def _until_is_of_a_pause(self) -> "SubscriptionChanges":
        if self.paused_until is not None and not self.paused:
            raise ValueError("paused_until needs paused: true beside it")
        return self


class AskedBody(BaseModel):
    """That the address's holder is asked to confirm, if the address can be subscribed at all."""

    result: str = "asked"


class EnrolledBody(BaseModel):
    """What became of each digest: added, changed, unchanged, kept as they chose it, left, suppressed."""

    results: dict[str, str]


class SubscriptionBody(BaseModel):
    """What a reader chose for one digest; no topics means all of them."""

    digest: str
    state: SubscriptionState
    cadence: str
    topics: list[str]
    hour: int | None
    max_articles: int | None
    form: str
    breaking: bool
    created_at: datetime
    confirmed_at: datetime | None
    paused_until: datetime | None
    ended_at: datetime | None


class ReaderBody(BaseModel):
    """A reader. Address and name are null for a token without the scope readers:addresses."""

    id: str
    address: str | None
    name: str | None
    language: str | None
    timezone: str | None
    created_at: datetime
    suppressed: str | None
    subscriptions: list[SubscriptionBody]


class ReaderListBody(BaseModel):
    """A page of readers, the latest first; `next` is the cursor of the next page."""

    items: list[ReaderBody]
    next: str | None


class ReaderApi:
    """The endpoints of readers; answers that are kept for repeated requests hold no address."""

    def __init__(self, gate: ApiGate, domains: MailDomains) -> None:
        self._gate = gate
        self._domains = domains

    def router(self) -> APIRouter:
        """Return the routes."""
        router, needs = APIRouter(tags=["readers"]), self._gate.needs
        read, write = [Depends(needs(ApiScope.READERS_READ))], [Depends(needs(ApiScope.READERS_WRITE))]
        add = router.add_api_route
        add("/readers", self.list, methods=["GET"], dependencies=read)
        add(
            "/readers", self.create, methods=["POST"], dependencies=write, status_code=202,
            response_model=AskedBody,
            responses={200: {"model": EnrolledBody, "description": "They agreed elsewhere."}},
        )  # fmt: skip
        add("/find-reader", self.find, methods=["POST"], dependencies=read)
        add("/readers/{reader}", self.show, methods=["GET"], dependencies=read)
        one = "/readers/{reader}/subscriptions/{digest}"
        for path, method, endpoint in (
            ("/readers/{reader}", "PATCH", self.change),
            (one, "PATCH", self.choose),
            (one, "DELETE", self.leave),
        ):
            add(
                path, endpoint, methods=[method], dependencies=write, status_code=204, response_class=Response
            )
        return router

    def list(
        self,
        request: Request,
        limit: Limit = 50,
        cursor: Cursor = None,
        digest: Annotated[str, Query(max_length=40)] = "",
        state: SubscriptionState | None = None,
    ) -> ReaderListBody:
        """List readers, the latest first. A page may be short while `next` leads on."""
        gate = self._gate
        wanted = ReaderFilter(digest=digest, state=state or "")
        page = tasks.list_page(gate.readers, wanted, gate.read_cursor(_KIND, cursor), limit)
        return ReaderListBody(
            items=[self._shown(request, one) for one in page.rows], next=gate.write_cursor(_KIND, page.below)
        )

    def show(self, request: Request, reader: ReaderId) -> ReaderBody:
        """Show one reader."""
        return self._shown(request, tasks.find_reader(self._gate.readers, reader))

    def find(self, request: Request, body: AddressBody) -> ReaderBody:
        """Look a reader up by their address."""
        return self._shown(request, tasks.find_by_address(self._gate.readers, body.address))

    def create(self, request: Request, body: NewReaderBody, key: OnceKey = None) -> Response:
        """Sign somebody up: they are asked to confirm by mail, and get nothing before.

        The answer is the same whether the address is known or not. Who left or was erased comes back only by
        confirming; `confirmed` does not bring them back.
        """
        gate = self._gate
        wanted = {
            one.digest: Choices(one.cadence, tuple(one.topics), one.breaking) for one in body.subscriptions
        }
        origin = tasks.origin_of(gate.caller(request), confirmed=body.confirmed is not None)
        origin |= {"ip": str(body.ip)} if body.ip else {}
        origin |= {"form": body.form} if body.form else {}

        def act() -> ApiAnswer:
            if body.confirmed is not None:
                wording = body.confirmed.wording
                done = tasks.take_confirmed(gate.readers, body.address, wanted, wording, origin, gate.now())
                return answer_of(200, EnrolledBody(results={name: str(one) for name, one in done.items()}))
            asked = tasks.ask_reader(
                gate.readers, self._domains, body.address, wanted, origin, gate.now(),
                wording=body.wording, language=body.language,
            )  # fmt: skip
            if not asked:
                raise RequestProblem("sign-up-limit", headers={"Retry-After": "3600"})
            return answer_of(202, AskedBody())

        return gate.once(request, key, body, act)

    def change(
        self, request: Request, reader: ReaderId, body: ReaderChanges, key: OnceKey = None
    ) -> Response:
        """Change a reader's name, language or time zone."""
        named: dict[str, Any] = {name: getattr(body, name) or "" for name in body.model_fields_set}
        if "name" in named:
            named["name"] = one_line(named["name"]).strip()
        return self._change(request, reader, None, body, Change(**named), key)

    def choose(
        self, request: Request, reader: ReaderId, digest: Name, body: SubscriptionChanges, key: OnceKey = None
    ) -> Response:
        """Change what a reader chose for a digest, from the next edition on; pause it, or end its pause."""
        return self._change(request, reader, digest, body, _choices(body), key)

    def leave(self, request: Request, reader: ReaderId, digest: Name, key: OnceKey = None) -> Response:
        """End a subscription at once; only a confirmed sign-up brings it back."""
        gate, origin = self._gate, tasks.origin_of(self._gate.caller(request))

        def act() -> ApiAnswer:
            tasks.end_subscription(gate.readers, reader, digest, origin, gate.now())
            return ApiAnswer(204)

        return gate.once(request, key, None, act)

    def _change(
        self,
        request: Request,
        reader: str,
        digest: str | None,
        body: BaseModel,
        change: Change,
        key: str | None,
    ) -> Response:
        gate, origin = self._gate, tasks.origin_of(self._gate.caller(request))
        ends_pause = "paused" in body.model_fields_set and not change.paused

        def act() -> ApiAnswer:
            if digest is not None and ends_pause:
                tasks.resume_reader(gate.readers, reader, digest, origin, gate.now())
            tasks.change_reader(gate.readers, reader, digest, change, origin, gate.now())
            return ApiAnswer(204)

        return gate.once(request, key, body, act)

    def _shown(self, request: Request, known: KnownReader) -> ReaderBody:
        reader, scopes = known.reader, self._gate.caller(request).scopes
        is_named = ApiScope.READERS_ADDRESSES in scopes
        return ReaderBody(
            id=reader.public_id,
            address=reader.address if is_named else None,
            name=reader.name if is_named else None,
            language=reader.language,
            timezone=reader.timezone,
            created_at=reader.created_at,
            suppressed=known.suppression or None,
            subscriptions=[
                SubscriptionBody(
                    digest=row.digest, state=SubscriptionState(row.state), cadence=row.cadence,
                    topics=sorted(topic for topic in row.topics if topic != consent.EVERY_TOPIC),
                    hour=row.hour, max_articles=row.max_articles, form=row.mail_form, breaking=row.breaking,
                    created_at=row.created_at, confirmed_at=row.confirmed_at, paused_until=row.paused_until,
                    ended_at=row.ended_at,
                )
                for row in known.subscriptions
            ],
        )  # fmt: skip


def _choices(body: SubscriptionChanges) -> Change:
    """Return what a request names as a change; what it does not name stays."""
    named = body.model_fields_set
    given: dict[str, Any] = {
        "cadence": body.cadence, "topics": tuple(body.topics) or (consent.EVERY_TOPIC,),
        "hour": -1 if body.hour is None else body.hour, "most": body.max_articles or 0, "form": body.form,
        "rhythm": Rhythm(breaking=body.breaking), "paused": body.paused, "until": body.paused_until,
    }  # fmt: skip
    names = {"max_articles": "most", "breaking": "rhythm", "paused_until": "until"}
    chosen = {names.get(name, name) for name in named}
    return Change(**{name: value for name, value in given.items() if name in chosen})
