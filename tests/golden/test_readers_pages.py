"""The guides' pictures of readers' pages: run with UPDATE_GOLDEN=1 after a change that is meant, and look at them."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from digest.models import NoticeKind
from digest.rules.tokens import tokens
from digest.settings import Settings, load_settings
from digest.store import schema
from digest.store.database import Database
from digest.store.readers import notices
from digest.tasks.readers.reader_page import LINK_LIFE, request_link
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.server import Server
from tests.conftest import write_config
from tests.support.browser import browser, new_context
from tests.support.drawing import assert_drawn_as_before
from tests.support.readers import NOW, Clock, link, make_readers, sign_up_and_confirm

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
PHONE, TALL, GAP, WALL = 360, 1180, 24, "#e0dbd4"
ABOUT = {
    "world": "Politics and people",
    "business": "Money, work and markets",
    "culture": "Books, film, music",
    "science": "What was found out",
}
CALLED = {
    "de": {"World Briefing": "Die Welt am Morgen", "The Week": "Die Woche", "world": "Welt", "business": "Wirtschaft",
           "culture": "Kultur", "science": "Wissenschaft", "Politics and people": "Politik und Menschen",
           "Money, work and markets": "Geld, Arbeit, Märkte", "Books, film, music": "Bücher, Film, Musik",
           "What was found out": "Was herausgefunden wurde"},
    "ar": {"World Briefing": "موجز العالم", "The Week": "الأسبوع", "world": "العالم", "business": "الأعمال",
           "culture": "الثقافة", "science": "العلوم", "Politics and people": "السياسة والناس",
           "Money, work and markets": "المال والعمل والأسواق", "Books, film, music": "الكتب والأفلام والموسيقى",
           "What was found out": "ما تم اكتشافه"},
}  # fmt: skip


def name_all(settings: Settings) -> Settings:
    """Return the settings with a name in each language for all that they name."""
    world = settings.digests[0].model_copy(update={"about": ABOUT})
    week = world.model_copy(update={"name": "week", "title": "The Week"})
    site = settings.site.model_copy(update={"names": CALLED})
    return settings.model_copy(update={"digests": (world, week), "site": site})


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Readers]:
    settings = load_settings(write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db"))
    database = Database(settings.database_url)
    schema.migrate(database)
    yield make_readers(database, name_all(settings))
    database.close()


@pytest.fixture
def site(readers: Readers) -> Iterator[str]:
    app = create_app(readers, readers.settings, now=Clock())
    with TestClient(app) as client:
        sign_up_and_confirm(client, readers, digest=["world", "week"])
    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield server.url
    server.stop()


def own_page(readers: Readers) -> str:
    request_link(readers, "anna@example.org", {}, NOW)
    with readers.database.write() as session:
        row = notices.claim_notice(session, 1, NOW)
        assert row is not None
        assert row.kind == NoticeKind.LINK
        notices.set_token(session, row.id or 0, tokens.hash_token("own"), NOW + LINK_LIFE)
    return "/me/own"


def draw(browser: "Browser", url: str, width: int, language: str, scheme: Any = "light") -> Image.Image:
    """Return a picture of a whole page as a phone or a desk shows it."""
    context = new_context(
        browser, viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language,
        java_script_enabled=False,
    )  # fmt: skip
    page = context.new_page()
    page.goto(url)
    shot = page.screenshot(full_page=True)
    context.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def pack(picture: Image.Image) -> bytes:
    """Return a picture as a small PNG: pages have few colours."""
    packed = io.BytesIO()
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        packed, "PNG", optimize=True
    )
    return packed.getvalue()


def test_the_sign_up_is_as_the_guide_shows_it(browser: "Browser", site: str) -> None:
    found = draw(browser, site, 1280, "en")
    assert_drawn_as_before(browser, PICTURES / "sign-up.png", pack(found))


def test_pages_on_a_phone_are_as_the_guide_shows_them(
    browser: "Browser", site: str, readers: Readers
) -> None:
    # The browser writes its own date field in English, whatever the page's language is.
    shots = [
        draw(browser, f"{site}?lang=de", PHONE, "de"),
        draw(browser, f"{site}{link(readers, 'preferences')}", PHONE, "en", "dark"),
        draw(browser, f"{site}{own_page(readers)}?lang=ar", PHONE, "ar"),
    ]
    wall = Image.new("RGB", (len(shots) * (PHONE + GAP) + GAP, TALL + 2 * GAP), WALL)
    for number, shot in enumerate(shots):
        wall.paste(shot.crop((0, 0, PHONE, TALL)), (GAP + number * (PHONE + GAP), GAP))
    assert_drawn_as_before(browser, PICTURES / "reader-pages.png", pack(wall))
