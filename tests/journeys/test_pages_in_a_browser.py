"""The readers' pages in a real browser: by keyboard, without JavaScript, and with nothing from elsewhere."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from digest.models import Subscription
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import confirmations
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.server import Server
from tests.support.browser import browser, new_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]
TO_BASE32 = str.maketrans("0123456789", "abcdefghij")


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/digest.db"


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    ids = itertools.count()
    return Readers(
        database, settings, settings.web.signing_keys, b"the suppression key",
        lambda: f"{next(ids):026}".translate(TO_BASE32), lambda: f"a-random-token-{next(ids)}",
    )  # fmt: skip


@pytest.fixture
def site(readers: Readers) -> Iterator[str]:
    server = Server(create_app(readers, readers.settings, quickest=timedelta()), "127.0.0.1", 0)
    server.start()
    yield server.url
    server.stop()


def state_of(readers: Readers) -> str:
    with readers.database.read() as session:
        return session.exec(select(Subscription)).one().state


def confirmation_path(readers: Readers) -> str:
    with readers.database.write() as session:
        asking = confirmations.claim_confirmation(session, 1, datetime.now(UTC))
        assert asking is not None
        return f"/confirm/{readers.give_token(session, asking.id or 0)}"


def test_a_reader_signs_up_and_confirms_by_keyboard_alone_without_javascript(
    browser: "Browser", site: str, readers: Readers
) -> None:
    page = new_context(browser, java_script_enabled=False).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(site)
    page.get_by_label("Your email address").focus()
    page.keyboard.type("anna@example.org")
    page.get_by_role("checkbox").last.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/subscribe")
    assert state_of(readers) == "pending"

    page.goto(site + confirmation_path(readers))
    assert state_of(readers) == "pending", "looking confirms nothing"
    page.get_by_role("button").first.focus()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Enter")

    assert state_of(readers) == "confirmed"
    assert {url for url in asked if not url.startswith(site)} == set()
    page.context.close()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window(browser: "Browser", site: str, width: int, scheme: str) -> None:
    context = new_context(browser, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(site)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_role("main").count() == 1
    assert errors == []
    context.close()
