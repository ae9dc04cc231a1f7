"""Folding: near-duplicate texts are one story, and nothing else is; the pairs are in tests/corpus/stories."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rules.articles.admission import ARCHIVE, NO_DATE, TOO_MANY, Admission, hold_back
from digest.rules.articles.duplicates import Identity, StoryText, is_another_story, is_same_story, sample
from tests.support.stories import Pair, pairs

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY = timedelta(days=1)
ADDRESS = "https://paper.example/a"


@pytest.mark.parametrize("pair", pairs("fold"), ids=lambda pair: pair.name)
def test_one_story_in_two_sources_is_folded_and_the_index_finds_it(pair: Pair) -> None:
    assert is_same_story(pair.first, pair.second)
    assert is_same_story(pair.second, pair.first)
    assert set(sample(pair.first)) & set(sample(pair.second))


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_ascii_are_what_a_pattern_finds(text: str) -> None:
    assert StoryText(text, "").said == tuple(re.findall(r"\w+", text.casefold(), re.A))


@pytest.mark.parametrize("pair", pairs("apart"), ids=lambda pair: pair.name)
def test_two_stories_stay_apart(pair: Pair) -> None:
    assert not is_same_story(pair.first, pair.second)


@pytest.mark.parametrize("pair", pairs("edit"), ids=lambda pair: pair.name)
def test_an_edit_is_one_under_a_new_guid_and_date_too(pair: Pair) -> None:
    old, new = Identity(ADDRESS, "1", NOW - DAY), Identity(ADDRESS, "2", NOW)
    assert not is_another_story(old, pair.first, new, pair.second)


@pytest.mark.parametrize("pair", pairs("new"), ids=lambda pair: pair.name)
def test_mostly_new_text_is_new_under_a_new_guid_or_a_new_date_and_an_edit_under_neither(pair: Pair) -> None:
    old = Identity(ADDRESS, "1", NOW - DAY)
    for marks in (Identity(ADDRESS, "2", NOW - DAY), Identity(ADDRESS, "1", NOW)):
        assert is_another_story(old, pair.first, marks, pair.second)
    assert not is_another_story(old, pair.first, old, pair.second)


def test_a_text_without_a_word_is_like_nothing() -> None:
    nothing = StoryText("", "!?")
    assert not is_same_story(nothing, nothing)
    assert sample(nothing) == []


def test_a_flood_lets_the_newest_in_and_holds_the_rest_back() -> None:
    published = [NOW - n * DAY for n in (3, 0, 2, 1)]
    assert hold_back(published, Admission(max_new=2)) == [TOO_MANY, "", TOO_MANY, ""]
    assert hold_back(published, Admission()) == [""] * 4


def test_a_first_fetch_takes_what_is_older_than_the_reach_as_known() -> None:
    intake = Admission(100, since=NOW - 7 * DAY, undated=1)
    assert hold_back([NOW, NOW - 8 * DAY, None, None], intake) == ["", ARCHIVE, "", NO_DATE]
