"""The desk's routes, and the role that each needs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from sqlmodel import Session
from starlette.responses import Response

from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.desk.desk import Desk
from digest.web.desk.access import HOME, Access, FormOutlived, SignInNeeded, page_of
from digest.web.desk.breaking import BreakingPages
from digest.web.desk.calendar import CALENDAR, CalendarPages
from digest.web.desk.confirmations import ConfirmationPages
from digest.web.desk.edition import EditionPages, Panel
from digest.web.desk.edition_article import EditionArticlePages
from digest.web.desk.home import EDITIONS, HomePages
from digest.web.desk.letters import LETTERS, LetterPages, letters_panel
from digest.web.desk.login import LoginPages
from digest.web.desk.pages import DeskPages
from digest.web.desk.preflight import PreflightPages
from digest.web.desk.preview import PreviewPages
from digest.web.desk.progress import ProgressPages
from digest.web.desk.proof_links import ProofLinkPages
from digest.web.shared.pages import Pages

_EDITION = HOME + "/{digest}/{cadence}/{period}"
_LOOK = ["GET", "HEAD"]


def add_desk(app: FastAPI, desk: Desk, pages: Pages, now: Callable[[], datetime]) -> DeskPages:
    """Add the desk to an application; return the DeskPages that its other pages use."""
    front = DeskPages(desk, pages, Access(desk, now), now)
    _add_files(app, pages)
    app.include_router(_doors(front))
    app.include_router(_offers(front))
    app.include_router(_letters(front))
    app.include_router(_calendar(front))
    _add_endings(app, LoginPages(front))
    return front


def add_editions(
    app: FastAPI,
    front: DeskPages,
    more: Callable[[], Mapping[str, Any]],
    panels: Sequence[Callable[[Session, AgendaEntry], Panel | None]] = (),
) -> None:
    """Add the front page, with the values of `more`, and the editions' pages.

    Add them last: an edition's path matches any three words.
    """
    home = HomePages(front, more)
    router = APIRouter()
    _look(router, HOME, home.home, front.gate)
    _look(router, EDITIONS, home.editions, front.gate)
    app.include_router(router)
    app.include_router(_editions(front, [letters_panel(front), *panels]))


def _add_endings(app: FastAPI, doors: LoginPages) -> None:
    """Handle requests after a session has ended: what was typed is kept."""

    def ask_to_sign_in(request: Request, needed: SignInNeeded) -> Response:
        return doors.keep_typed(request, needed.form)

    def ask_again(request: Request, outlived: FormOutlived) -> Response:
        return doors.send_again(request, outlived.kept, page_of(request), 403)

    app.add_exception_handler(SignInNeeded, ask_to_sign_in)  # type: ignore[arg-type]
    app.add_exception_handler(FormOutlived, ask_again)  # type: ignore[arg-type]


def _doors(front: DeskPages) -> APIRouter:
    router, doors, gate = APIRouter(), LoginPages(front), front.gate
    router.add_api_route(f"{HOME}/login", doors.show_login, methods=_LOOK)
    router.add_api_route(f"{HOME}/password/{{token}}", doors.show_password, methods=_LOOK)
    for path, door in ((f"{HOME}/login", doors.login), (f"{HOME}/password/{{token}}", doors.set_password)):
        _post(router, path, door, gate.visitor)
    _post(router, f"{HOME}/logout", doors.logout, gate.editor)
    _post(router, f"{HOME}/end-others", doors.end_others, gate.editor)
    return router


def _offers(front: DeskPages) -> APIRouter:
    router, offers = APIRouter(), ProofLinkPages(front)
    router.add_api_route(f"{HOME}/proof/{{token}}", offers.show, methods=_LOOK)
    router.add_api_route(f"{HOME}/proof/{{token}}", offers.take, methods=["POST"])
    return router


def _letters(front: DeskPages) -> APIRouter:
    router, pages, gate = APIRouter(), LetterPages(front), front.gate
    _look(router, LETTERS, pages.list, gate)
    _look(router, f"{LETTERS}/{{letter}}", pages.letter, gate)
    for name, act in (("answer", pages.answer), ("done", pages.done), ("print", pages.print)):
        _post(router, f"{LETTERS}/{{letter}}/{name}", act, gate.editor)
    return router


def _calendar(front: DeskPages) -> APIRouter:
    router, pages, gate = APIRouter(), CalendarPages(front), front.gate
    _look(router, CALENDAR, pages.month, gate)
    _post(router, f"{CALENDAR}/feed", pages.make, gate.editor)
    _post(router, f"{CALENDAR}/revoke", pages.revoke, gate.editor)
    router.add_api_route("/calendar/{token}.ics", pages.feed, methods=_LOOK)
    return router


def _editions(
    front: DeskPages, panels: Sequence[Callable[[Session, AgendaEntry], Panel | None]]
) -> APIRouter:
    router, gate = APIRouter(), front.gate
    progress = ProgressPages(front)
    pages = EditionPages(front, progress, panels)
    looking, checks = PreviewPages(front, pages), PreflightPages(front, pages)
    _look(router, _EDITION, pages.edition, gate)
    _look(router, f"{_EDITION}/preview", looking.preview, gate)
    _look(router, f"{_EDITION}/preview/frame", looking.frame, gate)
    single = EditionArticlePages(front, pages)
    _look(router, f"{_EDITION}/find", single.find, gate)
    _look(router, f"{_EDITION}/edit/{{number}}", single.show, gate)
    _post(router, f"{_EDITION}/edit/{{number}}", single.change, gate.editor)
    _post(router, f"{_EDITION}/picture/{{number}}", single.picture, gate.editor_upload)
    for name, act in (
        ("shape", pages.shape), ("add", pages.add), ("note", pages.note), ("hold", pages.hold),
        ("let-go", pages.release), ("to-preview", pages.to_preview), ("proof", looking.proof),
        ("preflight", checks.check),
    ):  # fmt: skip
        _post(router, f"{_EDITION}/{name}", act, gate.editor)
    breaking = BreakingPages(front)
    _look(router, f"{_EDITION}/breaking/{{number}}", breaking.show, gate)
    _post(router, f"{_EDITION}/breaking/{{number}}", breaking.send, gate.publisher)
    asking = ConfirmationPages(front, pages)
    _look(router, f"{_EDITION}/publish", asking.show_publish, gate)
    _look(router, f"{_EDITION}/withdraw/{{number}}", asking.show_withdraw, gate)
    _look(router, f"{_EDITION}/correct/{{number}}", asking.show_correct, gate)
    _post(router, f"{_EDITION}/to-publish", asking.to_publish, gate.publisher)
    _post(router, f"{_EDITION}/publish", asking.publish, gate.publisher)
    _post(router, f"{_EDITION}/withdraw/{{number}}", asking.withdraw, gate.publisher)
    _post(router, f"{_EDITION}/correct/{{number}}", asking.correct, gate.publisher)
    for name, act in (
        ("approve", pages.approve),
        ("pause", progress.pause),
        ("resume", progress.resume),
        ("retry", progress.retry),
    ):
        _post(router, f"{_EDITION}/{name}", act, gate.publisher)
    return router


def _look(router: APIRouter, path: str, page: Callable[..., Any], gate: Access) -> None:
    router.add_api_route(path, page, methods=_LOOK, dependencies=[Depends(gate.look)])


def _post(router: APIRouter, path: str, act: Callable[..., Any], allowed: Callable[..., None]) -> None:
    router.add_api_route(path, act, methods=["POST"], dependencies=[Depends(allowed)])


def _add_files(app: FastAPI, pages: Pages) -> None:
    kept = {"Cache-Control": "public, max-age=3600"}
    script = "text/javascript"
    for name, kind in (("desk.css", "text/css"), ("desk.js", script), ("look.js", script)):
        content = pages.file(f"desk/{name}")

        def file(content: bytes = content, kind: str = kind) -> Response:
            return Response(content, media_type=kind, headers=kept)

        app.add_api_route(f"/{name}", lambda file=file: file(), methods=_LOOK)
