"""The look at the desk: tried on the latest edition in every look, and saved as lines to paste."""

import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from digest.settings import load_settings
from digest.settings.look import LookSettings
from digest.web.server import Server
from tests.conftest import write_config
from tests.support.browser import browser, new_context
from tests.support.desks import BEN, MARA, PASSWORD, Clock, Newsdesk

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]
PAGE = "/desk/look"
OWN = '{% extends "stock/front-page.html.j2" %}\n{% block masthead %}{{ super() }}<p>Founded 1881</p>{% endblock %}\n'


@pytest.fixture(scope="module")
def newsdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    folder = tmp_path_factory.mktemp("look")
    path = write_config(folder, f"sqlite:///{folder}/digest.db")
    path.write_text(path.read_text() + '\n[look]\nfolder = "look"\naccent = "#962a1f"\n')
    (folder / "look").mkdir()
    (folder / "look" / "front-page.html.j2").write_text(OWN)
    newsdesk = Newsdesk(load_settings(path), Clock())
    yield newsdesk
    newsdesk.close()


def own_template(newsdesk: Newsdesk) -> Path:
    return newsdesk.settings.path("look") / "front-page.html.j2"


def asked(**values: str) -> str:
    return f"{PAGE}?{urlencode(values)}"


def lines_of(page: str) -> str:
    found = re.search(r'<pre class="plain" tabindex="0">(\[look\].*?)</pre>', page, re.S)
    return html.unescape(found[1]) if found else ""


def test_before_the_first_edition_a_sample_is_shown_in_every_look(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in(MARA)
    page = mara.get(PAGE).text
    assert newsdesk.sign_in(BEN).get(PAGE).status_code == 403
    assert "a sample: there is no edition yet" in page
    assert re.findall(r'data-frame="/desk/look/frame/(.*?)"', page) == ["front-page", "headlines", "letter"]
    for look in ("front-page", "headlines", "letter"):
        frame = mara.get(f"{PAGE}/frame/{look}")
        assert "The bridge reopens after eleven weeks" in frame.text
        assert frame.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert mara.get(f"{PAGE}/frame/nothing").status_code == 404


def test_values_are_tried_and_given_as_lines_that_load(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in(MARA)
    values = {
        "accent": "#0a5c36", "dark_paper": "#101010", "heading_font": "Palatino, Book Antiqua, serif",
        "logo": "https://courier.example/l.png", "logo_alt": 'The "Courier"', "logo_width": "200",
    }  # fmt: skip
    before = newsdesk.settings.file.read_text()
    page = mara.get(asked(**values)).text
    written = tomllib.loads(lines_of(page))["look"]

    assert LookSettings(**written).logo_alt == 'The "Courier"'
    assert written["heading_font"] == ["Palatino", "Book Antiqua", "serif"]
    assert written["folder"] == "look", "what the form has no field for is kept"
    assert "#0a5c36" in mara.get(f"{PAGE}/frame/front-page?{urlencode(values)}").text
    assert newsdesk.settings.file.read_text() == before
    assert not lines_of(mara.get(PAGE).text), "nothing was tried, so there is nothing to keep"


def test_what_cannot_be_read_is_refused_or_said(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in(MARA)
    refused = mara.get(asked(ink="#888888", paper="#999999"))
    assert refused.status_code == 400
    assert "has a contrast of 1.2" in refused.text
    wrong = mara.get(asked(accent="red;}", logo_width="wide"))
    assert "must be a colour such as" in wrong.text
    assert "must be a whole number" in wrong.text
    weak = mara.get(asked(ink="#c0c0c0"))
    assert weak.status_code == 200
    assert "front-page: ink on paper has 1.8" in weak.text, "one's own ink on the look's own paper"


def test_own_blocks_stand_beside_ours_and_errors_name_file_and_line(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in(MARA)
    page = mara.get(f"{PAGE}/templates/front-page").text
    assert "Founded 1881" in page
    assert page.count("your own") == 1
    own_template(newsdesk).write_text(OWN.replace("super()", "content.titel"))
    try:
        broken = mara.get(PAGE).text
        assert "template front-page.html.j2, line 2: " in broken
        assert "did you mean &#34;title&#34;?" in broken
        assert broken.count("<iframe") == 2, "the other looks are drawn"
        own_template(newsdesk).write_text("{% block masthead %}\n{% endfor %}")
        torn = mara.get(f"{PAGE}/templates/front-page").text
        assert "template front-page.html.j2, line 2: " in torn
    finally:
        own_template(newsdesk).write_text(OWN)


def test_the_latest_edition_is_shown_in_the_publications_language_where_it_was_made_in_it(
    tmp_path: Path,
) -> None:
    newsdesk = Newsdesk(load_settings(write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db")), Clock())
    newsdesk.publish("Alps", "world")
    newsdesk.subscribe("sven@reader.example", language="sv")
    newsdesk.subscribe("anna@reader.example", language="en")
    newsdesk.compile()
    frame = newsdesk.sign_in(MARA).get(f"{PAGE}/frame/letter").text
    newsdesk.close()
    assert "Monday, November 23, 2026" in frame
    assert "november 2026" not in frame


def test_the_latest_edition_is_what_is_shown_and_frames_follow_what_is_typed(
    newsdesk: Newsdesk, browser: "Browser"
) -> None:
    newsdesk.publish("A story of one's own", "world")
    newsdesk.subscribe("anna@reader.example")
    newsdesk.compile()
    server = Server(newsdesk.web, "127.0.0.1", 0)
    server.start()
    try:
        page = new_context(browser).new_page()
        page.goto(f"{server.url.rstrip('/')}/desk/login")
        for name, value in (("address", MARA), ("password", PASSWORD)):
            page.fill(f"[name={name}]", value)
        page.click("main button")
        page.goto(f"{server.url.rstrip('/')}{PAGE}")
        frame = page.frame_locator("iframe[data-frame$=front-page]")
        frame.get_by_text("A story of one's own").first.wait_for()
        page.fill("#l-accent", "#123456")
        page.locator("#outcome pre", has_text='accent = "#123456"').wait_for()
        page.locator('iframe[src*="accent=%23123456"]').first.wait_for()
        page.fill("#l-accent", "#zzz")
        page.locator("#outcome .error", has_text="must be a colour").wait_for()
    finally:
        server.stop()
