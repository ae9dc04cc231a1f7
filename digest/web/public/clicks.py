"""Links that count, and the page that says what is counted."""

from urllib.parse import quote, unquote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from digest.models import EditionName
from digest.rules.readers.scanners import is_scanner
from digest.rules.tokens.click_links import PATH
from digest.settings import Settings
from digest.tasks.figures.clicks import ClickCounter
from digest.web.shared.routes import PageRoutes
from digest.web.shared.views import Views

COUNTED = "/counted"
_FOUND = 302
_PARTS = 5
_AS_WRITTEN = "%:/?#[]@!$&'()*+,;="


class ClickRedirects:
    """ASGI middleware that leads from a counted link to its article.

    It answers before the routes are looked through, which takes ten times as long as all that it does. A link
    that is not signed by us goes on to the routes, none of which knows it: a missing page. Links of messages
    go on leading somewhere once counting is off; then none is counted.
    """

    def __init__(self, app: ASGIApp, *, counter: ClickCounter, counts: bool) -> None:
        self._app, self._counter, self._counts = app, counter, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead on, or pass the request on."""
        if scope["type"] == "http" and scope["path"].startswith(f"{PATH}/"):
            target = self._follow(scope) if scope["method"] in ("GET", "HEAD") else ""
            if target:
                headers = {"Location": quote(target, safe=_AS_WRITTEN), "Cache-Control": "no-store"}
                await Response(status_code=_FOUND, headers=headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _follow(self, scope: Scope) -> str:
        """Count a link and return its target; "" for a link that is not ours."""
        parts = scope["path"][len(PATH) + 1 :].split("/")
        if len(parts) != _PARTS:
            return ""
        digest, cadence, period, article, signature = parts
        if not (article.isascii() and article.isdigit() and len(article) < 19):
            return ""
        # What a mail program or a site adds behind the address is none of its own.
        query = scope["query_string"].decode("latin-1").partition("&")[0]
        target = unquote(query.removeprefix("u="))
        name = EditionName(digest, cadence, period)
        scanned = is_scanner(scope["method"], Headers(scope=scope))
        counts = self._counts
        ours = self._counter.follow(name, int(article), signature, target, is_scanner=scanned, counts=counts)
        return target if ours else ""


class ClickPages:
    """The page for readers on what is counted; it is there where nothing is, too."""

    def __init__(self, views: Views, settings: Settings) -> None:
        self._views, self._counts = views, settings.analytics.counts_clicks

    def routes(self) -> PageRoutes:
        """Return the route."""
        routes = PageRoutes()
        routes.look(COUNTED, self.show)
        return routes

    def show(self, request: Request) -> Response:
        """Show readers what is counted, and what is not."""
        view = self._views.of(request)
        return view.render("counted", title=view.words("What is counted"), counts=self._counts)
