"""A real browser for tests: Debian's Chromium, driven by Playwright, with no way out of this machine."""

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import skip_unless_ci

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
_LOCAL = ("127.0.0.1", "localhost", "::1")


@contextmanager
def launched() -> Iterator["Browser"]:
    """Start the browser, or skip with the reason; Playwright's loop ends with it, so that others may run theirs."""
    if importlib.util.find_spec("playwright") is None:
        skip_unless_ci("no Playwright here: run `uv sync --group ci`")
    if shutil.which(CHROMIUM) is None:
        skip_unless_ci("no browser here: install Debian's chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        )
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: "Browser", **options: Any) -> "BrowserContext":
    """Open a context that reaches this machine alone; options are Playwright's (viewport, color_scheme, ...)."""
    context = browser.new_context(**{"service_workers": "block", "locale": "en-GB", **options})
    context.set_default_timeout(60_000)
    context.route("**/*", _only_local)
    return context


def sign_in(page: "Page", url: str, address: str, password: str) -> None:
    """Sign in to the desk with the mouse, and wait for its front page."""
    page.goto(f"{url}/desk")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Upcoming editions").wait_for()


def list_violations(page: "Page", *, frames: bool = True) -> list[str]:
    """List what axe finds wrong with the page that is shown, or with all of it but its frames.

    Only that leaves the browser: all that axe tells of a page takes longer to hand over than to find.
    """
    if importlib.util.find_spec("axe_playwright_python") is None:
        skip_unless_ci("no axe here: run `uv sync --group ci`")
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    place = "document" if frames else "{exclude: [['iframe']]}"
    found: list[str] = page.evaluate(
        f"axe.run({place}, {{resultTypes: ['violations']}}).then(({{violations}}) =>"
        " violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)}`))"
    )
    return found


def _only_local(route: "Route") -> None:
    parts = urlsplit(route.request.url)
    if parts.scheme in ("http", "https") and parts.hostname not in _LOCAL:
        route.abort()
    else:
        route.continue_()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Yield a browser that the tests of one module share."""
    with launched() as browser:
        yield browser
