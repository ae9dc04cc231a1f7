"""Every page of the desk in a browser, with something on it: axe finds nothing, and nothing is too wide."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from digest.models import ApiScope, Bounce, Delivery, Edition, Letter, Subscriber, WebhookEvent
from digest.models.row import row_id
from digest.settings import load_settings
from digest.tasks.api.tokens import make_token
from digest.tasks.figures.daily import take_figures
from digest.tasks.sources.desk_sources import WantedSource, add_source
from digest.tasks.webhooks.receivers import add_receiver
from digest.web.server import Server
from tests.conftest import write_config
from tests.journeys.test_desk_roles import routes
from tests.support.browser import browser, list_violations, new_context
from tests.support.desks import DAY, OLGA, Clock, Newsdesk, Visitor
from tests.support.screens import FOLDER, screens

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
MADE, COMING = "2026-11-23", "2026-11-24"
NOT_PAGES = {
    "/desk/readers/import/{name}/lines", "/desk/look/frame/{look}",
    "/desk/{digest}/{cadence}/{period}/preview/frame", "/desk/{digest}/{cadence}/{period}/find",
}  # fmt: skip
"""What answers GET and is no page of the desk: a file to keep, what was found as one types,
and messages, in which no script may run."""
TEMPLATES = Path(__file__).parents[2] / "templates" / "web"
LONG = "Rindfleischetikettierungsueberwachungsaufgabenuebertragungsgesetz"


def live(newsdesk: Newsdesk) -> Visitor:
    """Let a day pass: an edition, a bounce, a letter, a token, a receiver, a list, a segment, a free block."""
    for number, name in enumerate(("Anna", "Bert", f"Dr. {LONG}"), 1):
        newsdesk.subscribe(f"reader-{number}@a-rather-long-name-of-a-company.example", name=name)
    titles = ("Alps", f"The {LONG} is repealed", "Crete")
    for hours, title in enumerate(titles, 1):
        newsdesk.publish(title, "world" if hours < 3 else "science", hours=hours)
    database, clock = newsdesk.app.database, newsdesk.clock
    events = [WebhookEvent.EDITION_FROZEN, WebhookEvent.LEFT]
    add_receiver(
        database, newsdesk.settings, f"https://hooks.example/{LONG}{LONG}", events, OLGA, clock(), with_addresses=True
    )  # fmt: skip
    wanted = WantedSource(
        f"https://harbour.example/{LONG}{LONG}", "https://harbour.example/", "harbour", LONG
    )
    add_source(database, newsdesk.settings, wanted, OLGA, clock())
    make_token(database, lambda: "t" * 40, f"WordPress of the {LONG}"[:60], list(ApiScope), clock(), None)
    newsdesk.compile()
    with database.write() as session:
        for edition in session.exec(select(Edition).where(Edition.state == "frozen")):
            edition.state, edition.finished_at = "finished", clock() + timedelta(minutes=4)
            session.add(edition)
        for number, delivery in enumerate(session.exec(select(Delivery))):
            delivery.state = "accepted" if number else "failed"
            delivery.reply_code, delivery.reply_text = (250, "") if number else (550, f"no such user {LONG}")
            session.add(delivery)
        reader = session.exec(select(Subscriber)).first()
        assert reader is not None
        bounce = Bounce(
            at=clock(), subscriber_id=row_id(reader), receiver="company.example", reason="no such user",
            weight="hard",
        )  # fmt: skip
        session.add(bounce)
        session.add(
            Letter(at=clock(), sender=reader.address, subject=f"Bells {LONG}", text="Too loud.\n" * 5)
        )
    clock.now += DAY
    newsdesk.publish("Danube", "world", hours=2)
    hidden = newsdesk.publish("Elbe", "world", hours=3)
    take_figures(database, newsdesk.settings, clock())
    olga, path = newsdesk.sign_in(OLGA), newsdesk.path(1)
    olga.do("block/new", path=path, do="save", place="*lead", text=f"We *moved* to {LONG}.")
    olga.do("shape", path=path, do=f"hide {hidden}", subject="", introduction="See *this*.", sponsor="Tea")
    assert "Left out of this edition" in olga.get(path).text
    form = {"form": olga.token("/desk")["form"]}
    assert olga.client.post("/desk/readers/segments", data={**form, "name": LONG[:60]}).status_code == 303
    files = {"file": (f"{LONG}.csv", "email\nbert@readers.example\nnonsense\n", "text/csv")}
    olga.client.post("/desk/readers/import", data={**form, "digest": "world"}, files=files)
    newsdesk.web.state.uploads.wait()
    return olga


def pages(newsdesk: Newsdesk) -> list[str]:
    """Return the address of every page, with what `live` left behind for each name in it."""
    with newsdesk.app.database.read() as session:
        reader = session.exec(select(Subscriber.public_id)).first()
    known = {
        "digest": "world", "cadence": "daily", "article": "1", "letter": "1", "look": "letter", "segment": "1",
        "source": "harbour", "name": newsdesk.web.state.uploads.list_latest()[0].public_id, "reader": str(reader),
    }  # fmt: skip
    found = []
    for method, path in sorted(routes(newsdesk)):
        if method != "GET" or path in NOT_PAGES:
            continue
        known["number"] = "0" if "/block/" in path else "1"
        known["period"] = MADE if re.search("/(withdraw|correct|breaking)/", path) else COMING
        query = f"?edition=world/daily/{COMING}" if path.endswith("{segment}/proof") else ""
        found.append(path.format(**known) + query)
    return [*found, newsdesk.path(0), "/desk/none", "/desk/articles?search=alps", "/desk/readers?text=anna",
            "/desk/sources/newsroom"]  # fmt: skip


@pytest.fixture
def newsdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    folder = tmp_path_factory.mktemp("pages")
    config = write_config(folder, f"sqlite:///{folder}/digest.db")
    config.write_text(
        config.read_text().replace("https://courier.example", "http://127.0.0.1:8000")
        + '\n[inbound]\naddress = "news@courier.example"\n'
    )
    newsdesk = Newsdesk(load_settings(config), Clock())
    yield newsdesk
    newsdesk.close()


def test_every_page_fits_a_phone_and_a_desk_and_axe_finds_nothing_by_day_and_by_night(
    newsdesk: Newsdesk, browser: "Browser"
) -> None:
    olga = live(newsdesk)
    server = Server(newsdesk.web, "127.0.0.1", 0)
    server.start()
    context = new_context(browser)
    context.add_cookies(
        [{"name": one.name, "value": one.value or "", "url": server.url} for one in olga.client.cookies.jar]
    )
    page, found = context.new_page(), []
    for path in [*pages(newsdesk), "/desk/login"]:
        if path == "/desk/login":
            context.clear_cookies()
        answer = page.goto(server.url + path)
        assert answer is not None
        assert answer.status == (404 if path == "/desk/none" else 200), path
        for width, scheme in ((1280, "light"), (360, "dark")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            wide = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{path}: {wide} px wide at {width}"] if wide > width else []
            found += [f"{path}: {name} is out of view at {width}" for name in _out_of_view(page, width)]
            wrong = list_violations(page, frames=False)
            found += [f"{path}, {width} px, {scheme}: {one}" for one in wrong]
    server.stop()

    assert found == []


def test_every_page_has_its_picture_in_the_documentation(newsdesk: Newsdesk) -> None:
    known = dict.fromkeys(("coming", "made"), "/desk/world/daily/2026-11-24")
    drawn = screens({**known, "lead": "1", "article": "1", "reader": "anna", "list": "fair", "site": ""})
    shown = (FOLDER.parents[1] / "screens.md").read_text()
    addresses = [one.path.partition("?")[0] for one in drawn]

    pages = {path for method, path in routes(newsdesk) if method == "GET"} - NOT_PAGES
    patterns = {path: re.sub(r"\{\w+\}", "[^/]+", path) for path in pages}
    missing = {
        path for path, pattern in patterns.items() if not any(re.fullmatch(pattern, one) for one in addresses)
    }

    assert missing == set(), "add them to tests/support/screens.py and docs/screens.md"
    assert {path.stem for path in FOLDER.glob("*.webp")} == {one.name for one in drawn}
    assert [one.name for one in drawn if f"pictures/screens/{one.name}.webp" not in shown] == []


def test_what_is_pressed_and_filled_before_a_picture_is_drawn_is_on_a_page() -> None:
    source = Path(screens.__code__.co_filename).read_text()
    named = re.findall(
        r'name="([A-Z][^"]+)"|by_label\("([^"]+)"|press="\^?([^"$]+)\$?"|"\^([^"$]+)\$"', source
    )
    names = {next(filter(None, one)).split(".*")[0] for one in named} - {"World Briefing daily"}  # a digest's
    pages = "".join(page.read_text() for page in TEMPLATES.rglob("*.j2"))

    assert len(names) > 10
    assert [name for name in sorted(names) if name not in pages] == []


def _out_of_view(page: "Page", width: int) -> list[str]:
    """List the sections of the desk that nobody sees without scrolling sideways."""
    boxes = page.locator("nav.sections a").evaluate_all(
        "all => all.map(one => [one.textContent, one.getBoundingClientRect()])"
    )
    return [name for name, box in boxes if box["left"] < 0 or box["right"] > width]
