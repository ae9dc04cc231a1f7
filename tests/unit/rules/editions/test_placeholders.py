"""What is in braces where editors write: filled in, refused, or left as it is."""

import pytest

from digest.rules.editions.placeholders import fill_subject, unknown_in_subject, unresolved_in_text
from digest.settings.types import pictures_in_text

VALUES = {"title": "Harbour", "lead": "A {new} bridge", "date": "Monday", "publication": "Courier"}


@pytest.mark.parametrize(
    "typed",
    ["{titel}", "{first name}", "{ title }", "{0}", "{}", "{title!r}", "{title:>10}", "{{title}}", "{имя}"],
)
def test_what_other_programs_fill_in_is_unknown_in_a_subject_and_unresolved_in_a_text(typed: str) -> None:
    assert unknown_in_subject(f"News: {typed} today") == [typed]
    assert unresolved_in_text(f"Dear {typed}, hello") == [typed]


@pytest.mark.parametrize("typed", ["{title}: {lead}", "A set {1, 2}", "Hello {name", "a } b", "[NAME]"])
def test_a_known_placeholder_and_braces_of_prose_are_not(typed: str) -> None:
    assert unknown_in_subject(typed) == []


def test_code_in_a_text_may_have_braces() -> None:
    assert unresolved_in_text("Write `{title}` there.") == []


def test_braces_in_an_articles_title_are_not_filled_in() -> None:
    assert fill_subject("{title}: {lead}", VALUES) == "Harbour: A {new} bridge"


@pytest.mark.parametrize(
    "picture",
    [
        "![a](https://a.example/p.png)", "![a][one]", "![a][]", "![a]", '![a](p.png "a title")', "![a [b] c](p.png)",
        "![a\nb](p.png)", "[![a](p.png)](https://a.example/)", "<img src=p.png>", "<IMG\nsrc='p.png'/>",
        "<picture>", "<svg onload=x>",
    ],
)  # fmt: skip
def test_a_picture_is_found_however_it_is_written(picture: str) -> None:
    assert pictures_in_text(f"Look: {picture} there")


@pytest.mark.parametrize(
    "text", ["Hello! [a](https://a.example/)", r"\![a](b)", "`![a](b)`", "Wow![", "a < img > b"]
)
def test_what_is_no_picture_is_left_alone(text: str) -> None:
    assert pictures_in_text(text) == []


@pytest.mark.parametrize(
    ("typed", "lacks"),
    [("{title today", ["{title"]), ("News: lead}", ["lead}"]), ("{date}: {title", ["{title"]),
     ("A {new} lead", ["{new}"]), ("{titles of honour", []), ("A title, a lead {", [])],
)  # fmt: skip
def test_a_placeholder_that_lacks_a_brace_is_not_filled_in(typed: str, lacks: list[str]) -> None:
    assert unknown_in_subject(typed) == lacks
