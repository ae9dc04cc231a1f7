"""Hostile articles in a real browser: no script runs, nothing is asked for elsewhere, each page has a strict policy."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import Session

from digest.articles.html.cleaning import clean_html
from digest.bootstrap import Application
from digest.models import Article, Correction, Edition, EditionState, Variant, VariantArticle
from digest.settings import Settings, load_settings
from digest.tasks.editions.preview import Viewer, preview
from digest.web.app import create_app
from digest.web.server import Server
from tests.conftest import write_config
from tests.support.browser import browser, new_context, sign_in
from tests.support.desks import MARA, PASSWORD, Clock, Newsdesk
from tests.support.hostile import hostile_strings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

__all__ = ["browser"]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEP = 17  # of five thousand strings: a sample that meets every kind
A_PAGE = 60


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/digest.db"


@pytest.fixture
def app(settings: Settings) -> Iterator[Application]:
    app = Application(settings, clock=lambda: NOW)
    yield app
    app.close()


@pytest.fixture
def editions(app: Application) -> list[str]:
    """Store hostile articles past all cleaning, and make editions of them; give their paths."""
    texts = hostile_strings()[::STEP]
    paths = []
    with app.database.write() as session:
        for start in range(0, len(texts), A_PAGE):
            period = f"2026-03-{start // A_PAGE + 1:02}"
            _add_edition(session, period, texts[start : start + A_PAGE], app.settings.site.base_url)
            paths.append(f"/archive/world/daily/{period}")
    return paths


def _add_edition(session: Session, period: str, texts: list[str], base: str) -> None:
    at = NOW + timedelta(days=int(period[-2:]))
    made: dict[str, Any] = {"deadline_at": at, "freeze_at": at, "frozen_at": at}
    edition = Edition(
        digest="world", cadence="daily", period=period, state=EditionState.FINISHED,
        introduction="\n\n".join(texts[:5]), **made,
    )  # fmt: skip
    notice = Edition(digest="world", cadence="correction", period=period, state="finished", **made)
    session.add_all([edition, notice])
    session.flush()
    variant = Variant(edition_id=edition.id or 0, key="1", language="en")
    session.add(variant)
    session.flush()
    for place, text in enumerate(texts):
        key = f"{period}-{place}"
        article = Article(
            source="newsroom", canonical_url=key, url=text if place % 2 else f"https://courier.example/{key}",
            content_hash=key, title=text, summary=text, author=text, place=text, language=text[:30],
            topics=["world", text], image_url=text if place % 3 else f"https://courier.example/{text}",
            image_alt=text, first_seen_at=at - timedelta(hours=1), html=clean_html(text, base), text=text,
        )  # fmt: skip
        session.add(article)
        session.flush()
        session.add(VariantArticle(variant_id=variant.id or 0, position=place, article_id=article.id or 0))
        if place == 0:
            session.add(
                Correction(
                    article_id=article.id or 0, edition_id=notice.id or 0, text="\n\n".join(texts), at=at
                )
            )


class Watched:
    """A page that notes whatever runs, is refused, or is asked for elsewhere."""

    def __init__(self, browser: "Browser", own: str) -> None:
        self.page: Page = new_context(browser).new_page()
        self.seen: list[str] = []
        self.page.on("dialog", self._spoken_to)
        self.page.on("pageerror", lambda error: self.seen.append(f"script {error}"))
        self.page.on("console", lambda line: self._note(line.text))
        self.page.on("request", lambda request: self._asked(request.url, own))

    def _spoken_to(self, dialog: "Dialog") -> None:
        self.seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _note(self, line: str) -> None:
        if any(sign in line for sign in ("Content Security Policy", "Refused to", "Blocked script")):
            self.seen.append(line)

    def _asked(self, url: str, own: str) -> None:
        if not url.startswith((own, "https://courier.example/", "data:")):
            self.seen.append(f"request {url[:100]}")

    def visit(self, url: str) -> str:
        answer = self.page.goto(url, wait_until="load")
        self.page.mouse.move(200, 200)
        self.page.keyboard.press("Tab")
        return answer.headers.get("content-security-policy", "") if answer else ""


def test_the_archive_shows_hostile_articles_as_text(
    browser: "Browser", app: Application, editions: list[str]
) -> None:
    server = Server(create_app(app.readers, app.settings, now=lambda: NOW), "127.0.0.1", 0)
    server.start()
    try:
        watched = Watched(browser, server.url)
        for path in [*editions, "/archive", "/archive/world", "/archive/feed.xml"]:
            policy = watched.visit(server.url + path)
            assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'"), path
            assert "script" not in policy
            assert "unsafe" not in policy
            assert "*" not in policy
            assert watched.page.evaluate("document.scripts.length") == 0
        assert watched.seen == []
    finally:
        server.stop()


def test_a_previewed_message_shows_them_as_text_even_where_nothing_guards_it(
    browser: "Browser", app: Application, editions: list[str], tmp_path: Path
) -> None:
    digest = app.settings.digest("world").model_copy(update={"max_articles": 200})
    settings = app.settings.model_copy(update={"digests": (digest,)})
    watched = Watched(browser, "file://")
    for day in (1, 3, 5):
        shown = preview(
            app.database, settings, app.composer, digest, cadence="daily", view=Viewer(),
            at=NOW + timedelta(days=day, hours=1),
        )  # fmt: skip
        path = tmp_path / f"{day}.html"
        path.write_text(shown.parts()[0], encoding="utf-8")
        watched.visit(path.as_uri())
        assert watched.page.evaluate("document.scripts.length") == 0
        assert (
            watched.page.evaluate("document.querySelectorAll('iframe, object, embed, form, base').length")
            == 0
        )
    assert watched.seen == []


@pytest.fixture
def newsdesk(tmp_path: Path) -> Iterator[Newsdesk]:
    config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db")
    text = config.read_text().replace("https://courier.example", "http://127.0.0.1:8000")
    config.write_text(text.replace("max_articles = 5", "max_articles = 60"))
    newsdesk = Newsdesk(load_settings(config), Clock())
    yield newsdesk
    newsdesk.close()


def test_the_desk_and_its_preview_show_them_as_text(browser: "Browser", newsdesk: Newsdesk) -> None:
    texts = hostile_strings()[:: STEP * 5]
    for place, text in enumerate(texts):
        newsdesk.publish(
            text, "world", text, hours=1 + place / 100, author=text, place=text, language=text[:30],
            image_url=text if place % 2 else f"https://courier.example/{text}", image_alt=text,
        )  # fmt: skip
    # A placeholder or a picture would be refused.
    words = re.sub(r"[{}]|!\[|<(?=img|image|svg|picture|source)", "", "\n\n".join(texts[:9]), flags=re.I)
    saved = newsdesk.sign_in().do(
        "shape", subject=re.sub("[{}]", "", texts[0]), introduction=words, do="save"
    )
    assert saved.status_code == 303, saved.text
    server = Server(newsdesk.web, "127.0.0.1", 0)
    server.start()
    try:
        watched = Watched(browser, server.url)
        watched.visit(f"{server.url}/desk")
        sign_in(watched.page, server.url, MARA, PASSWORD)
        for path in ("/desk", Newsdesk.PATH, f"{Newsdesk.PATH}/preview"):
            policy = watched.visit(server.url + path)
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert watched.page.evaluate("[...document.scripts].every(s => s.src.endsWith('/desk.js'))")
        assert watched.page.frames[-1].evaluate("document.body.innerText.length") > 1_000
        assert watched.seen == []
    finally:
        server.stop()


def test_what_runs_or_asks_elsewhere_would_be_noticed(browser: "Browser", tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text('<script>alert(1)</script><img src="https://evil.example/x" onerror="throw 2">')
    watched = Watched(browser, "file://")

    watched.visit(path.as_uri())

    assert {line.split()[0] for line in watched.seen} == {"dialog", "request", "script"}
