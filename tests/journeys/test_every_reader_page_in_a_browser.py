"""Every page of readers in a real browser, those seldom seen too: axe finds nothing, and none is wider than its window.

`SHOTS=FOLDER pytest tests/journeys/test_every_reader_page_in_a_browser.py` keeps a picture of each page.
"""

import importlib.util
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
from tests.conftest import skip_unless_ci
from tests.golden.test_readers_pages import name_all
from tests.support.browser import browser, new_context
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
    from axe_playwright_python.base import AXE_SCRIPT

    root = page.locator("html")
    wrong = []
    if (root.get_attribute("lang"), root.get_attribute("dir")) != (language, direction(language)):
        wrong.append("another language")
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        wrong.append("wider than its window")
    if page.get_by_role("heading", level=1).count() != 1:
        wrong.append("not one title")
    page.evaluate(AXE_SCRIPT)
    result: Any = page.evaluate("axe.run()")
    return wrong + [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in result["violations"]]


@pytest.mark.parametrize(("language", "size", "scheme"), LOOKS)
def test_axe_finds_nothing_on_any_page_of_a_reader(
    browser: "Browser", readers: Readers, site: str, language: str, size: str, scheme: Any
) -> None:
    if importlib.util.find_spec("axe_playwright_python") is None:
        skip_unless_ci("no axe here: run `uv sync --group ci`")
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
