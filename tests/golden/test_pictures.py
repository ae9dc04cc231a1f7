"""The looks as a browser draws them, for whoever changes one: run with UPDATE_GOLDEN=1 after a change that is meant.

Fonts differ a little from machine to machine, so pictures are compared by what a square of eight pixels shows.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import launched, new_context
from tests.support.drawing import assert_drawn_as_before, draw
from tests.support.editions import EDITIONS, LOOKS, html_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent / "pictures"
WIDTHS = (360, 600, 1200)
SHOTS = [
    *((look, "english", width, scheme, True) for look in LOOKS for width in WIDTHS for scheme in ("light", "dark")),
    *((look, "arabic", 600, "light", True) for look in LOOKS),
    *((look, "armenian", 360, "light", True) for look in LOOKS),
    ("front-page", "english", 600, "light", False),
    ("front-page", "english", 360, "dark", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with launched() as browser:
        yield browser


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
    name = name_of(look, edition, width, scheme, pictures=pictures)
    assert_drawn_as_before(browser, HERE / f"{name}.png", found)


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


def test_in_the_dark_all_hairlines_of_a_phone_have_one_colour(browser: "Browser") -> None:
    context = new_context(browser, viewport={"width": 360, "height": 640}, color_scheme="dark")
    page = context.new_page()
    page.set_content(html_of(replace(EDITIONS["english"], look="front-page")), wait_until="domcontentloaded")
    found = page.evaluate(
        "() => [...document.querySelectorAll('.over, .ruled, .footer-rule')].map((one) => {"
        " const style = getComputedStyle(one);"
        " return one.matches('.over') ? style.backgroundColor : style.borderTopColor; })"
    )
    context.close()

    assert len(found) > 4
    assert len(set(found)) == 1


def test_a_letters_lead_is_its_largest_title_and_section_labels_outweigh_titles(browser: "Browser") -> None:
    context = new_context(browser, viewport={"width": 600, "height": 640})
    page = context.new_page()
    page.set_content(html_of(replace(EDITIONS["english"], look="letter")), wait_until="domcontentloaded")
    size, weight = (
        "(one) => parseFloat(getComputedStyle(one).fontSize)",
        "(one) => getComputedStyle(one).fontWeight",
    )
    lead, label, title = (
        page.locator(f".{name}").first for name in ("lead-title", "section-title", "story-title")
    )
    sizes = [one.evaluate(size) for one in (lead, label, title)]
    weights = [int(one.evaluate(weight)) for one in (lead, label, title)]
    pictures = page.locator("img.photo").count()
    context.close()

    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    assert weights[1] > weights[2]
    assert pictures == 1


@pytest.mark.parametrize("edition", ["english", "arabic"])
def test_two_columns_mirror_each_other(browser: "Browser", edition: str) -> None:
    context = new_context(browser, viewport={"width": 700, "height": 640})
    page = context.new_page()
    page.set_content(html_of(replace(EDITIONS[edition], look="front-page")), wait_until="domcontentloaded")
    pairs = page.evaluate(
        "() => [...document.querySelectorAll('.two')].map((row) => {"
        " const outer = row.getBoundingClientRect(), style = getComputedStyle(row);"
        " const inset = (one) => { const box = one.getBoundingClientRect(), own = getComputedStyle(one);"
        "  return [box.left + parseFloat(own.paddingLeft) - outer.left - parseFloat(style.paddingLeft),"
        "   outer.right - parseFloat(style.paddingRight) - box.right + parseFloat(own.paddingRight)].map(Math.round); };"
        " return [...row.querySelectorAll('.inner')].map(inset); }).filter((pair) => pair.length === 2)"
    )
    context.close()

    assert pairs
    for first, second in pairs:
        assert 0 in first
        assert 0 in second
        assert abs(sum(first) - sum(second)) <= 2  # both are as wide, and stand at the edges of the page
