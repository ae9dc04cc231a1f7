"""No page of a reader is wider than a small phone, however long an address, a name or a word on it is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from digest.mail.rendering.catalogues import Catalogues
from digest.models import NoticeKind, Subscriber
from digest.resources import bundled
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import notices
from digest.tasks.readers.reader_page import LINK_LIFE, request_link, request_move
from digest.tasks.readers.readers import Readers
from digest.tasks.readers.sign_up import Choices, ask_for
from digest.web.app import create_app
from digest.web.server import Server
from tests.support.browser import browser, new_context
from tests.support.readers import NOW, Clock, link, make_readers, sign_up_and_confirm, take_token

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ADDRESS = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.example"
WIDTHS = (320, 360)
LANGUAGES = Catalogues(bundled("templates") / "languages").languages


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/digest.db"


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    choices = {"breaking": True, "reader_choices": ("quiet", "min_articles"), "about": {"science": WORD}}
    world = settings.digests[0].model_copy(update={**choices, "title": WORD})
    week = world.model_copy(update={"name": "week", "title": "The Week"})
    called = {language: {"science": WORD, "world": WORD, "weekly": WORD} for language in LANGUAGES}
    site = settings.site.model_copy(update={"name": WORD, "names": called, "postal_address": WORD})
    return make_readers(database, settings.model_copy(update={"digests": (world, week), "site": site}))


@pytest.fixture
def site(readers: Readers) -> Iterator[str]:
    app = create_app(readers, readers.settings, now=Clock())
    with TestClient(app) as client:
        sign_up_and_confirm(client, readers, address=ADDRESS, digest=["world", "week"])
    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield server.url
    server.stop()


def take(readers: Readers, kind: NoticeKind) -> str:
    with readers.database.write() as session:
        row = notices.claim_notice(session, 1, NOW)
        assert row is not None
        assert row.kind == kind
        notices.set_token(session, row.id or 0, tokens.hash_token(kind), NOW + LINK_LIFE)
    return kind


@pytest.fixture
def paths(site: str, readers: Readers) -> list[str]:
    """Return a path of each kind of readers' page, each with the long address or name where it has one."""
    request_link(readers, ADDRESS, {}, NOW)
    own = take(readers, NoticeKind.LINK)
    request_move(readers, own, ADDRESS.replace("a", "d"), {}, NOW)
    leave, preferences = (link(readers, action) for action in ("unsubscribe", "preferences"))
    ask_for(readers, ADDRESS.replace("a", "e"), {"world": Choices(), "week": Choices()}, {}, NOW)
    confirm = f"/confirm/{take_token(readers, NOW)}"
    with readers.database.write() as session:
        anna = session.exec(select(Subscriber).where(Subscriber.address_key == ADDRESS)).one()
        anna.name, anna.language = WORD * 2, "x-unknown"
        session.add(anna)
    move = f"/address/{take(readers, NoticeKind.MOVE)}"
    return ["/", "/link", "/archive", "/archive/world", "/nothing", "/me/none", f"/me/{own}", f"/me/{own}/erase",
            move, preferences, leave, confirm]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_wider_than_a_small_phone(
    browser: "Browser", site: str, paths: list[str], language: str
) -> None:
    context = new_context(browser, locale=language)
    page = context.new_page()
    wide = []
    for path in paths:
        page.goto(f"{site}{path}?lang={language}")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.evaluate("document.querySelectorAll('input[name=digest]').forEach(one => one.checked = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            found = page.evaluate(
                """[...document.querySelectorAll('main *, header *, footer *')].filter(one =>
                    !one.closest('.trap') && getComputedStyle(one).position != 'absolute' &&
                    (one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().left < 0))
                    .map(one => one.outerHTML.slice(0, 80))"""
            )
            if found or page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append((path, width, found[:2]))
    assert wide == []
    context.close()
