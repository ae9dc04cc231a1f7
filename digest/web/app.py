"""The web application: the readers' pages, health checks, and plain error pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from digest.clock import utc_now
from digest.errors import Unreachable
from digest.mail.rendering.catalogues import Catalogues
from digest.resources import bundled
from digest.settings import Settings
from digest.tasks.archive import Archive
from digest.tasks.background import Background
from digest.tasks.desk.desk import Desk
from digest.tasks.figures.clicks import ClickCounter
from digest.tasks.ledger.running_sums import RunningSums
from digest.tasks.readers.mail_domains import load_mail_domains
from digest.tasks.readers.readers import Readers
from digest.web.api.routes import BASE, create_api
from digest.web.desk.routes import add_desk, add_editions
from digest.web.newsroom.figures import clicks_panel
from digest.web.newsroom.front import FrontValues
from digest.web.newsroom.routes import add_newsroom
from digest.web.public.archive import ArchivePages
from digest.web.public.clicks import ClickPages, ClickRedirects
from digest.web.public.images import PicturePages
from digest.web.public.preferences import PreferencePages
from digest.web.public.reader_page import ReaderPages
from digest.web.public.sign_up import QUICKEST, SignUpPages
from digest.web.shared.forms import Stamps
from digest.web.shared.guard import Guard
from digest.web.shared.pages import Pages
from digest.web.shared.routes import FirstUsed
from digest.web.shared.security import set_headers
from digest.web.shared.threads import thread_limits
from digest.web.shared.views import Views, mark

if TYPE_CHECKING:
    from digest.tasks.ledger.metrics import Metrics
    from digest.tracing import Traces

_OTHER = mark("This did not work")
_WRONG = {
    400: (mark("This form cannot be read"), mark("Please go back and fill it in again.")),
    403: (mark("This is not allowed"), ""),
    404: (mark("Page not found"), mark("The address may be mistyped, or the page may have moved.")),
    405: (mark("This page has a button"), mark("Go back and use the button on the page.")),
}


def create_app(
    readers: Readers,
    settings: Settings,
    *,
    desk: Desk | None = None,
    metrics: Metrics | None = None,
    traces: Traces | None = None,
    now: Callable[[], datetime] = utc_now,
    is_stalled: Callable[[], bool] = lambda: False,
    is_refused: Callable[[], bool] = lambda: False,
    quickest: timedelta = QUICKEST,
    clicks: ClickCounter | None = None,
) -> FastAPI:
    """Create the application of one publication, with the editors' desk if there is one.

    Slashes are not redirected: the redirect would lead to whatever the Host header says.
    """
    app = FastAPI(
        title=settings.site.name, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    pages = Pages(bundled("templates") / "web", settings)
    counter = app.state.clicks = clicks or ClickCounter(readers.database, settings)
    app.add_middleware(ClickRedirects, counter=counter, counts=settings.analytics.counts_clicks)
    if traces is not None and traces.are_on:
        from digest.tracing import TracedRequests

        app.add_middleware(TracedRequests, traces=traces)
    app.add_middleware(Guard, base_url=settings.site.base_url, trusted=settings.web.trusted_proxies)
    catalogues = Catalogues(bundled("templates") / "languages")
    views = Views(pages, settings, catalogues)
    stamps = Stamps(readers.signing_keys)
    domains = load_mail_domains(settings)
    SignUpPages(readers, views, stamps, now, quickest, domains).routes().add_to(app)
    PreferencePages(readers, views, stamps, now).routes().add_to(app)
    ReaderPages(readers, views, stamps, now).routes().add_to(app)
    running = desk.running if desk is not None else RunningSums(readers.database, Background())
    if desk is not None:
        front = add_desk(app, desk, pages, now)
        add_newsroom(app, front, readers, catalogues.languages)
        add_editions(app, front, FrontValues(front), [clicks_panel])
    archive = Archive(readers.database, settings)
    ArchivePages(archive, views, settings).routes().add_to(app)
    PicturePages(archive).routes().add_to(app)
    ClickPages(views, settings).routes().add_to(app)
    if metrics is not None:
        # Its library is imported where it is used.
        from digest.web.public.metrics import MetricsPage

        MetricsPage(metrics, settings.web.metrics_token.get_secret_value()).routes().add_to(app)
    if settings.api.enabled:
        app.mount(BASE, FirstUsed(lambda: create_api(readers, domains, running, now)))
    _add_files(app, pages)
    _add_health(app, readers, is_stalled, is_refused)
    _add_error_pages(app, views, settings)
    return app


def _add_files(app: FastAPI, pages: Pages) -> None:
    kept = {"Cache-Control": "public, max-age=3600"}

    def style() -> Response:
        return Response(pages.style, media_type="text/css", headers=kept)

    def icon() -> Response:
        return Response(pages.icon, media_type="image/svg+xml", headers=kept)

    app.add_api_route("/style.css", style, methods=["GET", "HEAD"])
    app.add_api_route("/icon.svg", icon, methods=["GET", "HEAD"])


def _add_health(
    app: FastAPI, readers: Readers, is_stalled: Callable[[], bool], is_refused: Callable[[], bool]
) -> None:
    async def health() -> JSONResponse:
        """Return whether the database answers; it has threads of its own, so that busy pages do not delay
        it."""
        try:
            await to_thread.run_sync(readers.check_database, limiter=thread_limits().health)
        except Unreachable:
            return JSONResponse({"ok": False, "database": "does not answer"}, 503)
        if is_stalled():
            return JSONResponse({"ok": False, "database": "answers", "scheduler": "stalled"}, 503)
        if is_refused():
            said = "sends nothing: the database was restored from a backup"
            return JSONResponse({"ok": False, "database": "answers", "scheduler": said}, 503)
        return JSONResponse({"ok": True, "database": "answers"})

    async def alive() -> JSONResponse:
        """Return that the process is alive; problems that a restart would not solve are not checked."""
        return JSONResponse({"ok": True})

    for path in ("/health", "/health/ready"):
        app.add_api_route(path, health, methods=["GET", "HEAD"])
    app.add_api_route("/health/live", alive, methods=["GET", "HEAD"])


def _add_error_pages(app: FastAPI, views: Views, settings: Settings) -> None:
    def wrong(request: Request, error: HTTPException) -> Response:
        view = views.of(request)
        title, text = _WRONG.get(error.status_code, (_OTHER, ""))
        text = view.words(text) if text else str(error.detail)
        page = view.say(
            view.words(title), text, status=error.status_code, link="/", link_text=view.words("Front page")
        )
        page.headers.update(error.headers or {})
        return page

    def unread(request: Request, error: RequestValidationError) -> Response:
        """Answer a value of the wrong kind: no page has such an address, and no form of ours sends it."""
        in_path = any(one["loc"][:1] == ("path",) for one in error.errors())
        return wrong(request, HTTPException(404 if in_path else 400))

    def unreachable(request: Request, __: Unreachable) -> Response:
        view = views.of(request)
        text = view.words("Nothing was changed. Please try again in a few minutes.")
        return view.say(view.words("We cannot be reached right now"), text, status=503)

    def crashed(request: Request, __: Exception) -> Response:
        view = views.of(request)
        text = view.words("It is our fault. Please try again later.")
        page = view.say(view.words("Something went wrong"), text, status=500)
        secure = settings.site.base_url.startswith("https:")
        set_headers(page.headers, request.url.path, request.method, secure=secure)  # outside of the guard
        return page

    app.add_exception_handler(HTTPException, wrong)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, unread)  # type: ignore[arg-type]
    app.add_exception_handler(Unreachable, unreachable)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, crashed)
