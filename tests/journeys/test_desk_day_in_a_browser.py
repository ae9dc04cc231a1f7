"""A day at the desk in a real browser, by keyboard: an operator, an editor and a publisher, with and without script."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from digest.sending import send_due
from digest.settings import load_settings
from digest.web.server import Server
from tests.conftest import write_config
from tests.support.browser import browser, list_violations, new_context
from tests.support.desks import BEN, MARA, OLGA, PASSWORD, Clock, Newsdesk
from tests.support.newsroom import Caught, parse

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

__all__ = ["browser"]
EVENING, DEADLINE = datetime(2026, 11, 23, 5, 30, tzinfo=UTC), datetime(2026, 11, 23, 6, 0, 20, tzinfo=UTC)
LIST = "Email,Name,Status\nanna@readers.example,Anna,active\nbert@post.example,Bert,active\nnonsense,,\n"


class Day:
    """A desk that is served, a relay that keeps its mail, and a browser for each person."""

    def __init__(self, newsdesk: Newsdesk, relay: Caught, url: str, browser: "Browser") -> None:
        self.newsdesk, self.relay, self.url, self._browser = newsdesk, relay, url, browser

    def sign_in(self, address: str, *, script: bool, width: int) -> "Page":
        """Open a browser of a person's own, and sign in."""
        viewport = {"width": width, "height": 800}
        page = new_context(self._browser, java_script_enabled=script, viewport=viewport).new_page()
        page.goto(f"{self.url}/desk")
        page.get_by_label("Email").fill(address)
        page.get_by_label("Password").fill(PASSWORD)
        press(page.get_by_role("button", name="Sign in"))
        page.get_by_role("heading", name="Upcoming editions").wait_for()
        return page


def press(found: "Locator", key: str = "Enter") -> None:
    """Press a key on what has the focus: what cannot be reached by keyboard fails here."""
    found.focus()
    found.press(key)


def fits(page: "Page") -> bool:
    """Return whether nothing is wider than the window."""
    wide, room = page.locator("html").bounding_box(), page.viewport_size
    main = page.locator("main").bounding_box()
    assert wide is not None
    assert room is not None
    assert main is not None
    return max(wide["width"], main["x"] + main["width"]) <= room["width"]


@pytest.fixture
def day(tmp_path: Path, browser: "Browser") -> Iterator[Day]:
    with Caught() as relay:
        config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port)
        text = config.read_text().replace("https://courier.example", "http://127.0.0.1:8000")
        config.write_text(text.replace("max_articles = 5", 'max_articles = 5\napproval = "require-approval"'))
        newsdesk = Newsdesk(load_settings(config), Clock(EVENING))
        for hours, title in enumerate(["Alps", "Baltic", "Crete"], 1):
            newsdesk.publish(title, hours=hours)
        server = Server(newsdesk.web, "127.0.0.1", 0)
        server.start()
        yield Day(newsdesk, relay, server.url, browser)
        server.stop()
        newsdesk.close()


def import_and_prove(day: Day, page: "Page") -> None:
    """Do an operator's work: import a list, save a segment, and send it a proof."""
    press(page.get_by_role("link", name="Readers", exact=True))
    press(page.get_by_role("link", name="Import and export"))
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
    )
    press(page.get_by_role("radio", name="They agreed to this sentence:"), " ")
    page.get_by_label("The sentence that they agreed to").fill("Signed up at the fair")
    press(page.get_by_role("button", name="Upload and check"))
    page.get_by_role("heading", name="list.csv").wait_for()
    day.newsdesk.web.state.uploads.wait()
    page.reload()
    page.get_by_role("heading", name="What would happen").wait_for()
    assert page.get_by_role("row", name="Refused 1").count() == 1
    assert fits(page)
    press(page.get_by_role("button", name="Import", exact=True))
    page.get_by_role("heading", name="list.csv").wait_for()
    day.newsdesk.web.state.uploads.wait()
    page.reload()
    page.get_by_role("heading", name="What was imported").wait_for()
    page.goto(f"{day.url}/desk/readers?text=readers.example")
    press(page.get_by_role("link", name="Save this search as a segment"))
    page.get_by_label("Name", exact=True).fill("Readers of the fair")
    press(page.get_by_role("button", name="Save"))
    page.get_by_text("The segment is saved.").wait_for()
    press(page.get_by_role("button", name="See who would get it"))
    press(page.get_by_role("button", name="Send to 1 reader now"))
    page.get_by_text("The proof is on its way to 1 reader.").wait_for()
    assert fits(page)


def shape(day: Day, page: "Page") -> None:
    """Do an editor's work: a text of their own, a picture, and a look at all drafts."""
    page.goto(f"{day.url}/desk")
    press(page.get_by_role("link", name="World Briefing daily"))
    press(page.get_by_role("button", name="Add a free block"))
    page.get_by_label("Text, in Markdown").fill("We *moved* to Quay Street.")
    press(page.get_by_role("button", name="Preview the text"))
    page.get_by_role("region", name="How the block looks").wait_for()
    press(page.get_by_role("button", name="Save"))
    page.get_by_role("group", name="Free block 1").wait_for()
    press(page.get_by_role("button", name="Edit: Alps"))
    written = io.BytesIO()
    Image.new("RGB", (640, 400), "navy").save(written, "PNG")
    page.get_by_label("Picture: JPEG").set_input_files(
        {"name": "alps.png", "mimeType": "image/png", "buffer": written.getvalue()}
    )
    page.get_by_label("Description, for those who cannot see it").fill("Snow at dawn")
    press(page.get_by_role("button", name="Upload the picture"))
    page.get_by_text("The picture is shown in this edition.").wait_for()
    assert fits(page)
    page.goto(f"{day.url}/desk")
    press(page.get_by_role("link", name="Drafts side by side"))
    page.get_by_role("heading", name="Drafts side by side").wait_for()
    assert fits(page)


def publish(day: Day, page: "Page") -> None:
    """Do a publisher's work: approve, and see what became of it."""
    assert fits(page)
    press(page.get_by_role("link", name="World Briefing daily"))
    press(page.get_by_role("button", name="Approve", exact=True))
    page.get_by_text("Approved by mara@courier.example; sends").first.wait_for()
    day.newsdesk.clock.now = DEADLINE
    send_due(day.newsdesk.app, fetching=False)
    page.goto(f"{day.url}/desk")
    page.get_by_role("heading", name="The last editions").wait_for()
    assert page.get_by_role("row", name=re.compile("^World Briefing, daily .* 2 0 0 –$")).count() == 1


@pytest.mark.parametrize(
    ("script", "width"), [(True, 1280), (False, 360)], ids=["with script, 1280 px", "without script, 360 px"]
)
def test_the_day_of_an_operator_an_editor_and_a_publisher(day: Day, script: bool, width: int) -> None:
    import_and_prove(day, day.sign_in(OLGA, script=script, width=width))
    shape(day, day.sign_in(BEN, script=script, width=width))
    publish(day, day.sign_in(MARA, script=script, width=width))

    proof, *sent = [(to, parse(content)) for to, content in day.relay.messages]
    assert proof[0] == "anna@readers.example"
    assert proof[1]["Subject"].startswith("[Proof] ")
    assert [to for to, _ in sent] == ["anna@readers.example", "bert@post.example"]
    html, text = (sent[0][1].get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    assert "We <em>moved</em> to Quay Street." in html.get_content()
    assert 'alt="Snow at dawn"' in html.get_content()
    assert "moved to Quay Street." in text.get_content()


def test_a_block_that_was_saved_is_not_offered_again_and_one_that_was_not_is(day: Day) -> None:
    page, warning = day.sign_in(BEN, script=True, width=1280), "Text that you typed earlier was not saved."
    page.on("dialog", lambda dialog: dialog.accept())  # whoever leaves is warned

    def write(text: str, button: str) -> None:
        page.goto(f"{day.url}{Newsdesk.PATH}/block/new")
        page.get_by_label("Text, in Markdown").fill(text)
        press(page.get_by_role("button", name=button))

    write("We moved.", "Save")
    page.get_by_role("group", name="Free block 1").wait_for()
    page.wait_for_load_state()  # the script forgets what was typed once the page has loaded
    page.goto(f"{day.url}{Newsdesk.PATH}/block/new")
    assert page.get_by_text(warning).count() == 0

    write("We moved again.", "Preview the text")
    page.get_by_role("region", name="How the block looks").wait_for()
    press(page.get_by_role("link", name="Cancel"))
    press(page.get_by_role("button", name="Add the note"))
    page.goto(f"{day.url}{Newsdesk.PATH}/block/new")
    page.get_by_text(warning).wait_for()
    press(page.get_by_role("button", name="Restore it"))
    assert page.get_by_label("Text, in Markdown").input_value() == "We moved again."


def test_axe_finds_nothing_on_the_pages_of_lists_segments_blocks_and_drafts(day: Day) -> None:
    page = day.sign_in(OLGA, script=True, width=1280)
    import_and_prove(day, page)
    shape(day, page)
    listed = day.newsdesk.web.state.uploads.list_latest()[0].public_id
    paths = [
        "/desk", "/desk/drafts", "/desk/readers", "/desk/readers/import", f"/desk/readers/import/{listed}",
        "/desk/readers/segments", "/desk/readers/segments/1",
        "/desk/readers/segments/1/proof?edition=world/daily/2026-11-23", Newsdesk.PATH, f"{Newsdesk.PATH}/edit/1",
        f"{Newsdesk.PATH}/block/0", f"{Newsdesk.PATH}/block/new",
    ]  # fmt: skip
    found: list[str] = []
    for path in paths:
        page.goto(day.url + path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{path}, {scheme}: {wrong}" for wrong in list_violations(page, frames=False)]
    assert found == []
