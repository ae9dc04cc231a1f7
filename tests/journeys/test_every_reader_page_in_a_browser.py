"""Every page of readers in a real browser, those seldom seen too: axe finds nothing, and none is wider than its window.

`SHOTS=FOLDER pytest tests/journeys/test_every_reader_page_in_a_browser.py` keeps a picture of each page.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from digest.mail.rendering.language_tags import direction
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.server import Server
from tests.golden.test_readers_pages import name_all
from tests.support.browser import browser, list_violations, new_context
from tests.support.every_reader_page import open_every_page
from tests.support.readers import Clock, make_readers

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
SHOTS = os.environ.get("SHOTS", "")
SIZES = {"phone": (360, 740), "desk": (1280, 900)}
# The window's size is the page's for axe, and the language is one of those that are written from the right.
LOOKS = [("en", "phone", "light"), ("de", "desk", "dark"), ("ar", "phone", "dark"), ("ar", "desk", "light")]


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/digest.db"


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    return make_readers(database, name_all(settings))


@pytest.fixture
def site(readers: Readers) -> Iterator[str]:
    server = Server(create_app(readers, readers.settings), "127.0.0.1", 0)
    server.start()
    yield server.url
    server.stop()


def faults(page: "Page", language: str) -> list[str]:
    """Return what is wrong with the page that the browser shows."""
    root = page.locator("html")
    wrong = []
    if (root.get_attribute("lang"), root.get_attribute("dir")) != (language, direction(language)):
        wrong.append("another language")
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        wrong.append("wider than its window")
    if page.get_by_role("heading", level=1).count() != 1:
        wrong.append("not one title")
    return wrong + list_violations(page)


@pytest.mark.parametrize(("language", "size", "scheme"), LOOKS)
def test_axe_finds_nothing_on_any_page_of_a_reader(
    browser: "Browser", readers: Readers, site: str, language: str, size: str, scheme: Any
) -> None:
    app = create_app(readers, readers.settings, now=Clock())
    headers = {"Accept-Language": language}
    with TestClient(app, follow_redirects=False, headers=headers, raise_server_exceptions=False) as client:
        pages = open_every_page(client, readers)
    width, height = SIZES[size]
    context = new_context(
        browser, locale=language, color_scheme=scheme, viewport={"width": width, "height": height}
    )
    page, found = context.new_page(), {}
    page.goto(f"{site}/health/live")
    for number, (name, answer) in enumerate(pages.items()):
        page.set_content(answer.text)
        if SHOTS:
            kept = f"{number:02}-{re.sub('[^a-z]+', '-', name)}-{language}-{size}-{scheme}.png"
            page.screenshot(path=Path(SHOTS) / kept, full_page=True)
        if wrong := faults(page, language):
            found[name] = wrong
    context.close()
    assert found == {}


def test_axe_names_what_is_wrong_on_one_page_after_the_other(browser: "Browser") -> None:
    page = new_context(browser).new_page()
    whole = '<html lang="en"><title>Harbour</title><main><h1>Harbour</h1>{}</main>'
    picture = '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'
    found = []
    for content in ("", picture, ""):
        page.set_content(whole.format(content))
        found.append([one.partition(":")[0] for one in list_violations(page)])
    page.context.close()

    assert found == [[], ["image-alt"], []]
