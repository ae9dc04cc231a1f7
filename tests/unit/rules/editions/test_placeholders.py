"""What is in braces where editors write: filled in, refused, or left as it is."""

import pytest

from digest.rules.editions.placeholders import fill_subject, unknown_in_subject, unresolved_in_text

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
