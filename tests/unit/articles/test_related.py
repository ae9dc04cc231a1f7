"""Related articles: by what they say, the newer first, in any script."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.related import Index, RelatedStory, terms_of

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
TEXTS = (
    ("Swing bridge turns again", "The harbour bridge turns after repairs to its bearings and the old motor."),
    ("Bridge motor tested", "Engineers tested the motor of the harbour bridge before ships return."),
    ("Sponges older than thought", "Fossil sponges in the reef push back the dawn of animals."),
    ("Reef survey finds sponges", "Divers counted sponges and corals along the reef this spring."),
    ("Bakers raise prices", "Flour costs more after a poor harvest, and loaves follow."),
    (
        "Harvest disappoints farmers",
        "A wet summer left wheat fields poor; flour mills expect a lean harvest.",
    ),
)


def story(number: int, title: str, text: str = "", days_old: int = 0) -> RelatedStory:
    return RelatedStory(number, title, text, NOW - timedelta(days=days_old))


STORIES = [story(n, title, text, n) for n, (title, text) in enumerate(TEXTS)]


@pytest.mark.parametrize(("asked", "nearest"), [(0, 1), (1, 0), (2, 3), (3, 2), (4, 5), (5, 4)])
def test_the_story_about_the_same_matter_is_the_nearest(asked: int, nearest: int) -> None:
    assert Index(STORIES).near([STORIES[asked]], 4)[0] == nearest


def test_neither_what_is_asked_for_nor_what_is_barred_is_given() -> None:
    index = Index(STORIES)
    assert set(index.near([STORIES[0], STORIES[2]], 2)) == {1, 3}
    assert not {0, 2} & set(index.near([STORIES[0], STORIES[2]], 9))
    assert 1 not in index.near([STORIES[0]], 9, without=[1])
    assert index.near([STORIES[0]], 0) == index.near([], 4) == Index([]).near([STORIES[0]], 4) == []


def test_a_story_outside_of_the_index_may_be_asked_for() -> None:
    again = story(9, "Harbour bridge", "Its motor turns.")
    assert set(Index(STORIES).near([again], 2)) == {0, 1}


def test_of_two_that_say_the_same_the_newer_comes_first() -> None:
    old, new, other = story(1, *TEXTS[0], days_old=90), story(2, *TEXTS[0], days_old=2), STORIES[4]
    rest = [story(10 + n, *TEXTS[n]) for n in (2, 3, 4, 5)]
    assert Index([old, new, other, *rest]).near([story(9, *TEXTS[0])], 2) == [2, 1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("東京湾の橋が再び開通した", "東京湾の橋、開通式に千人"),
        ("สะพานท่าเรือเปิดอีกครั้ง", "สะพานท่าเรือซ่อมเสร็จ"),
        ("Мост в гавани снова открыт", "Ремонт: мост в гавани проверен, гавани ждут"),
        ("الجسر في الميناء يفتح", "مهندسون يفحصون الجسر الميناء"),
    ],
)
def test_stories_in_any_script_find_each_other(first: str, second: str) -> None:
    index = Index([*STORIES, story(20, first), story(21, second)])
    assert index.near([story(20, first)], 1) == [21]


def test_unspaced_scripts_are_read_in_pairs_of_signs_and_short_words_and_numbers_are_not_terms() -> None:
    assert terms_of("In 2026, 東京湾 Bridge") == ["東京", "京湾", "bridge"]


@given(st.lists(st.tuples(st.text(max_size=60), st.integers(0, 400)), max_size=12))
def test_the_answer_is_the_same_whatever_the_order_of_the_index(found: list[tuple[str, int]]) -> None:
    stories = [story(n, title, title, days) for n, (title, days) in enumerate(found)]
    asked = stories[:2]
    assert Index(stories).near(asked, 4) == Index(stories[::-1]).near(asked, 4)
