"""Routes to pages. Each is built when it is first requested.

FastAPI reads the parameters of an endpoint when its route is made. Reading those of all pages would take most
of the time in which the application is created, and a visit needs a few of them.
"""

from collections.abc import Callable
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class PageRoute(Route):
    """A route to one page, with what decides who may request it."""

    def __init__(
        self, path: str, page: Callable[..., Any], methods: list[str], allowed: Callable[..., None] | None
    ) -> None:
        super().__init__(path, page, methods=methods)
        self._dependencies = [] if allowed is None else [Depends(allowed)]
        self.app: ASGIApp = self._build_and_answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is for this page, and what is known of it then."""
        match, known = super().matches(scope)
        if match is not Match.NONE:
            known["route"] = self
        return match, known

    async def _build_and_answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        built = APIRoute(
            self.path, self.endpoint, methods=list(self.methods or ()), dependencies=self._dependencies
        )
        self.app = built.app
        await self.app(scope, receive, send)


class PageRoutes:
    """The routes to some pages, in the order in which they are tried."""

    def __init__(self) -> None:
        self._routes: list[PageRoute] = []

    def look(self, path: str, page: Callable[..., Any], allowed: Callable[..., None] | None = None) -> None:
        """Add a page that is looked at; HEAD is answered like GET."""
        self._routes.append(PageRoute(path, page, ["GET", "HEAD"], allowed))

    def post(self, path: str, act: Callable[..., Any], allowed: Callable[..., None] | None = None) -> None:
        """Add what a form posts to."""
        self._routes.append(PageRoute(path, act, ["POST"], allowed))

    def add_to(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        app.router.routes.extend(self._routes)


class FirstUsed:
    """An application that is created by its first request."""

    def __init__(self, create: Callable[[], ASGIApp]) -> None:
        self._create = create
        self._created: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._created is None:
            self._created = self._create()
        await self._created(scope, receive, send)
