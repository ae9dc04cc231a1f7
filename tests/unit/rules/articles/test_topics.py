"""Topics: an article's own, and those whose category, URL or title fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from digest.rules.articles.topics import assign, has_words, is_at, slug
from digest.settings.topics import TopicSettings
from digest.settings.types import is_topic

SPORT = TopicSettings(
    name="sport", categories=("Football", "Match Reports"), url=("/sport/*",), title=("world cup",)
)
VOTES = TopicSettings(name="elections", title=("elect*", "poll"))
LINK = "https://courier.example/a"


@pytest.mark.parametrize("category", ["football", "match-reports", "match_reports", "Match  Reports"])
def test_a_category_fits_whatever_its_capitals_and_signs(category: str) -> None:
    assert assign([category], LINK, "", [SPORT]) == (category, "sport")


def test_an_article_has_all_topics_that_fit_its_own_first_and_none_twice() -> None:
    assert assign(["world", "football"], LINK, "Elections at the World Cup", [SPORT, VOTES]) == (
        "world", "football", "sport", "elections",
    )  # fmt: skip
    assert assign(["sport", "football"], LINK, "", [SPORT]) == ("sport", "football")


def test_nothing_is_added_where_no_rule_fits() -> None:
    assert assign(["world"], LINK, "A cup of tea for the world", [SPORT, VOTES]) == ("world",)


@pytest.mark.parametrize(
    ("url", "place", "fits"),
    [
        ("https://x.example/sport/a", "/sport/*", True),
        ("https://x.example/Sport/a?b=1", "/sport/*", True),
        ("https://x.example/sport", "/sport/*", True),
        ("https://x.example/sportive/a", "/sport/*", False),
        ("https://x.example/en/sport/a", "/sport/*", False),
        ("https://x.example/en/sport/a", "/*/sport/*", True),
        ("https://www.sport.example/a", "https://sport.example/*", True),
        ("http://sport.example/", "https://sport.example/*", True),
        ("https://sport.example.evil.example/", "https://sport.example/*", False),
        ("https://x.example/%C5%BCu%C5%BCel/1", "/żużel/*", True),
        ("https://x.example/aXa", "/a*a", True),
        ("https://x.example/a", "/a*a", False),
        ("https://x.example/?section=sport", "/*section=sport*", True),
        ("https://[", "/sport/*", False),
    ],
)
def test_a_place_is_a_path_or_a_host_with_a_path(url: str, place: str, fits: bool) -> None:
    assert is_at(url, place) is fits


@pytest.mark.parametrize(
    ("title", "words", "fits"),
    [
        ("The World\u00a0 Cup begins", "world cup", True),
        ("The worlds cup", "world cup", False),
        ("Re-elected mayor", "elect*", True),
        ("Electric cars", "elect", False),
        ("Selection", "elect*", False),
        ("WM in Gießen", "GIESSEN", True),
        ("C++ is forty", "c++", True),
    ],
)
def test_words_of_a_title_are_whole_unless_a_star_lets_them_go_on(title: str, words: str, fits: bool) -> None:
    assert has_words(title, words) is fits


@given(st.text(), st.text(), st.lists(st.text(max_size=20)))
def test_no_title_url_or_category_breaks_a_rule(title: str, url: str, own: list[str]) -> None:
    assert assign(own, url, title, [SPORT, VOTES])[: len(set(own))] == tuple(dict.fromkeys(own))


def test_many_stars_and_long_titles_are_answered_at_once() -> None:
    assert not is_at("https://x.example/" + "a" * 5_000, "/" + "*a" * 90 + "*b")
    assert not has_words("a " * 50_000, " ".join(["a"] * 90) + " b")


@pytest.mark.parametrize(
    ("category", "topic"),
    [
        ("C", "c"), ("C++", "c-plus-plus"), ("C#", "c-sharp"), ("F#", "f-sharp"), (".NET", "dot-net"),
        ("ASP.NET", "asp-net"), ("C++17", "c-plus-plus-17"), ("Disney+", "disney-plus"), ("#tide", "tide"),
        ("Markets & Money", "markets-money"), ("A + B", "a-b"), ("...and more", "and-more"),
        ("हिन्दी समाचार", "हिन्दी-समाचार"), ("ไทยรัฐ", "ไทยรัฐ"), ("U\u0308bung", "übung"), ("❤\ufe0f love", "love"),
        ("Наука и жизнь", "наука-и-жизнь"), ("日本語 ニュース", "日本語-ニュース"), ("++", ""),
    ],
)  # fmt: skip
def test_a_category_is_a_readable_topic_and_signs_keep_names_apart(category: str, topic: str) -> None:
    assert slug(category) == topic


def test_a_rule_for_c_plus_plus_fits_neither_c_nor_c_sharp() -> None:
    rule = TopicSettings(name="cpp", categories=("C++",))
    for category, fits in (("C++", True), ("c-plus-plus", True), ("C", False), ("C#", False)):
        assert ("cpp" in assign((category,), "https://quay.example/a", "Title", [rule])) is fits


def test_a_rule_named_in_another_script_is_a_topic() -> None:
    rule = TopicSettings(name="наука", categories=("Science",))
    assert assign(("science",), "https://quay.example/a", "Title", [rule]) == ("science", "наука")
    assert TopicSettings(name="हिन्दी-समाचार", categories=("Hindi",)).name == "हिन्दी-समाचार"
    with pytest.raises(ValidationError, match="lower-case letters of any script"):
        TopicSettings(name="Наука", categories=("Science",))


@pytest.mark.parametrize(
    ("written", "topic"),
    [
        (("Κόσμος", "ΚΟΣΜΟΣ", "κόσμος", "Κο\u0301σμος"), "κοσμος"),
        (("Μάιος", "ΜΑΪΟΣ", "ΜΑΙΟΣ"), "μαιος"),
        (("Εσωτερικές ειδήσεις", "ΕΣΩΤΕΡΙΚΕΣ ΕΙΔΗΣΕΙΣ"), "εσωτερικες-ειδησεις"),
        (("Ἑλλάς", "ΕΛΛΑΣ"), "ελλας"),
        (("Χειμώνας στο Σ", "ΧΕΙΜΩΝΑΣ ΣΤΟ Σ"), "χειμωνας-στο-σ"),
        (("Zürich", "ZÜRICH"), "zürich"),
        (("Ёлка", "ЁЛКА"), "ёлка"),
    ],
)
def test_capitals_and_small_letters_are_one_topic(written: tuple[str, ...], topic: str) -> None:
    assert {slug(one) for one in written} == {topic}
    assert is_topic(topic)


def test_a_greek_topic_is_found_however_the_settings_and_the_title_write_it() -> None:
    rule = TopicSettings(name="κόσμος", categories=("Διεθνή",), title=("κόσμος",))

    assert rule.name == "κοσμος"
    assert assign([slug("ΔΙΕΘΝΗ")], LINK, "", [rule]) == ("διεθνη", "κοσμος")
    assert has_words("Ο ΚΟΣΜΟΣ ΣΗΜΕΡΑ", "κόσμος")
    assert not has_words("Ο κοσμοπολίτης", "κόσμος")
