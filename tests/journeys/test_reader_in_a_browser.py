"""A reader's whole path in a real browser: three languages, one from the right, phone and desktop, JavaScript or not.

`SHOTS=FOLDER pytest tests/journeys/test_reader_in_a_browser.py` keeps a picture of each page.
"""

import importlib.util
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from digest.mail.rendering.catalogues import Catalogues, Translator
from digest.mail.rendering.language_tags import direction
from digest.models import Subscription
from digest.resources import bundled
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import notices
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.server import Server
from tests.conftest import skip_unless_ci
from tests.support.browser import browser, list_violations, new_context
from tests.support.readers import link, make_readers, take_token

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
SHOTS = os.environ.get("SHOTS", "")
CATALOGUES = Catalogues(bundled("templates") / "languages")
SIZES = {"phone": (360, 740), "desktop": (1280, 900)}


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/digest.db"


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    world = settings.digest("world").model_copy(update={"about": {"world": "Politics and people"}})
    week = world.model_copy(update={"name": "week", "title": "The Week", "topics": ()})
    called = {
        "de": {"World Briefing": "Die Welt am Morgen", "The Week": "Die Woche", "world": "Welt",
               "business": "Wirtschaft", "culture": "Kultur", "science": "Wissenschaft",
               "Politics and people": "Politik und Menschen"},
        "ar": {"World Briefing": "موجز العالم", "The Week": "الأسبوع", "world": "العالم", "business": "الأعمال",
               "culture": "الثقافة", "science": "العلوم", "Politics and people": "السياسة والناس"},
    }  # fmt: skip
    site = settings.site.model_copy(update={"names": called})
    return make_readers(database, settings.model_copy(update={"digests": (world, week), "site": site}))


@pytest.fixture
def site(readers: Readers) -> Iterator[str]:
    server = Server(create_app(readers, readers.settings, quickest=timedelta()), "127.0.0.1", 0)
    server.start()
    yield server.url
    server.stop()


class Walk:
    """One reader's browser; each page that it comes to is checked."""

    def __init__(self, page: "Page", words: Translator, name: str, *, script: bool) -> None:
        self.page, self.words, self._name, self._script = page, words, name, script
        self._shots = 0
        self.found: list[str] = []

    def look(self, what: str) -> None:
        """Check the page: its direction, its width, its headings, what axe finds; keep a picture on request."""
        page, language = self.page, self.words.language
        root = page.locator("html")
        assert (root.get_attribute("lang"), root.get_attribute("dir")) == (language, direction(language))
        assert page.get_by_role("heading", level=1).count() == 1, what
        if SHOTS:
            self._shots += 1
            page.screenshot(path=Path(SHOTS) / f"{self._name}-{self._shots:02}-{what}.png", full_page=True)
        if not self._script:
            return
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), what
        self.found += [f"{what}: {wrong}" for wrong in list_violations(page)]

    def press(self, text: str) -> None:
        """Press the button of this name, and wait for the page that answers."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=self.words(text), exact=True).first.click()


def state_of(readers: Readers) -> str:
    with readers.database.read() as session:
        return session.exec(select(Subscription).where(Subscription.digest == "world")).one().state


def fresh_link(readers: Readers) -> str:
    with readers.database.write() as session:
        now = datetime.now(UTC)
        row = notices.claim_notice(session, 1, now)
        assert row is not None
        notices.set_token(session, row.id or 0, tokens.hash_token("a-fresh-token"), now + timedelta(hours=1))
    return "/me/a-fresh-token"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_a_reader_joins_changes_leaves_and_comes_back(
    browser: "Browser", site: str, readers: Readers, language: str, size: str, script: bool
) -> None:
    if importlib.util.find_spec("axe_playwright_python") is None:
        skip_unless_ci("no axe here: run `uv sync --group ci`")
    width, height = SIZES[size]
    scheme = "light" if script else "dark"
    context = new_context(
        browser, java_script_enabled=script, locale=language, color_scheme=scheme,
        viewport={"width": width, "height": height},
    )  # fmt: skip
    page, words = context.new_page(), CATALOGUES.translator(language)
    walk = Walk(page, words, f"{language}-{size}-{scheme}", script=script)

    page.goto(site)
    walk.look("home")
    page.get_by_label(words("Your email address")).fill("anna@example.org")
    page.locator('input[name="consent"]').check()
    walk.press("Subscribe")
    walk.look("check-your-inbox")

    page.goto(site + f"/confirm/{take_token(readers, datetime.now(UTC))}")
    walk.look("confirm")
    assert state_of(readers) == "pending"
    walk.press("Confirm my subscription")
    walk.look("confirmed")
    assert state_of(readers) == "confirmed"

    page.goto(f"{site}{link(readers, 'preferences')}?lang={language}")
    page.get_by_label(words("Pause until this date")).fill(
        f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    )
    walk.look("preferences")
    walk.press("Save")
    walk.look("saved")
    assert state_of(readers) == "paused"

    walk.press("Email me a link")
    walk.look("link-sent")
    page.goto(site + fresh_link(readers))
    walk.look("own-page")
    page.locator('select[name="pause-world"]').select_option("none")
    page.get_by_label(words("Name")).fill("Anna")
    walk.press("Save")
    walk.look("own-page-saved")
    assert state_of(readers) == "confirmed"

    page.goto(f"{site}{link(readers, 'unsubscribe')}?lang={language}")
    walk.look("leave")
    walk.press("Unsubscribe")
    walk.look("left")
    assert state_of(readers) == "ended"
    walk.press("Undo")
    walk.look("back")
    assert state_of(readers) == "confirmed"
    assert walk.found == []
    context.close()
