"""Articles through the API: sent in, listed, changed, withdrawn."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from digest.models import ApiScope, Article
from digest.models.article import ArticleFilter
from digest.models.row import row_id
from digest.rules.articles.sources import API
from digest.tasks.api import articles as tasks
from digest.tasks.api.answers import ApiAnswer
from digest.tasks.api.articles import SentArticle, TakenArticle, external_id
from digest.tasks.articles.articles import list_page
from digest.web.api.gate import ApiGate, Cursor, Limit, Moment, OnceKey, RequestBody, RowId, answer_of

PLACE = "/api/v1/articles"
_KIND = "articles"
_URL = Field(min_length=1, max_length=2_000, description="An absolute http or https address.")
_HTML = Field(default=None, max_length=400_000, description="Cleaned as a feed's is: no script, no style.")
_Word = Annotated[str, Field(min_length=1, max_length=200)]


class SentPicture(RequestBody):
    """The picture of an article that is sent in."""

    url: str = _URL
    alt: str | None = Field(default=None, max_length=1_000)


class ArticleChanges(RequestBody):
    """What is to be changed of an article; what is not named stays, and null clears."""

    url: str = Field(default="", min_length=1, max_length=2_000)
    title: str = Field(default="", min_length=1, max_length=1_000)
    html: str | None = _HTML
    summary: str | None = Field(default=None, max_length=20_000)
    author: str | None = Field(default=None, max_length=1_000)
    picture: SentPicture | None = None
    language: str | None = Field(default=None, max_length=35)
    topics: list[_Word] | None = Field(default=None, max_length=50)
    published_at: Moment | None = None


class NewArticleBody(ArticleChanges):
    """An article that is sent in; the same `external_id`, or `url`, again updates it."""

    url: str = _URL
    title: str = Field(min_length=1, max_length=1_000)
    external_id: str | None = Field(default=None, min_length=1, max_length=200)
    source: str = Field(default=API, pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")


class WithdrawalBody(RequestBody):
    """Why an article is withdrawn; readers do not see it."""

    reason: str = Field(default="", max_length=1_000)


class ListedArticle(BaseModel):
    """An article as lists show it; `held_back` says why it is in no edition though nobody hid it."""

    id: int
    source: str
    external_id: str | None
    url: str
    title: str
    summary: str
    author: str | None
    picture_url: str | None
    language: str | None
    topics: list[str]
    published_at: datetime | None
    first_seen_at: datetime
    updated_at: datetime | None
    is_hidden: bool
    is_pinned: bool
    held_back: str | None
    withdrawn_at: datetime | None


class ShownArticleBody(ListedArticle):
    """An article with its cleaned HTML and the editions that it stood in."""

    html: str
    editions: list[str]


class ArticleListBody(BaseModel):
    """A page of articles, the last stored first; `next` is the cursor of the next page."""

    items: list[ListedArticle]
    next: str | None


class WithdrawnBody(BaseModel):
    """What a withdrawal changed: unsent messages that lost the article, and readers who have it already."""

    id: int
    changed: int
    withheld: int
    already_sent: int


class ArticleApi:
    """The endpoints of articles."""

    def __init__(self, gate: ApiGate) -> None:
        self._gate = gate

    def router(self) -> APIRouter:
        """Return the routes."""
        router, needs = APIRouter(prefix="/articles", tags=["articles"]), self._gate.needs
        read, write = Depends(needs(ApiScope.ARTICLES_READ)), Depends(needs(ApiScope.ARTICLES_WRITE))
        router.add_api_route(
            "", self.list, methods=["GET"], dependencies=[read], response_model=ArticleListBody
        )
        router.add_api_route(
            "", self.create, methods=["POST"], dependencies=[write], status_code=201,
            response_model=ShownArticleBody,
            responses={200: {"model": ShownArticleBody, "description": "It was known, and is updated."}},
        )  # fmt: skip
        one = "/{article_id}"
        router.add_api_route(
            one, self.show, methods=["GET"], dependencies=[read], response_model=ShownArticleBody
        )
        router.add_api_route(
            one, self.change, methods=["PATCH"], dependencies=[write], response_model=ShownArticleBody
        )
        withdraw = Depends(needs(ApiScope.ARTICLES_WITHDRAW))
        router.add_api_route(
            f"{one}/withdraw", self.withdraw, methods=["POST"], dependencies=[withdraw],
            response_model=WithdrawnBody,
        )  # fmt: skip
        return router

    def list(
        self,
        limit: Limit = 50,
        cursor: Cursor = None,
        search: Annotated[str, Query(max_length=200)] = "",
        topic: Annotated[str, Query(max_length=80)] = "",
        source: Annotated[str, Query(max_length=80)] = "",
    ) -> ArticleListBody:
        """List articles, the last stored first. A page may be short while `next` leads on."""
        gate = self._gate
        wanted = ArticleFilter(topic=topic or None, source=source or None, search=search)
        page = list_page(gate.readers.database, wanted, gate.read_cursor(_KIND, cursor), limit)
        return ArticleListBody(
            items=[ListedArticle(**_listed(row)) for row in page.rows],
            next=gate.write_cursor(_KIND, page.below),
        )

    def show(self, article_id: RowId) -> ShownArticleBody:
        """Show one article."""
        return _shown(tasks.find_article(self._gate.readers.database, article_id))

    def create(self, request: Request, body: NewArticleBody, key: OnceKey = None) -> Response:
        """Send an article in, or update the one with its external id or URL."""
        gate = self._gate

        def act() -> ApiAnswer:
            taken = tasks.take_article(gate.readers.database, gate.settings, _sent(body), gate.now())
            place = f"{PLACE}/{row_id(taken.article)}" if taken.is_new else ""
            return answer_of(201 if taken.is_new else 200, _shown(taken), place)

        return gate.once(request, key, body, act)

    def change(
        self, request: Request, article_id: RowId, body: ArticleChanges, key: OnceKey = None
    ) -> Response:
        """Change an article that was sent in; editions that have been made keep what they showed."""
        gate = self._gate

        def act() -> ApiAnswer:
            changes = _changes(body)
            changed = tasks.change_article(
                gate.readers.database, gate.settings, article_id, changes, gate.now()
            )
            return answer_of(200, _shown(changed))

        return gate.once(request, key, body, act)

    def withdraw(
        self, request: Request, article_id: RowId, body: WithdrawalBody, key: OnceKey = None
    ) -> Response:
        """Take an article out of the archive, the feeds and every message that has not left; for good."""
        gate = self._gate

        def act() -> ApiAnswer:
            done = tasks.withdraw_article(gate.readers.database, article_id, body.reason, gate.now)
            told = WithdrawnBody(
                id=done.article_id, changed=done.changed, withheld=done.withheld, already_sent=done.gone
            )
            return answer_of(200, told)

        return gate.once(request, key, body, act)


def _changes(body: ArticleChanges) -> dict[str, Any]:
    """Return the fields that a request names, a picture as its two fields."""
    named = {name: getattr(body, name) for name in body.model_fields_set}
    if "picture" in named:
        picture: SentPicture | None = named.pop("picture")
        named["image"], named["image_alt"] = (picture.url, picture.alt) if picture else (None, None)
    return named


def _sent(body: NewArticleBody) -> SentArticle:
    fields = _changes(body)
    fields["topics"] = tuple(body.topics or ())
    return SentArticle(**{name: value for name, value in fields.items() if value is not None})


def _listed(row: Article) -> dict[str, Any]:
    return {
        "id": row_id(row), "source": row.source, "external_id": external_id(row), "url": row.url,
        "title": row.title, "summary": row.summary, "author": row.author, "picture_url": row.image_url,
        "language": row.language, "topics": row.topics, "published_at": row.published_at,
        "first_seen_at": row.first_seen_at, "updated_at": row.updated_at,
        "is_hidden": row.hidden_at is not None, "is_pinned": row.pinned_at is not None,
        "held_back": row.held_back, "withdrawn_at": row.withdrawn_at,
    }  # fmt: skip


def _shown(taken: TakenArticle) -> ShownArticleBody:
    row = taken.article
    return ShownArticleBody(
        **_listed(row), html=row.html, editions=[edition.name.argument for edition in taken.editions]
    )
