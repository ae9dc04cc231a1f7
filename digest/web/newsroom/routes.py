"""The newsroom's routes, and the role that each needs."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from digest.tasks.readers.lists.uploads import ListUploads
from digest.tasks.readers.readers import Readers
from digest.web.desk.pages import DeskPages
from digest.web.newsroom.articles import ARTICLES, ArticleStorePages
from digest.web.newsroom.blocks import BLOCK, BlockPages
from digest.web.newsroom.drafts import DRAFTS, DraftPages
from digest.web.newsroom.figures import FIGURES, FigurePages
from digest.web.newsroom.lists import EXPORT, LISTS, ListPages
from digest.web.newsroom.look import LOOK, LookPages
from digest.web.newsroom.reader import ReaderRecordPages
from digest.web.newsroom.readers import READERS, ReaderListPages
from digest.web.newsroom.segments import SEGMENTS, SegmentPages
from digest.web.newsroom.settings import SETTINGS, SettingsPages
from digest.web.newsroom.sources import SOURCES, SourcePages
from digest.web.newsroom.tokens import TOKENS, TokenPages
from digest.web.newsroom.webhooks import WEBHOOKS, WebhookPages

_LOOK = ["GET", "HEAD"]


def add_newsroom(app: FastAPI, front: DeskPages, readers: Readers, languages: Sequence[str]) -> None:
    """Add the newsroom's pages to an application that has a desk."""
    uploads = app.state.uploads = ListUploads(readers, front.now)
    app.include_router(_lists(front, readers, uploads))
    app.include_router(_segments(front, readers, languages))
    app.include_router(_drafts(front))
    app.include_router(_readers(front, readers, languages))
    app.include_router(_sources(front))
    app.include_router(_articles(front))
    app.include_router(_figures(front))
    app.include_router(_settings(front))
    app.include_router(_looks(front))
    app.include_router(_programs(front))


def _programs(front: DeskPages) -> APIRouter:
    """Return the pages for programs: API tokens and receivers of webhooks."""
    router, gate = APIRouter(), front.gate
    tokens, hooks = TokenPages(front), WebhookPages(front)
    _look(router, TOKENS, tokens.list, gate.look)
    _post(router, f"{TOKENS}/make", tokens.make, gate.editor)
    _look(router, WEBHOOKS, hooks.list, gate.operator_look)
    _post(router, f"{WEBHOOKS}/add", hooks.add, gate.operator)
    one = f"{WEBHOOKS}/{{number}}"
    _look(router, one, hooks.show, gate.operator_look)
    for name, act in (
        ("secret", hooks.renew), ("stop", hooks.stop), ("start", hooks.start), ("remove", hooks.remove),
    ):  # fmt: skip
        _post(router, f"{one}/{name}", act, gate.operator)
    _post(router, f"{one}/replay/{{message}}", hooks.replay, gate.operator)
    _post(router, f"{TOKENS}/{{number}}/revoke", tokens.revoke, gate.editor)
    return router


def _lists(front: DeskPages, readers: Readers, uploads: ListUploads) -> APIRouter:
    router, gate = APIRouter(), front.gate
    pages = ListPages(front, readers, uploads)
    path = f"{LISTS}/{{name}}"
    _look(router, LISTS, pages.show, gate.operator_look)
    _post(router, LISTS, pages.receive, gate.operator_upload)
    _look(router, path, pages.list, gate.operator_look)
    _look(router, f"{path}/lines", pages.lines, gate.operator_look)
    for name, act in (("check", pages.check), ("start", pages.start), ("remove", pages.remove)):
        _post(router, f"{path}/{name}", act, gate.operator)
    _post(router, EXPORT, pages.export, gate.operator)
    return router


def _segments(front: DeskPages, readers: Readers, languages: Sequence[str]) -> APIRouter:
    router, pages, gate = APIRouter(), SegmentPages(front, readers, languages), front.gate
    path = f"{SEGMENTS}/{{segment}}"
    _look(router, SEGMENTS, pages.list, gate.operator_look)
    _post(router, SEGMENTS, pages.save, gate.operator)
    _look(router, path, pages.show, gate.operator_look)
    _post(router, f"{path}/set", pages.change, gate.operator)
    _post(router, f"{path}/remove", pages.remove, gate.operator)
    _look(router, f"{path}/proof", pages.show_proof, gate.operator_look)
    _post(router, f"{path}/proof", pages.send_proof, gate.operator)
    return router


def _drafts(front: DeskPages) -> APIRouter:
    router, pages = APIRouter(), BlockPages(front)
    _look(router, DRAFTS, DraftPages(front).show, front.gate.look)
    _look(router, BLOCK, pages.show, front.gate.look)
    _post(router, BLOCK, pages.save, front.gate.editor)
    return router


def _readers(front: DeskPages, readers: Readers, languages: Sequence[str]) -> APIRouter:
    router, gate = APIRouter(), front.gate
    listed = ReaderListPages(front, readers, languages)
    one = ReaderRecordPages(front, readers, languages)
    path = f"{READERS}/{{reader}}"
    _look(router, READERS, listed.list, gate.operator_look)
    _look(router, path, one.show, gate.operator_look)
    for name, act in (
        ("set", one.change), ("pause", one.pause), ("resume", one.resume), ("leave", one.leave),
        ("link", one.send_link), ("move", one.move), ("suppress", one.suppress), ("erase", one.erase),
    ):  # fmt: skip
        _post(router, f"{path}/{name}", act, gate.operator)
    _post(router, f"{READERS}/unsuppress", listed.unsuppress, gate.operator)
    return router


def _articles(front: DeskPages) -> APIRouter:
    router, pages, gate = APIRouter(), ArticleStorePages(front), front.gate
    path = f"{ARTICLES}/{{article}}"
    _look(router, ARTICLES, pages.list, gate.look)
    _post(router, f"{ARTICLES}/preview", pages.preview, gate.editor)
    _post(router, f"{ARTICLES}/add", pages.add, gate.editor)
    _look(router, path, pages.show, gate.look)
    for name in ("hide", "show", "pin", "unpin"):
        _post(router, f"{path}/{name}", pages.mark(name), gate.editor)
    _post(router, f"{path}/split", pages.split, gate.editor)
    return router


def _figures(front: DeskPages) -> APIRouter:
    router = APIRouter()
    _look(router, FIGURES, FigurePages(front).show, front.gate.look)
    return router


def _looks(front: DeskPages) -> APIRouter:
    router, pages, gate = APIRouter(), LookPages(front), front.gate
    _look(router, LOOK, pages.show, gate.publisher_look)
    _look(router, f"{LOOK}/frame/{{look}}", pages.frame, gate.publisher_look)
    _look(router, f"{LOOK}/templates/{{look}}", pages.templates, gate.publisher_look)
    return router


def _settings(front: DeskPages) -> APIRouter:
    router = APIRouter()
    _look(router, SETTINGS, SettingsPages(front).show, front.gate.operator_look)
    return router


def _sources(front: DeskPages) -> APIRouter:
    router, pages, gate = APIRouter(), SourcePages(front), front.gate
    _look(router, SOURCES, pages.list, gate.look)
    _post(router, f"{SOURCES}/preview", pages.preview, gate.operator)
    for name, act in (("pause", pages.pause), ("resume", pages.resume), ("fetch", pages.fetch)):
        _post(router, f"{SOURCES}/{{source}}/{name}", act, gate.operator)
    return router


def _look(router: APIRouter, path: str, page: Callable[..., Any], allowed: Callable[..., None]) -> None:
    router.add_api_route(path, page, methods=_LOOK, dependencies=[Depends(allowed)])


def _post(router: APIRouter, path: str, act: Callable[..., Any], allowed: Callable[..., None]) -> None:
    router.add_api_route(path, act, methods=["POST"], dependencies=[Depends(allowed)])
