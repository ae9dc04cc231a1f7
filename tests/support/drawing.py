"""Messages as a browser draws them, and whether a picture is still what somebody looked at.

Fonts differ a little from machine to machine, so pictures are compared by what a square of eight pixels shows.
"""

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.browser import new_context
from tests.support.editions import ART

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Route

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


def draw(
    browser: "Browser", html: str, width: int, scheme: Any, *, pictures: bool, scale: float = 0.5
) -> bytes:
    """Return a picture of a whole message at half its size."""
    context = new_context(
        browser, viewport={"width": width, "height": 800}, color_scheme=scheme, device_scale_factor=scale,
        java_script_enabled=False,
    )  # fmt: skip
    serve_art(context, pictures=pictures)
    page = context.new_page()
    page.set_content(html, wait_until="load")
    shot: bytes = page.screenshot(full_page=True)
    context.close()
    return shot


def serve_art(context: "BrowserContext", *, pictures: bool = True) -> None:
    """Answer for the sample newsroom's pictures, or for none."""

    def serve(route: "Route") -> None:
        art = ART.get(route.request.url.rpartition("/")[2])
        if art is None or not pictures:
            route.abort()
        else:
            route.fulfill(body=art, content_type="image/png")

    context.route("https://courier.example/**", serve)


def assert_drawn_as_before(browser: "Browser", path: Path, found: bytes) -> None:
    """Compare a picture with the one that is kept; UPDATE_GOLDEN=1 keeps it instead."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(found)
    urls = [f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in (path.read_bytes(), found)]
    context = browser.new_context()
    old_width, old_height, new_width, new_height, far = context.new_page().evaluate(COMPARE, [*urls, FAR])
    context.close()
    assert (new_width, abs(new_height - old_height) <= old_height * 0.03) == (old_width, True)
    assert far <= SHARE, f"{far:.1%} of {path.name} is drawn otherwise"
