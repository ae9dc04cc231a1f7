"""Draw every screen of the desk for docs/screens.md: `uv run python -m tests.support.screens [NAME...]`.

The sample newsroom lives a month in a folder that is deleted afterwards, by a clock of its own, so that the
pictures differ by what the program shows and not by the day. Each picture has a screen of 1,280 px by day beside
one of 360 px by night. Without names all are drawn, and pictures of screens that are gone are deleted.
"""

import io
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from sqlmodel import Session, col, delete, select

from digest.bootstrap import Application
from digest.demo.loader import EDITOR, load, password_of, prepare, start_catcher
from digest.demo.stories import add_stories
from digest.models import (
    ApiScope,
    Article,
    Bounce,
    Delivery,
    Edition,
    EditionSums,
    Letter,
    Source,
    Subscriber,
    WebhookEvent,
)
from digest.models.ledger import DailyFigures
from digest.models.row import row_id
from digest.settings import load_settings
from digest.tasks.api.tokens import make_token
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.figures.daily import take_figures
from digest.tasks.figures.kept_counts import keep_sums
from digest.tasks.sources.desk_sources import WantedSource, add_source
from digest.tasks.webhooks.receivers import add_receiver
from digest.web.app import create_app
from digest.web.server import Server
from tests.support.browser import launched, new_context, sign_in
from tests.support.desks import Clock
from tests.support.websites import Website
from tests.support.websites import page as page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).parents[2] / "docs" / "pictures" / "screens"
_NOW = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
_WIDE, _NARROW, _TALLEST = 1280, 360, 1250
_SCALE, _GAP, _QUALITY = 0.75, 18, 55
_DAYS = 45
_DAY = timedelta(days=1)
_MORE = """
[inbound]
address = "news@courier.example"

[analytics]
clicks = "count"

[[sources]]
name = "harbour-radio"
url = "newsroom/radio.xml"
every = "1h"
"""
_PUT = """([from, to]) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    walker.currentNode.data = walker.currentNode.data.replace(new RegExp(from), to);
  }
}"""
"""Puts in the newsroom's folder, and in a site's address, what one would have."""
_LOOPBACK = "http://127\\.0\\.0\\.1:(?!8)\\d+"
_FRONT = b"""<html><head><title>Harbour Office</title>
<link rel="alternate" type="application/rss+xml" title="All news" href="/all.xml">
<link rel="alternate" type="application/rss+xml" title="Ships and tides" href="/ships.xml"></head></html>"""
_NEWS = {
    "all": ("Night ferry starts again in March", "Pilots ask for a second tug", "Quay 4 gets its cranes"),
    "ships": ("Arrivals of the week", "Spring tide on Thursday: the lower quay is closed"),
}
_LIST = "email,name,status\nada@post.example,Ada Byron,active\nbo@post.example,Bo,unsubscribed\nnonsense,,\n"


@dataclass(frozen=True)
class Screen:
    """One screen: its picture's name, its address, and what is typed and pressed before it is drawn."""

    name: str
    path: str
    press: str = ""
    typed: tuple[str, str] = ("", "")


def screens(known: dict[str, str]) -> list[Screen]:
    """List all screens, in the order of docs/screens.md."""
    coming, made = known["coming"], known["made"]
    return [
        Screen("login", "/desk/login"),
        Screen("front", "/desk"),
        Screen("editions", "/desk/editions"),
        Screen("line-up", coming),
        Screen("article-of-an-edition", f"{coming}/edit/{known['lead']}"),
        Screen("free-block", f"{coming}/block/new"),
        Screen("preview", f"{coming}/preview"),
        Screen("checks", coming, press="Run checks"),
        Screen("publish", f"{coming}/publish"),
        Screen("edition", made),
        Screen("withdraw", f"{made}/withdraw/{known['article']}"),
        Screen("correct", f"{made}/correct/{known['article']}"),
        Screen("breaking", f"{made}/breaking/{known['article']}"),
        Screen("drafts", "/desk/drafts"),
        Screen("calendar", "/desk/calendar"),
        Screen("articles", "/desk/articles?search=harbour"),
        Screen("article", f"/desk/articles/{known['article']}"),
        Screen("readers", "/desk/readers"),
        Screen("reader", f"/desk/readers/{known['reader']}"),
        Screen("segments", "/desk/readers/segments"),
        Screen("segment", "/desk/readers/segments/1"),
        Screen("segment-proof", f"/desk/readers/segments/1/proof?edition={coming.removeprefix('/desk/')}"),
        Screen("import", "/desk/readers/import"),
        Screen("list", f"/desk/readers/import/{known['list']}"),
        Screen("sources", "/desk/sources", press="See what it sends.*wire"),
        Screen("source", "/desk/sources/harbour-ships"),
        Screen(
            "source-add", "/desk/sources", "^Preview$", ("Address of a feed or a site", f"{known['site']}/")
        ),
        Screen("letters", "/desk/letters"),
        Screen("letter", "/desk/letters/1"),
        Screen("figures", "/desk/figures"),
        Screen("look", "/desk/look"),
        Screen("templates", "/desk/look/templates/letter"),
        Screen("api", "/desk/api"),
        Screen("webhooks", "/desk/api/webhooks"),
        Screen("webhook", "/desk/api/webhooks/1"),
        Screen("settings", "/desk/settings"),
        Screen("counted", "/counted"),
    ]


@contextmanager
def harbour_office() -> Iterator[Website]:
    """Serve a site with two feeds, for a source that is added at the desk."""
    told = "<pubDate>Mon, 02 Nov 2026 08:00:00 +0000</pubDate>"  # too old for the editions that are shown
    item = f"<item><title>{{0}}</title><link>https://harbour.example/{{1}}</link>{told}</item>"
    with Website() as site:
        site.pages["/"] = page_of(_FRONT, Content_Type="text/html")
        for name, titles in _NEWS.items():
            items = "".join(item.format(title, number) for number, title in enumerate(titles))
            feed = f'<rss version="2.0"><channel><title>Harbour Office</title>{items}</channel></rss>'
            site.pages[f"/{name}.xml"] = page_of(feed.encode())
        yield site


def live(app: Application, clock: Clock, site: Website) -> dict[str, str]:
    """Let the sample newsroom live: figures of a month, failures, letters, a token, a source of the desk;
    return what is where."""
    ships = WantedSource(
        f"{site.url}/ships.xml", f"{site.url}/", "harbour-ships", "Harbour Office", ("world",), every="30m"
    )
    add_source(app.database, app.settings, ships, EDITOR, clock())
    fetch_due(app.database, app.settings, clock(), only="harbour-ships")
    with app.database.write() as session:
        made = session.exec(select(Edition).where(Edition.cadence == "daily")).one()
        path, lead = made.name.path, _add_letters(session, made, clock())
        _fail_some(session, made, clock())
        reader = session.exec(select(Subscriber.public_id).order_by(col(Subscriber.id)).offset(3)).first()
        session.merge(_radio(session, clock()))
    keep_sums(app.database, app.settings, clock())
    take_figures(app.database, app.settings, clock() + _DAY)
    with app.database.write() as session:
        _grow(session, clock())
    scopes = [ApiScope.ARTICLES_READ, ApiScope.ARTICLES_WRITE]
    make_token(app.database, lambda: "t" * 40, "WordPress", scopes, clock(), None)
    events = [WebhookEvent.SUBSCRIBED, WebhookEvent.LEFT, WebhookEvent.EDITION_FINISHED]
    add_receiver(app.database, app.settings, "https://crm.courier.example/hooks", events, EDITOR, clock())
    return {"site": site.url, "made": path, "article": str(lead), "reader": str(reader)}


def _add_letters(session: Session, made: Edition, now: datetime) -> int:
    """Add letters about an article of an edition; return its id."""
    article = session.exec(select(Article).where(col(Article.title).startswith("Harbour bridge"))).one()
    writer = session.exec(select(Subscriber).order_by(col(Subscriber.id))).first()
    assert writer is not None
    for hours, text, state in (
        (3, "The bridge was never closed to bicycles. Could you correct that?", "new"),
        (9, "Thank you for the drawing: my daughter has it on her wall.", "answered"),
    ):
        session.add(
            Letter(
                at=now - timedelta(hours=hours), sender=writer.address, name=writer.name, state=state,
                subject=f"Re: {article.title}", text=text, subscriber_id=writer.id, edition_id=made.id,
                article_id=article.id, quoted="> The old swing bridge turns again.",
            )
        )  # fmt: skip
    return row_id(article)


def _fail_some(session: Session, made: Edition, now: datetime) -> None:
    """Let two deliveries of an edition fail."""
    rows = session.exec(select(Delivery).where(Delivery.edition_id == made.id).order_by(col(Delivery.id)))
    for delivery in list(rows)[-2:]:
        delivery.state, delivery.reply_code = "failed", 550
        delivery.reply_text, delivery.reason = "5.1.1 no such user here", "unknown user"
        session.add(delivery)
    session.exec(delete(EditionSums))  # counted before
    reader = session.exec(select(Subscriber).order_by(col(Subscriber.id).desc())).first()
    assert reader is not None
    session.add(
        Bounce(
            at=now,
            subscriber_id=row_id(reader),
            receiver="readers.example",
            reason="unknown user",
            weight="hard",
        )
    )


def _radio(session: Session, now: datetime) -> Source:
    """Return the source that fails, with a month of fetches behind it."""
    source = session.exec(select(Source).where(Source.name == "harbour-radio")).one()
    rng = random.Random(4)
    attempts: list[list[str | int]] = []
    for hours in range(29, -1, -1):
        outcome = "failed" if hours < 3 else rng.choice(["new", "same", "same", "same"])
        attempts.append([(now - timedelta(hours=hours)).isoformat(), outcome, int(outcome == "new")])
    source.recent, source.failures = attempts, 3
    source.last_success_at = now - timedelta(hours=3)
    return source


def _grow(session: Session, now: datetime) -> None:
    """Enter the figures of the days before the newsroom's first one: readers come, and some leave."""
    last = session.exec(select(DailyFigures).order_by(col(DailyFigures.day).desc())).first()
    assert last is not None
    counted, rng = last.counted, random.Random(2)
    for back in range(1, _DAYS):
        day = (now - back * _DAY).date()
        readers = max(6, 25 - back // 3 + rng.randint(-1, 1))
        acts = {"asked": rng.randint(0, 3), "confirmed": rng.randint(0, 2), "left": int(rng.random() < 0.2)}
        name = f"world daily {day.isoformat()}"
        editions = [
            {**one, "name": name, "minutes": rng.randint(2, 9), "states": {"accepted": readers}}
            for one in counted["editions"][:1]
        ]
        own: dict[str, Any] = {
            "acts": acts, "editions": editions, "letters": [], "readers": {"world": {"confirmed": readers}},
            "cadences": counted["cadences"], "topics": counted["topics"],
        }  # fmt: skip
        session.merge(DailyFigures(day=day.isoformat(), taken_at=now, counted=own))


@contextmanager
def newsroom() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Serve the sample newsroom; yield its address, the editor's password, and what is where."""
    with harbour_office() as site, tempfile.TemporaryDirectory(prefix="screens-") as name:
        folder, clock = Path(name), Clock(_NOW)
        prepare(folder, "a secret of the pictures, long enough", _NOW)
        config = folder / "config.toml"
        text = config.read_text().replace('welcome = "edition"', 'welcome = "edition"\nbreaking = true')
        allowed = f'\n\n[fetch]\nprivate_sources = ["{site.url}"]'
        config.write_text(text.replace("[[digests]]", f"{_MORE.strip()}{allowed}\n\n[[digests]]", 1))
        settings = load_settings(config)
        catcher, settings = start_catcher(settings, folder)
        app = Application(settings, clock=clock)
        load(app, folder)
        known = live(app, clock, site)
        pages = create_app(app.readers, settings, desk=app.desk, now=clock)
        add_stories(pages, app, folder)
        server = Server(pages, "127.0.0.1", settings.web.port)
        server.start()
        try:
            yield server.url.rstrip("/"), password_of(settings), known
        finally:
            server.stop()
            catcher.stop()
            app.close()


def visit(browser: "Browser", width: int, scheme: Any) -> "Page":
    """Open a browser of its own."""
    viewport = {"width": width, "height": 800}
    context = new_context(browser, viewport=viewport, color_scheme=scheme, device_scale_factor=_SCALE)
    return context.new_page()


def open_desk(browser: "Browser", url: str, password: str, width: int, scheme: Any) -> "Page":
    """Open the desk in a browser of its own."""
    page = visit(browser, width, scheme)
    sign_in(page, url, EDITOR, password)
    return page


def fill(page: "Page", url: str, known: dict[str, str]) -> None:
    """Do at the desk what the screens show: a free block, a segment, a list."""
    page.goto(f"{url}/desk")
    page.get_by_role("link", name="World Briefing daily").click()
    known["coming"] = page.url.removeprefix(url).partition("?")[0]
    page.get_by_role("button", name="Add a free block").click()
    page.get_by_label("Text, in Markdown").fill("**We have moved.** Our door is now at *1 Quay Street*.")
    page.get_by_role("button", name="Save").click()
    edit = page.locator("a[href*='/edit/'], button[formaction*='/edit/']").first
    known["lead"] = (edit.get_attribute("href") or edit.get_attribute("formaction") or "").rpartition("/")[2]
    page.get_by_label("Note to colleagues").fill("The picture of the truce comes at nine.")
    page.get_by_role("button", name="Add the note").click()
    page.goto(f"{url}/desk/readers/segments")
    page.get_by_label("Name", exact=True).fill("Swedish readers")
    page.get_by_label("Language").fill("sv")
    page.get_by_role("button", name="Save").click()
    page.goto(f"{url}/desk/readers/import")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "fair.csv", "mimeType": "text/csv", "buffer": _LIST.encode()}
    )
    page.get_by_role("button", name="Upload and check").click()
    page.get_by_role("heading", name="fair.csv").wait_for()
    known["list"] = page.url.rpartition("/")[2]


def draw(page: "Page", url: str, screen: Screen) -> Image.Image:
    """Return a screen as one sees it, down to a bound."""
    width = (page.viewport_size or {"width": _WIDE})["width"]
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(url + screen.path)
    label, value = screen.typed
    if label:
        page.get_by_label(label).fill(value)
    if screen.press:
        page.get_by_role("button", name=re.compile(screen.press)).first.click()
    page.wait_for_load_state("networkidle")
    if page.locator("#src-name").count():
        page.locator("#src-name").fill("harbour-news")  # not the name of this machine
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.evaluate(_PUT, [f"{tempfile.gettempdir()}/screens-[^/]+", "/srv/courier"])
    page.evaluate(_PUT, [_LOOPBACK, "https://harbour.example"])
    height = min(page.evaluate("document.documentElement.scrollHeight"), _TALLEST)
    page.set_viewport_size({"width": width, "height": height})  # what is fixed below stands below
    page.wait_for_load_state("networkidle")
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def keep(name: str, wide: Image.Image, narrow: Image.Image) -> int:
    """Write two pictures side by side; return the bytes."""
    size = (wide.width + _GAP + narrow.width, max(wide.height, narrow.height))
    both = Image.new("RGB", size, "white")
    both.paste(wide, (0, 0))
    both.paste(narrow, (wide.width + _GAP, 0))
    path = FOLDER / f"{name}.webp"
    both.save(path, "WEBP", quality=_QUALITY, method=6)
    return path.stat().st_size


def main(wanted: list[str]) -> None:
    """Draw the screens that are named, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with newsroom() as (url, password, known), launched() as browser:
        by_day = open_desk(browser, url, password, _WIDE, "light")
        fill(by_day, url, known)
        pair = by_day, open_desk(browser, url, password, _NARROW, "dark")
        strangers = visit(browser, _WIDE, "light"), visit(browser, _NARROW, "dark")
        found = screens(known)
        if not wanted:
            for path in FOLDER.glob("*.webp"):
                if path.stem not in {one.name for one in found}:
                    path.unlink()
        out = 0
        for screen in found:
            if not wanted or screen.name in wanted:
                pages = strangers if screen.name == "login" else pair
                size = keep(screen.name, *(draw(page, url, screen) for page in pages))
                out += size
                sys.stdout.write(f"{screen.name}: {size:,} bytes\n")
        sys.stdout.write(f"{out:,} bytes in all\n")


if __name__ == "__main__":
    main(sys.argv[1:])
