"""The desk's routes, and the role that each needs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from sqlmodel import Session
from starlette.responses import Response

from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.desk.desk import Desk
from digest.web.desk.access import HOME, Access, FormOutlived, SignInNeeded, page_of
from digest.web.desk.breaking import BreakingPages
from digest.web.desk.calendar import CALENDAR, CalendarPages
from digest.web.desk.edition import EditionPages, Panel
from digest.web.desk.edition_article import EditionArticlePages
from digest.web.desk.home import EDITIONS, HomePages
from digest.web.desk.irreversible import IrreversiblePages
from digest.web.desk.letters import LETTERS, LetterPages, letters_panel
from digest.web.desk.login import LoginPages
from digest.web.desk.pages import DeskPages
from digest.web.desk.preflight import PreflightPages
from digest.web.desk.preview import PreviewPages
from digest.web.desk.progress import ProgressPages
from digest.web.desk.proof_links import ProofLinkPages
from digest.web.shared.pages import Pages
from digest.web.shared.routes import PageRoutes

_EDITION = HOME + "/{digest}/{cadence}/{period}"


def add_desk(app: FastAPI, desk: Desk, pages: Pages, now: Callable[[], datetime]) -> DeskPages:
    """Add the desk to an application; return the DeskPages that its other pages use."""
    front = DeskPages(desk, pages, Access(desk, now), now)
    _add_files(app, pages)
    _doors(front).add_to(app)
    _offers(front).add_to(app)
    _letters(front).add_to(app)
    _calendar(front).add_to(app)
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
    routes = PageRoutes()
    routes.look(HOME, home.home, front.gate.look)
    routes.look(EDITIONS, home.editions, front.gate.look)
    routes.add_to(app)
    _editions(front, [letters_panel(front), *panels]).add_to(app)


def _add_endings(app: FastAPI, doors: LoginPages) -> None:
    """Handle requests after a session has ended: what was typed is kept."""

    def ask_to_sign_in(request: Request, needed: SignInNeeded) -> Response:
        return doors.keep_typed(request, needed.form)

    def ask_again(request: Request, outlived: FormOutlived) -> Response:
        return doors.send_again(request, outlived.kept, page_of(request), 403)

    app.add_exception_handler(SignInNeeded, ask_to_sign_in)  # type: ignore[arg-type]
    app.add_exception_handler(FormOutlived, ask_again)  # type: ignore[arg-type]


def _doors(front: DeskPages) -> PageRoutes:
    routes, doors, gate = PageRoutes(), LoginPages(front), front.gate
    routes.look(f"{HOME}/login", doors.show_login)
    routes.look(f"{HOME}/password/{{token}}", doors.show_password)
    for path, door in ((f"{HOME}/login", doors.login), (f"{HOME}/password/{{token}}", doors.set_password)):
        routes.post(path, door, gate.visitor)
    routes.post(f"{HOME}/logout", doors.logout, gate.editor)
    routes.post(f"{HOME}/end-others", doors.end_others, gate.editor)
    return routes


def _offers(front: DeskPages) -> PageRoutes:
    routes, offers = PageRoutes(), ProofLinkPages(front)
    routes.look(f"{HOME}/proof/{{token}}", offers.show)
    routes.post(f"{HOME}/proof/{{token}}", offers.take)
    return routes


def _letters(front: DeskPages) -> PageRoutes:
    routes, pages, gate = PageRoutes(), LetterPages(front), front.gate
    routes.look(LETTERS, pages.list, gate.look)
    routes.look(f"{LETTERS}/{{letter}}", pages.letter, gate.look)
    for name, act in (("answer", pages.answer), ("done", pages.done), ("print", pages.print)):
        routes.post(f"{LETTERS}/{{letter}}/{name}", act, gate.editor)
    return routes


def _calendar(front: DeskPages) -> PageRoutes:
    routes, pages, gate = PageRoutes(), CalendarPages(front), front.gate
    routes.look(CALENDAR, pages.month, gate.look)
    routes.post(f"{CALENDAR}/feed", pages.make, gate.editor)
    routes.post(f"{CALENDAR}/revoke", pages.revoke, gate.editor)
    routes.look("/calendar/{token}.ics", pages.feed)
    return routes


def _editions(
    front: DeskPages, panels: Sequence[Callable[[Session, AgendaEntry], Panel | None]]
) -> PageRoutes:
    routes, gate = PageRoutes(), front.gate
    progress = ProgressPages(front)
    pages = EditionPages(front, progress, panels)
    looking, checks = PreviewPages(front, pages), PreflightPages(front, pages)
    routes.look(_EDITION, pages.edition, gate.look)
    routes.look(f"{_EDITION}/preview", looking.preview, gate.look)
    routes.look(f"{_EDITION}/preview/frame", looking.frame, gate.look)
    single = EditionArticlePages(front, pages)
    routes.look(f"{_EDITION}/find", single.find, gate.look)
    routes.look(f"{_EDITION}/edit/{{number}}", single.show, gate.look)
    routes.post(f"{_EDITION}/edit/{{number}}", single.change, gate.editor)
    routes.post(f"{_EDITION}/picture/{{number}}", single.picture, gate.editor_upload)
    for name, act in (
        ("shape", pages.shape), ("add", pages.add), ("note", pages.note), ("hold", pages.hold),
        ("let-go", pages.release), ("to-preview", pages.to_preview), ("proof", looking.proof),
        ("preflight", checks.check),
    ):  # fmt: skip
        routes.post(f"{_EDITION}/{name}", act, gate.editor)
    breaking = BreakingPages(front)
    routes.look(f"{_EDITION}/breaking/{{number}}", breaking.show, gate.look)
    routes.post(f"{_EDITION}/breaking/{{number}}", breaking.send, gate.publisher)
    asking = IrreversiblePages(front, pages)
    routes.look(f"{_EDITION}/publish", asking.show_publish, gate.look)
    routes.look(f"{_EDITION}/withdraw/{{number}}", asking.show_withdraw, gate.look)
    routes.look(f"{_EDITION}/correct/{{number}}", asking.show_correct, gate.look)
    routes.post(f"{_EDITION}/to-publish", asking.to_publish, gate.publisher)
    routes.post(f"{_EDITION}/publish", asking.publish, gate.publisher)
    routes.post(f"{_EDITION}/withdraw/{{number}}", asking.withdraw, gate.publisher)
    routes.post(f"{_EDITION}/correct/{{number}}", asking.correct, gate.publisher)
    for name, act in (
        ("approve", pages.approve),
        ("pause", progress.pause),
        ("resume", progress.resume),
        ("retry", progress.retry),
    ):
        routes.post(f"{_EDITION}/{name}", act, gate.publisher)
    return routes


def _add_files(app: FastAPI, pages: Pages) -> None:
    kept = {"Cache-Control": "public, max-age=3600"}
    script = "text/javascript"
    for name, kind in (("desk.css", "text/css"), ("desk.js", script), ("look.js", script)):
        app.add_api_route(f"/{name}", _file(pages.file(f"desk/{name}"), kind, kept), methods=["GET", "HEAD"])


def _file(content: bytes, kind: str, headers: Mapping[str, str]) -> Callable[[], Response]:
    """Return what serves a file; a parameter of its own would be one of the request's query."""

    def file() -> Response:
        return Response(content, media_type=kind, headers=headers)

    return file
