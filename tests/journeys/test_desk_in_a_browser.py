"""The desk's whole story in a real browser: from an empty desk to readers' mailboxes and the archive."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from digest.sending import send_due
from digest.settings import load_settings
from digest.web.server import Server
from tests.conftest import write_config
from tests.support.browser import browser, list_violations, new_context, sign_in
from tests.support.desks import BEN, MARA, PASSWORD, Clock, Newsdesk
from tests.support.newsroom import Caught, parse

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
EVENING, DEADLINE = datetime(2026, 11, 23, 5, 30, tzinfo=UTC), datetime(2026, 11, 23, 6, 0, 20, tzinfo=UTC)


class Story:
    """A desk that is served, a relay that keeps its mail, and browsers."""

    def __init__(self, newsdesk: Newsdesk, relay: Caught, url: str, browser: "Browser") -> None:
        self.newsdesk, self.relay, self.url, self._browser = newsdesk, relay, url, browser

    def sign_in(self, address: str = MARA, **options: Any) -> "Page":
        """Open a browser of its own and sign in."""
        page = new_context(self._browser, **options).new_page()
        sign_in(page, self.url, address, PASSWORD)
        return page

    def open(self, page: "Page") -> None:
        """Open the next edition."""
        page.goto(self.url + Newsdesk.PATH)

    def send(self) -> None:
        """Let a run do what is due."""
        send_due(self.newsdesk.app, fetching=False)


@pytest.fixture
def story(tmp_path: Path, browser: "Browser") -> Iterator[Story]:
    with Caught() as relay:
        config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port)
        text = config.read_text().replace("https://courier.example", "http://127.0.0.1:8000")
        config.write_text(text.replace("max_articles = 5", 'max_articles = 5\napproval = "require-approval"'))
        newsdesk = Newsdesk(load_settings(config), Clock(EVENING))
        server = Server(newsdesk.web, "127.0.0.1", 0)
        server.start()
        yield Story(newsdesk, relay, server.url, browser)
        server.stop()
        newsdesk.close()


def lines(page: "Page") -> list[str]:
    """List the line-up."""
    shown: list[str] = page.locator(".main-column ol.lines li.line h4").all_inner_texts()
    return shown


def test_from_an_empty_desk_to_the_mailboxes_and_the_archive(story: Story) -> None:
    for hours, title in enumerate(["Alps", "Baltic", "Crete", "Danube"], 1):
        story.newsdesk.publish(title, hours=hours)
    story.newsdesk.subscribe("anna@readers.example", name="Anna")
    page = story.sign_in()
    page.get_by_role("link", name="World Briefing daily").click()
    assert lines(page) == ["Alps", "Baltic", "Crete", "Danube"]

    page.get_by_role("button", name="Move up: Crete").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/*said=changed*")
    assert lines(page) == ["Alps", "Crete", "Baltic", "Danube"]
    page.drag_and_drop(
        "li.line[data-id='4'] h4", "li.line[data-id='1'] h4", target_position={"x": 10, "y": 2}
    )
    page.locator("ol.lines[start='1'] li.line:first-child", has_text="Danube").wait_for()
    assert lines(page) == ["Danube", "Alps", "Crete", "Baltic"]
    page.get_by_role("button", name="Leave out: Alps").click()
    page.get_by_role("textbox", name="Subject", exact=True).fill("Rivers first")
    page.get_by_label("Introduction, in Markdown").fill(
        "Good *morning*, [readers](https://courier.example/hi)."
    )
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved.").wait_for()
    assert (
        page.get_by_role("region", name="How the introduction looks").inner_text() == "Good morning, readers."
    )
    page.get_by_role("button", name="Send me a proof").click()
    page.get_by_text("The proof is on its way").wait_for()

    proof = parse(story.relay.messages[-1][1])
    assert (story.relay.recipients, proof["Subject"]) == ([MARA], "[Proof] Rivers first")
    text = proof.get_body(("plain",))
    assert text is not None
    link = re.search(r"Approve it:\s+\S+(/desk/proof/\S+)", text.get_content())
    assert link is not None
    mail = new_context(story._browser).new_page()  # the mail program's browser: nobody is signed in there
    mail.goto(story.url + link[1])
    mail.get_by_role("button", name="Approve it").click()
    mail.get_by_role("heading", name="Approved").wait_for()
    story.open(page)
    page.get_by_text("Approved by mara@courier.example; sends").first.wait_for()

    story.newsdesk.clock.now = DEADLINE
    story.send()

    recipient, content = story.relay.messages[-1]
    message = parse(content)
    assert (recipient, message["Subject"]) == ("anna@readers.example", "Rivers first")
    body = message.get_body(("plain",))
    assert body is not None
    told = body.get_content()
    assert [told.index(t) for t in ("Good morning", "Danube", "Crete", "Baltic")] == sorted(
        told.index(t) for t in ("Good morning", "Danube", "Crete", "Baltic")
    )
    assert "Alps" not in told
    story.open(page)
    page.get_by_text("1 of 1").first.wait_for()
    page.get_by_text("finished", exact=True).wait_for()
    page.goto(f"{story.url}/archive/world/daily/2026-11-23")
    page.get_by_text("Danube").first.wait_for()


def test_two_editors_at_once_lose_nothing_unseen(story: Story) -> None:
    for title in ("Alps", "Baltic"):
        story.newsdesk.publish(title)
    mara, ben = story.sign_in(), story.sign_in(BEN)
    story.open(mara)
    story.open(ben)
    mara.get_by_role("textbox", name="Subject", exact=True).fill("Mara's words")
    mara.get_by_role("button", name="Save", exact=True).click()
    mara.get_by_text("Saved.").wait_for()

    ben.get_by_role("textbox", name="Subject", exact=True).fill("Ben's words")
    ben.get_by_label("Introduction, in Markdown").fill("A long text of his.")
    ben.get_by_role("button", name="Save", exact=True).click()

    alert = ben.get_by_role("alert").first
    assert "changed while you were working" in alert.inner_text()
    assert "mara@courier.example wrote the subject" in alert.inner_text()
    assert ben.get_by_role("textbox", name="Subject", exact=True).input_value() == "Ben's words"
    assert ben.get_by_label("Introduction, in Markdown").input_value() == "A long text of his."
    story.open(mara)
    assert mara.get_by_role("textbox", name="Subject", exact=True).input_value() == "Mara's words"
    ben.get_by_role("button", name="Save", exact=True).click()
    ben.get_by_text("Saved.").wait_for()
    story.open(mara)
    assert mara.get_by_role("textbox", name="Subject", exact=True).input_value() == "Ben's words"
    assert mara.get_by_text("wrote the subject").count() == 2


def test_without_javascript_all_is_done_by_buttons(story: Story) -> None:
    for hours, title in enumerate(["Alps", "Baltic"], 1):
        story.newsdesk.publish(title, hours=hours)
    page = story.sign_in(java_script_enabled=False)
    story.open(page)
    page.get_by_role("button", name="Move down: Alps").click()
    page.wait_for_load_state()
    assert lines(page) == ["Baltic", "Alps"]
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved by mara").first.wait_for()
    page.get_by_role("button", name="Preview", exact=True).click()
    page.get_by_text("SHA-256 of the message").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to the desk").wait_for()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_an_editors_day_loses_nothing_typed(story: Story, script: bool) -> None:
    for hours, title in enumerate(["Alps", "Baltic", "Crete"], 1):
        story.newsdesk.publish(title, hours=hours)
    story.newsdesk.subscribe("anna@readers.example")
    page = story.sign_in(java_script_enabled=script)
    story.open(page)
    subject = page.get_by_role("textbox", name="Subject", exact=True)
    introduction, note = (
        page.get_by_label("Introduction, in Markdown"),
        page.get_by_label("Note to colleagues"),
    )

    subject.fill("Mountains first")
    note.fill("Check the height")
    page.get_by_role("button", name="Move up: Crete").click()
    page.get_by_text("What you had typed was saved with it.").wait_for()
    assert lines(page) == ["Alps", "Crete", "Baltic"]
    assert (subject.input_value(), note.input_value()) == ("Mountains first", "Check the height")

    introduction.fill("Good morning, {reader}.")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("alert").wait_for()
    assert (introduction.input_value(), note.input_value()) == ("Good morning, {reader}.", "Check the height")
    introduction.fill("Good morning, readers.")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_text("Saved and approved as it stands on this page.").wait_for()

    page.get_by_role("button", name="Send me a proof").click()
    page.get_by_text("The proof is on its way").wait_for()
    assert parse(story.relay.messages[-1][1])["Subject"] == "[Proof] Mountains first"

    story.newsdesk.clock.now = DEADLINE
    story.send()
    message = parse(story.relay.messages[-1][1])
    body = message.get_body(("plain",))
    assert body is not None
    assert message["Subject"] == "Mountains first"
    assert "Good morning, readers." in body.get_content()

    story.open(page)
    page.get_by_role("link", name="Withdraw: Alps").click()
    page.get_by_text("1 message with it has been sent.").wait_for()
    page.get_by_label("Reason").fill("Wrong height")
    page.get_by_role("button", name="Withdraw the article").click()
    page.get_by_text("The article is withdrawn.").wait_for()
    text = page.get_by_label("What was wrong and what is right")
    text.fill("They are *4,806* metres high.")
    page.get_by_role("button", name="Preview the text").click()
    page.get_by_role("region", name="How the correction looks").wait_for()
    assert text.input_value() == "They are *4,806* metres high."
    page.get_by_role("button", name="Send the correction").click()
    page.get_by_text("The correction is sent with the next run").wait_for()
    for act in (
        "withdrew “Alps”: Wrong height",
        "corrected “Alps” for 1 reader",
        "wrote the introduction; approved it",
    ):
        page.get_by_text(act).first.wait_for()
    story.send()
    assert parse(story.relay.messages[-1][1])["Subject"] == "Correction: Alps"


def test_hostile_articles_run_nothing_on_the_desk_or_in_the_preview(story: Story) -> None:
    hostile = '<img src=x onerror="document.title=1">"\'><script>document.title=2</script>{{ 7*7 }}'
    story.newsdesk.publish(hostile, author=hostile, html=f"<p>{hostile}</p>")
    page = story.sign_in()
    heard: list[str] = []
    page.on("dialog", lambda dialog: heard.append(dialog.message))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text))
    for path in (
        Newsdesk.PATH,
        f"{Newsdesk.PATH}/preview",
        f"{Newsdesk.PATH}/preview?images=0&dark=1&width=360",
    ):
        page.goto(story.url + path)
        page.wait_for_load_state("networkidle")
        assert "{{ 7*7 }}" in page.content()
        for frame in page.frames:
            assert frame.title() not in ("1", "2")
            assert frame.locator("script:not([src])").count() == 0
    assert heard == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_of_the_desk(story: Story, scheme: str) -> None:
    for hours, title in enumerate(["Alps", "Baltic", "Crete"], 1):
        story.newsdesk.publish(title, hours=hours)
    page = story.sign_in(color_scheme=scheme)
    story.open(page)
    page.get_by_role("button", name="Leave out: Baltic").click()
    page.get_by_role("button", name="Pin: Crete").click()
    page.get_by_label("Introduction, in Markdown").fill("See [this](https://courier.example/x).")
    page.get_by_role("button", name="Save", exact=True).click()
    own = ["preview", "publish", "edit/1", "withdraw/1", "correct/1"]
    paths = [
        "/desk",
        "/desk/editions",
        Newsdesk.PATH,
        *(f"{Newsdesk.PATH}/{one}" for one in own),
        "/desk/login",
    ]
    found: list[str] = []
    for path in paths:
        if path == "/desk/login":
            page.context.clear_cookies()
        page.goto(story.url + path)
        found += [f"{path}: {wrong}" for wrong in list_violations(page, frames=False)]
    assert found == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_the_focus_stays_where_a_button_has_nothing_more_to_do(story: Story, script: bool) -> None:
    story.newsdesk.publish("Crete", "world")
    story.newsdesk.publish("Atoms", "science", hours=2)
    story.newsdesk.publish("Bread", "business", hours=3)
    story.newsdesk.subscribe("anna@readers.example")
    page = story.sign_in(java_script_enabled=script)
    story.open(page)

    def press(name: str) -> str:
        page.get_by_role("button", name=name).first.click()
        page.get_by_role("status").filter(visible=True).first.wait_for()
        focused = page.locator(":focus")
        return focused.get_attribute("aria-label") or focused.inner_text()

    title = page.locator(".part-head h3").nth(-1).inner_text()
    assert press(f"Move section up: {title}") == f"Move section down: {title}"
    assert press(f"Move section down: {title}") == f"Move section up: {title}"
    assert press("Reset order") == "Undo"
    for _ in range(2):
        assert press("Undo") == "Undo"
    assert press("Undo") == "Add a free block"


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_on_a_phone_the_focus_stays_at_the_row_and_approve_in_reach(story: Story, script: bool) -> None:
    for number in range(12):
        story.newsdesk.publish(f"Story {number:02}", hours=number + 1)
    story.newsdesk.subscribe("anna@readers.example")
    page = story.sign_in(viewport={"width": 360, "height": 640}, java_script_enabled=script)
    story.open(page)

    for done in ("Move down", "Pin", "Leave out"):
        row = page.locator("ol.lines li.line").nth(6)
        title = row.locator("h4").inner_text()
        row.get_by_role("button", name=f"{done}: {title}").click()
        page.get_by_role("status").filter(visible=True).first.wait_for()
        focused = page.locator(":focus")
        assert focused.evaluate("one => one.tagName") == "BUTTON"
        if done == "Leave out":
            assert focused.inner_text() == "Undo"
        else:
            assert focused.get_attribute("aria-label").endswith(f": {title}")  # type: ignore[union-attr]
        for where in ("0", "document.body.scrollHeight"):
            page.mouse.wheel(0, -100_000 if where == "0" else 100_000)
            box = page.get_by_role("button", name="Approve").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 640
    page.get_by_role("button", name="Preview", exact=True).click()
    frame = page.locator(".frame iframe").first
    frame.wait_for()
    box = frame.bounding_box()
    assert box is not None
    assert box["width"] >= 300
