"""The newsroom's routes, and the role that each needs."""

from collections.abc import Sequence

from fastapi import FastAPI

from digest.tasks.readers.lists.uploads import ListUploads
from digest.tasks.readers.readers import Readers
from digest.web.desk.pages import DeskPages
from digest.web.newsroom.articles import ARTICLES, ArticleStorePages
from digest.web.newsroom.blocks import BLOCK, BlockPages
from digest.web.newsroom.drafts import DRAFTS, DraftPages
from digest.web.newsroom.figures import FIGURES, FigurePages
from digest.web.newsroom.lists import EXPORT, LISTS, ListPages
from digest.web.newsroom.look import LOOK, LookPages
from digest.web.newsroom.reader_record import ReaderRecordPages
from digest.web.newsroom.readers import READERS, ReaderListPages
from digest.web.newsroom.segments import SEGMENTS, SegmentPages
from digest.web.newsroom.settings import SETTINGS, SettingsPages
from digest.web.newsroom.sources import SOURCES, SourcePages
from digest.web.newsroom.tokens import TOKENS, TokenPages
from digest.web.newsroom.webhooks import WEBHOOKS, WebhookPages
from digest.web.shared.routes import PageRoutes


def add_newsroom(app: FastAPI, front: DeskPages, readers: Readers, languages: Sequence[str]) -> None:
    """Add the newsroom's pages to an application that has a desk."""
    uploads = app.state.uploads = ListUploads(readers, front.now)
    _lists(front, readers, uploads).add_to(app)
    _segments(front, readers, languages).add_to(app)
    _drafts(front).add_to(app)
    _readers(front, readers, languages).add_to(app)
    _sources(front).add_to(app)
    _articles(front).add_to(app)
    _figures(front).add_to(app)
    _settings(front).add_to(app)
    _looks(front).add_to(app)
    _programs(front).add_to(app)


def _programs(front: DeskPages) -> PageRoutes:
    """Return the pages for programs: API tokens and receivers of webhooks."""
    routes, gate = PageRoutes(), front.gate
    tokens, hooks = TokenPages(front), WebhookPages(front)
    routes.look(TOKENS, tokens.list, gate.look)
    routes.post(f"{TOKENS}/make", tokens.make, gate.editor)
    routes.look(WEBHOOKS, hooks.list, gate.operator_look)
    routes.post(f"{WEBHOOKS}/add", hooks.add, gate.operator)
    one = f"{WEBHOOKS}/{{number}}"
    routes.look(one, hooks.show, gate.operator_look)
    for name, act in (
        ("secret", hooks.renew), ("stop", hooks.stop), ("start", hooks.start), ("remove", hooks.remove),
    ):  # fmt: skip
        routes.post(f"{one}/{name}", act, gate.operator)
    routes.post(f"{one}/replay/{{message}}", hooks.replay, gate.operator)
    routes.post(f"{TOKENS}/{{number}}/revoke", tokens.revoke, gate.editor)
    return routes


def _lists(front: DeskPages, readers: Readers, uploads: ListUploads) -> PageRoutes:
    routes, gate = PageRoutes(), front.gate
    pages = ListPages(front, readers, uploads)
    path = f"{LISTS}/{{name}}"
    routes.look(LISTS, pages.show, gate.operator_look)
    routes.post(LISTS, pages.receive, gate.operator_upload)
    routes.look(path, pages.list, gate.operator_look)
    routes.look(f"{path}/lines", pages.lines, gate.operator_look)
    for name, act in (("check", pages.check), ("start", pages.start), ("remove", pages.remove)):
        routes.post(f"{path}/{name}", act, gate.operator)
    routes.post(EXPORT, pages.export, gate.operator)
    return routes


def _segments(front: DeskPages, readers: Readers, languages: Sequence[str]) -> PageRoutes:
    routes, pages, gate = PageRoutes(), SegmentPages(front, readers, languages), front.gate
    path = f"{SEGMENTS}/{{segment}}"
    routes.look(SEGMENTS, pages.list, gate.operator_look)
    routes.post(SEGMENTS, pages.save, gate.operator)
    routes.look(path, pages.show, gate.operator_look)
    routes.post(f"{path}/set", pages.change, gate.operator)
    routes.post(f"{path}/remove", pages.remove, gate.operator)
    routes.look(f"{path}/proof", pages.show_proof, gate.operator_look)
    routes.post(f"{path}/proof", pages.send_proof, gate.operator)
    return routes


def _drafts(front: DeskPages) -> PageRoutes:
    routes, pages = PageRoutes(), BlockPages(front)
    routes.look(DRAFTS, DraftPages(front).show, front.gate.look)
    routes.look(BLOCK, pages.show, front.gate.look)
    routes.post(BLOCK, pages.save, front.gate.editor)
    return routes


def _readers(front: DeskPages, readers: Readers, languages: Sequence[str]) -> PageRoutes:
    routes, gate = PageRoutes(), front.gate
    listed = ReaderListPages(front, readers, languages)
    one = ReaderRecordPages(front, readers, languages)
    path = f"{READERS}/{{reader}}"
    routes.look(READERS, listed.list, gate.operator_look)
    routes.look(path, one.show, gate.operator_look)
    for name, act in (
        ("set", one.change), ("pause", one.pause), ("resume", one.resume), ("leave", one.leave),
        ("link", one.send_link), ("move", one.move), ("suppress", one.suppress), ("erase", one.erase),
    ):  # fmt: skip
        routes.post(f"{path}/{name}", act, gate.operator)
    routes.post(f"{READERS}/add", listed.add, gate.operator)
    routes.post(f"{READERS}/suppress", listed.suppress, gate.operator)
    routes.post(f"{READERS}/unsuppress", listed.unsuppress, gate.operator)
    return routes


def _articles(front: DeskPages) -> PageRoutes:
    routes, pages, gate = PageRoutes(), ArticleStorePages(front), front.gate
    path = f"{ARTICLES}/{{article}}"
    routes.look(ARTICLES, pages.list, gate.look)
    routes.post(f"{ARTICLES}/preview", pages.preview, gate.editor)
    routes.post(f"{ARTICLES}/add", pages.add, gate.editor)
    routes.look(path, pages.show, gate.look)
    for name in ("hide", "show", "pin", "unpin"):
        routes.post(f"{path}/{name}", pages.mark(name), gate.editor)
    routes.post(f"{path}/split", pages.split, gate.editor)
    return routes


def _figures(front: DeskPages) -> PageRoutes:
    routes = PageRoutes()
    routes.look(FIGURES, FigurePages(front).show, front.gate.look)
    return routes


def _looks(front: DeskPages) -> PageRoutes:
    routes, pages, gate = PageRoutes(), LookPages(front), front.gate
    routes.look(LOOK, pages.show, gate.publisher_look)
    routes.look(f"{LOOK}/frame/{{look}}", pages.frame, gate.publisher_look)
    routes.look(f"{LOOK}/templates/{{look}}", pages.templates, gate.publisher_look)
    return routes


def _settings(front: DeskPages) -> PageRoutes:
    routes = PageRoutes()
    routes.look(SETTINGS, SettingsPages(front).show, front.gate.operator_look)
    return routes


def _sources(front: DeskPages) -> PageRoutes:
    routes, pages, gate = PageRoutes(), SourcePages(front), front.gate
    routes.look(SOURCES, pages.list, gate.look)
    routes.post(f"{SOURCES}/preview", pages.preview, gate.operator)
    routes.post(f"{SOURCES}/add", pages.add, gate.operator)
    routes.look(f"{SOURCES}/{{source}}", pages.show, gate.look)
    for name, act in (
        ("set", pages.change), ("remove", pages.remove),
        ("pause", pages.pause), ("resume", pages.resume), ("fetch", pages.fetch), ("ask", pages.ask),
    ):  # fmt: skip
        routes.post(f"{SOURCES}/{{source}}/{name}", act, gate.operator)
    return routes
