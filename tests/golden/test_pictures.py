"""The looks as a browser draws them, for whoever changes one: run with UPDATE_GOLDEN=1 after a change that is meant.

Fonts differ a little from machine to machine, so pictures are compared by what a square of eight pixels shows.
"""

import base64
import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import launched, new_context
from tests.editions import ART, EDITIONS, LOOKS, html_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

HERE = Path(__file__).parent / "pictures"
WIDTHS = (360, 600, 1200)
SHOTS = [
    *((look, "english", width, scheme, True) for look in LOOKS for width in WIDTHS for scheme in ("light", "dark")),
    *((look, "arabic", 600, "light", True) for look in LOOKS),
    *((look, "armenian", 360, "light", True) for look in LOOKS),
    ("front-page", "english", 600, "light", False),
    ("front-page", "english", 360, "dark", False),
]  # fmt: skip
FAR, SHARE = 40, 0.02
COMPARE = """async ([one, other, limit]) => {
  const squares = async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = Math.ceil(image.width / 8);
    canvas.height = Math.ceil(image.height / 8);
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return [image.width, image.height, context.getImageData(0, 0, canvas.width, canvas.height).data];
  };
  const [width, height, first] = await squares(one);
  const [width2, height2, second] = await squares(other);
  const length = Math.min(first.length, second.length);
  let far = 0;
  for (let at = 0; at < length; at += 4) {
    const apart = [0, 1, 2].map((part) => Math.abs(first[at + part] - second[at + part]));
    far += Math.max(...apart) > limit;
  }
  return [width, height, width2, height2, far / (length / 4)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with launched() as browser:
        yield browser


def draw(
    browser: "Browser", html: str, width: int, scheme: Any, *, pictures: bool, scale: float = 0.5
) -> bytes:
    """Give a picture of a whole message, half as large."""
    context = new_context(
        browser, viewport={"width": width, "height": 800}, color_scheme=scheme, device_scale_factor=scale,
        java_script_enabled=False,
    )  # fmt: skip

    def serve(route: "Route") -> None:
        art = ART.get(route.request.url.rpartition("/")[2])
        if art is None or not pictures:
            route.abort()
        else:
            route.fulfill(body=art, content_type="image/png")

    context.route("https://courier.example/**", serve)
    page = context.new_page()
    page.set_content(html, wait_until="load")
    shot: bytes = page.screenshot(full_page=True)
    context.close()
    return shot


def name_of(look: str, edition: str, width: int, scheme: str, *, pictures: bool) -> str:
    return f"{look}-{edition}-{width}-{scheme}{'' if pictures else '-no-pictures'}"


@pytest.mark.parametrize(
    ("look", "edition", "width", "scheme", "pictures"),
    [pytest.param(*shot, id=name_of(*shot[:4], pictures=shot[4])) for shot in SHOTS],
)
def test_a_look_is_as_it_was_looked_at(
    browser: "Browser", look: str, edition: str, width: int, scheme: str, pictures: bool
) -> None:
    html = html_of(replace(EDITIONS[edition], look=look))
    found = draw(browser, html, width, scheme, pictures=pictures)
    path = HERE / f"{name_of(look, edition, width, scheme, pictures=pictures)}.png"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(found)
    urls = [f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in (path.read_bytes(), found)]
    context = browser.new_context()
    old_width, old_height, new_width, new_height, far = context.new_page().evaluate(COMPARE, [*urls, FAR])
    context.close()
    assert (new_width, abs(new_height - old_height) <= old_height * 0.03) == (old_width, True)
    assert far <= SHARE, f"{far:.1%} of {path.name} is drawn otherwise"


@pytest.mark.parametrize("look", LOOKS)
def test_one_column_on_a_phone_and_nothing_is_wider_than_the_screen(browser: "Browser", look: str) -> None:
    context = new_context(browser, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.set_content(html_of(replace(EDITIONS["english"], look=look)), wait_until="domcontentloaded")
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    lefts = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('h2, h3')].map((h) => Math.round(h.getBoundingClientRect().left)))]"
    )
    order = page.evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3')].map((h) => Number(h.tagName[1]))"
    )
    context.close()
    assert wide <= 320
    assert len(lefts) == 1
    assert order[:2] == [1, 2]
    assert all(after - before <= 1 for before, after in itertools.pairwise(order))
