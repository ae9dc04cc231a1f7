"""Stored articles: a search, a page for each with the editions that it was in, adding web pages by URL."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import DigestError, InputError
from digest.models.article import ArticleFilter
from digest.models.row import row_id
from digest.tasks.articles import adding
from digest.tasks.articles import articles as store
from digest.tasks.articles.articles import Mark, ShownArticle
from digest.tasks.sources.health import source_names
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, read_row_id, sentence

ARTICLES = f"{HOME}/articles"
_FIELDS = ("search", "topic", "source", "since", "shown")
_LONGEST = 200
_COMPARED = 1_000  # how many of the last stored articles are compared with one
_RELATED = 5
_ACTS: dict[str, tuple[Mark, bool]] = {
    "hide": ("hidden_at", True),
    "show": ("hidden_at", False),
    "pin": ("pinned_at", True),
    "unpin": ("pinned_at", False),
}
"""What a button of an article's page marks, and whether it sets the mark."""


class ArticleStorePages:
    """All stored articles, for every editor."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def list(self, request: Request) -> Response:
        """Show a page of the articles that match."""
        return self._list(request)

    def preview(self, request: Request) -> Response:
        """Show the article that a web page would become."""
        address = self._front.get(request, "address")
        try:
            found = adding.read_page(address, self._front.now())
        except DigestError as error:
            return self._list(request, 400, error=sentence(error), address=address)
        return self._list(request, found=found, address=address)

    def add(self, request: Request) -> Response:
        """Store the article of a web page."""
        front, address = self._front, self._front.get(request, "address")
        try:
            added = adding.add_page(front.desk.database, front.desk.settings, address, front.now())
        except DigestError as error:
            return self._list(request, 400, error=sentence(error), address=address)
        return front.go(f"{ARTICLES}/{added.id}", "added")

    def show(self, request: Request, article: str) -> Response:
        """Show one article."""
        return self._show(request, self._find(article))

    def mark(self, name: str) -> Callable[[Request, str], Response]:
        """Return the action that hides or pins an article, or undoes that."""
        mark, on = _ACTS[name]

        def act(request: Request, article: str) -> Response:
            found = self._find(article).article
            database = self._front.desk.database
            store.mark_article(database, str(found.id), mark, self._front.now(), on=on)
            return self._front.go(f"{ARTICLES}/{found.id}", f"article-{name}")

        return act

    def split(self, request: Request, article: str) -> Response:
        """Separate an article from the story that it was folded into."""
        found = self._find(article)
        try:
            store.split_article(self._front.desk.database, str(found.article.id), self._front.now())
        except InputError as error:
            return self._show(request, found, 400, error=sentence(error))
        return self._front.go(f"{ARTICLES}/{found.article.id}", "split")

    def _find(self, article: str) -> ShownArticle:
        if not (article.isascii() and article.isdigit() and len(article) < 12):
            raise HTTPException(404)
        try:
            return store.show_article(self._front.desk.database, article)
        except InputError:
            raise HTTPException(404) from None

    def _show(self, request: Request, found: ShownArticle, status: int = 200, *, error: str = "") -> Response:
        database, number = self._front.desk.database, row_id(found.article)
        return self._front.show(
            request,
            "article",
            status,
            title=found.article.title,
            found=found,
            article=found.article,
            editions=store.list_editions_of(database, number),
            related=store.list_related(
                database, str(number), _RELATED, self._front.now(), stored_last=_COMPARED
            ),
            error=error,
        )

    def _list(self, request: Request, status: int = 200, **values: object) -> Response:
        asked = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
        below = read_row_id(request.query_params.get("below", ""))
        settings = self._front.desk.settings
        page = store.list_page(self._front.desk.database, _filter(asked), below)
        return self._front.show(
            request,
            "articles",
            status,
            title="Articles",
            page=page,
            asked=asked,
            query=urlencode({name: value for name, value in asked.items() if value}),
            is_first=below is None,
            sources=source_names(self._front.desk.database, settings),
            **{"error": "", "address": "", "found": None, **values},
        )


def _filter(asked: dict[str, str]) -> ArticleFilter:
    """Read the filter; ignore values that cannot be read."""
    return ArticleFilter(
        topic=asked["topic"] or None,
        source=asked["source"] or None,
        since=_day(asked["since"]),
        search=asked["search"],
        hidden={"hidden": True, "not-hidden": False}.get(asked["shown"]),
        pinned=True if asked["shown"] == "pinned" else None,
    )


def _day(written: str) -> datetime | None:
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
