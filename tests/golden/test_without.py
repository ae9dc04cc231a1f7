"""A message without what some mail program does not know is still whole: each feature taken away, then all of a program's.

Pictures of each stand in the folder `without`: run with UPDATE_GOLDEN=1 after a change that is meant.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from digest.mail.rendering.client_support import Clients
from tests.support.browser import launched, new_context
from tests.support.clients import FILE
from tests.support.drawing import assert_drawn_as_before, draw, serve_art
from tests.support.editions import ENGLISH, LOOKS, html_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = Path(__file__).parent / "without"
MOST_BYTES = 1_000_000
WIDTHS = (360, 600)
CLIENTS = Clients(FILE)
KNOWN = {feature.title: feature for feature in CLIENTS.features if feature.reason}
PROGRAMS = sorted(
    client for members in tomllib.loads(FILE.read_text())["clients"].values() for client in members
)
MEDIA = re.compile(r"@media[^{}]*\{(?:[^{}]*\{[^{}]*\})*\s*\}")
SHEET = re.compile(r"(?<=<style>).*?(?=</style>)", re.S)
RULE = re.compile(r"([^{}]*)\{[^{}]*\}")
FAULTS = """([width]) => {
  const faults = [];
  const say = (element, what) => faults.push(`${element.tagName} "${element.textContent.trim().slice(0, 40)}" ${what}`);
  const light = ([red, green, blue]) => [red, green, blue]
    .map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  if (document.documentElement.scrollWidth > width) faults.push(`${document.documentElement.scrollWidth} wide`);
  const wanted = [...document.querySelectorAll('h1, h2, h3, p a, h1 a, h2 a, h3 a')];
  if (wanted.length < 20) faults.push(`only ${wanted.length} headlines and links`);
  for (const element of wanted) {
    const box = element.getBoundingClientRect();
    if (box.width < 8 || box.height < 8) say(element, `is ${box.width} by ${box.height}`);
    if (box.left < 0 || box.right > width) say(element, `runs from ${box.left} to ${box.right}`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const [one, other] = [light(parts(style.color)), light(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) say(element, `has a contrast of ${contrast.toFixed(1)}`);
  }
  for (const image of document.images) {
    const apart = (image.width / image.height) / (image.naturalWidth / image.naturalHeight);
    if (image.naturalWidth && (apart < 0.95 || apart > 1.05)) faults.push(`${image.src} is drawn by ${apart}`);
  }
  return faults;
}"""


def _rules(is_lacking: Callable[[str], bool]) -> Callable[[str], str]:
    """Remove the rules with an unknown selector: a mail program drops the whole rule."""

    def lacks(rule: re.Match[str]) -> bool:
        return any(is_lacking(selector.strip()) for selector in rule[1].split(","))

    def strip(html: str) -> str:
        return SHEET.sub(lambda css: RULE.sub(lambda rule: "" if lacks(rule) else rule[0], css[0]), html)

    return strip


def _property(name: str, value: str = '[^;"}]*') -> Callable[[str], str]:
    """Remove every declaration of a property; no other property's name ends in this one."""
    declared = re.compile(rf"(?<![\w-]){name}\s*:\s*{value}(?:;|(?=[\"}}]))")
    return lambda html: declared.sub("", html)


def _pattern(pattern: str) -> Callable[[str], str]:
    return lambda html: re.sub(pattern, "", html, flags=re.S)


WITHOUT: dict[str, Callable[[str], str]] = {
    "<bdi> element": _pattern(r"</?bdi>"),
    "<body> element": _pattern(r"</?body[^>]*>"),
    "<style> element": _pattern(r"<style.*?</style>"),
    "@media": lambda html: MEDIA.sub("", html),
    "Attribute selector": _rules(lambda selector: "[" in selector),
    "Class selector": _rules(lambda selector: "." in selector),
    "Descendant combinator": _rules(lambda selector: " " in selector),
    "Type selector": _rules(lambda selector: bool(re.search(r"(?:^| )[a-z]", selector))),
    "aria-label attribute": _pattern(r' aria-label="[^"]*"'),
    "color-scheme meta tag": _pattern(r'<meta name="color-scheme"[^>]*>'),
    "display:none": _property("display", "none"),
    "max-height property": _property("max-height"),
    "overflow": _property("overflow"),
    "height property": _property("height"),
    "min-width property": _property("min-width"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with launched() as browser:
        yield browser


def sample(look: str) -> str:
    """Return an edition's message."""
    return html_of(replace(ENGLISH, look=look))


def faults_of(browser: "Browser", html: str, scheme: Any) -> list[str]:
    """List what keeps somebody from reading a message, on a phone and on a wider screen."""
    context = new_context(browser, viewport={"width": WIDTHS[0], "height": 800}, color_scheme=scheme)
    serve_art(context)
    page = context.new_page()
    page.set_content(html, wait_until="load")
    found = [f"{width}: {fault}" for width in WIDTHS for fault in _faults_at(page, width)]
    context.close()
    return found


def _faults_at(page: "Page", width: int) -> list[str]:
    page.set_viewport_size({"width": width, "height": 800})
    found: list[str] = page.evaluate(FAULTS, [width])
    return found


def test_every_feature_that_may_be_lacking_is_taken_away_here() -> None:
    assert list(WITHOUT) == list(KNOWN)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("title", WITHOUT)
def test_a_message_is_whole_without_a_feature(browser: "Browser", title: str, look: str) -> None:
    html = sample(look)
    stripped = WITHOUT[title](html)
    left = {feature.title for feature in CLIENTS.find(stripped)}

    assert title not in left
    assert (stripped != html) == (title in {feature.title for feature in CLIENTS.find(html)})
    assert faults_of(browser, stripped, "light") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_message_is_whole_without_all_that_one_program_lacks(
    browser: "Browser", program: str, scheme: str
) -> None:
    for look in LOOKS:
        html = sample(look)
        for title, feature in KNOWN.items():
            if program in feature.lacking:
                html = WITHOUT[title](html)
        assert faults_of(browser, html, scheme) == [], look


@pytest.mark.parametrize("title", WITHOUT)
def test_a_message_without_a_feature_is_as_it_was_looked_at(browser: "Browser", title: str) -> None:
    name = "-".join(re.findall(r"\w+", title.lower()))
    found = draw(browser, WITHOUT[title](sample("front-page")), 360, "light", pictures=True, scale=0.35)
    assert_drawn_as_before(browser, HERE / f"{name}.png", found)


def test_the_pictures_are_few_and_small() -> None:
    kept = list(HERE.glob("*.png"))
    assert len(kept) == len(WITHOUT)
    assert sum(path.stat().st_size for path in kept) < MOST_BYTES


def test_a_message_that_does_not_hold_is_found_out(browser: "Browser") -> None:
    html = sample("letter")
    broken = html.replace("<h2", '<div style="width:900px;color:#fff">pale</div><h2', 1)
    broken = broken.replace("<h3", '<h3 hidden=""', 1)
    faults = "\n".join(faults_of(browser, broken, "light"))
    assert faults_of(browser, html, "light") == []
    assert "wide" in faults
    assert "has a contrast of 1.0" in faults
    assert "is 0 by 0" in faults
