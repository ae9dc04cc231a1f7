"""The web application: the readers' pages, health, and plain pages for what goes wrong."""

from collections.abc import Callable
from datetime import datetime

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from digest.clock import utc_now
from digest.errors import Unreachable
from digest.resources import bundled
from digest.settings import Settings
from digest.tasks.archive import Archive
from digest.tasks.desk.desk import Desk
from digest.tasks.readers.readers import Readers
from digest.web.desk.routes import add_desk
from digest.web.public.archive import ArchivePages
from digest.web.public.images import PicturePages
from digest.web.public.readers import ReaderPages
from digest.web.shared.guard import Guard
from digest.web.shared.pages import Pages
from digest.web.shared.security import SignUpLimit, set_headers

_HEALTH_THREADS = 2
_WRONG = {
    403: ("This is not allowed", ""),
    404: ("There is no such page", "The address may be mistyped, or the page may have moved."),
    405: ("This is done with a button", "Go back, and use the button on the page."),
}


def create_app(
    readers: Readers,
    settings: Settings,
    *,
    desk: Desk | None = None,
    now: Callable[[], datetime] = utc_now,
    is_stalled: Callable[[], bool] = lambda: False,
    sign_ups_per_hour: int = 20,
) -> FastAPI:
    """Create the application of one publication, with the editors' desk where one is given.

    Slashes are not redirected: the redirect would lead to whatever the Host header says.
    """
    app = FastAPI(
        title=settings.site.name, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    pages = Pages(bundled("templates") / "web", settings)
    app.add_middleware(Guard, base_url=settings.site.base_url, trusted=settings.web.trusted_proxies)
    app.include_router(ReaderPages(readers, pages, SignUpLimit(sign_ups_per_hour), now).router())
    if desk is not None:
        add_desk(app, desk, pages, now)
    archive = Archive(readers.database, settings)
    app.include_router(ArchivePages(archive, pages, settings).router())
    app.include_router(PicturePages(archive).router())
    _add_files(app, pages)
    _add_health(app, readers, is_stalled)
    _add_error_pages(app, pages, settings)
    return app


def _add_files(app: FastAPI, pages: Pages) -> None:
    kept = {"Cache-Control": "public, max-age=3600"}

    def style() -> Response:
        return Response(pages.style, media_type="text/css", headers=kept)

    def icon() -> Response:
        return Response(pages.icon, media_type="image/svg+xml", headers=kept)

    app.add_api_route("/style.css", style, methods=["GET", "HEAD"])
    app.add_api_route("/icon.svg", icon, methods=["GET", "HEAD"])


def _add_health(app: FastAPI, readers: Readers, is_stalled: Callable[[], bool]) -> None:
    threads: CapacityLimiter | None = None

    async def health() -> JSONResponse:
        """Tell whether the database answers; its threads are its own, so that busy pages do not delay it."""
        nonlocal threads
        threads = threads or CapacityLimiter(_HEALTH_THREADS)
        try:
            await to_thread.run_sync(readers.check_database, limiter=threads)
        except Unreachable:
            return JSONResponse({"ok": False, "database": "does not answer"}, 503)
        if is_stalled():
            return JSONResponse({"ok": False, "database": "answers", "scheduler": "stalled"}, 503)
        return JSONResponse({"ok": True, "database": "answers"})

    async def alive() -> JSONResponse:
        """Tell that the process answers; what a restart would not mend is not asked."""
        return JSONResponse({"ok": True})

    for path in ("/health", "/health/ready"):
        app.add_api_route(path, health, methods=["GET", "HEAD"])
    app.add_api_route("/health/live", alive, methods=["GET", "HEAD"])


def _add_error_pages(app: FastAPI, pages: Pages, settings: Settings) -> None:
    def wrong(_: Request, error: HTTPException) -> Response:
        title, text = _WRONG.get(error.status_code, ("This did not work", "Please go back and try again."))
        text = text or str(error.detail)
        page = pages.say(title, text, status=error.status_code, link="/", link_text="To the front page")
        page.headers.update(error.headers or {})
        return page

    def unreadable(_: Request, __: RequestValidationError) -> Response:
        return pages.say("The form could not be read", "Please go back and fill it in again.", status=400)

    def unreachable(_: Request, __: Unreachable) -> Response:
        text = "Nothing was changed. Please try again in a few minutes."
        return pages.say("We cannot be reached right now", text, status=503)

    def crashed(request: Request, __: Exception) -> Response:
        page = pages.say("Something went wrong", "It is our fault; please try again later.", status=500)
        secure = settings.site.base_url.startswith("https:")
        set_headers(page.headers, request.url.path, request.method, secure=secure)  # outside of the guard
        return page

    app.add_exception_handler(HTTPException, wrong)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, unreadable)  # type: ignore[arg-type]
    app.add_exception_handler(Unreachable, unreachable)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, crashed)
