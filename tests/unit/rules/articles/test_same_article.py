"""The borders between an article under a new name and another article; `tests/tasks` has the stories."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rules.articles.duplicates import Identity
from digest.rules.articles.same_article import (
    Item,
    find_taken_back,
    is_another_in_same_words,
    is_continued,
    is_renamed,
    may_be_renamed,
)

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LINK = "https://paper.example/bridge"
TEXT = " ".join(
    f"The harbour board voted {n} to {n + 1} on pier {n * 7} and the clerk wrote it down." for n in range(12)
)
FEW = "Trains are late between the harbour and the hill."


def marks(url: str = LINK, guid: str | None = "g1", at: datetime | None = NOW) -> Identity:
    return Identity(url, guid, at)


def item(identity: Identity, title: str = "Bridge reopens", text: str = TEXT) -> Item:
    return Item(identity, title, text)


@pytest.mark.parametrize(
    ("before", "now", "apart", "told_on"),
    [
        ("#1", "#2", timedelta(hours=48), True),
        ("#1", "#2", timedelta(hours=48, minutes=1), False),
        ("#1", "#2", None, True),
        ("#1795741200", "#1795755600", timedelta(hours=12), True),
        ("#1795741200", "#1795755600", timedelta(hours=12, minutes=1), False),
        ("#1795741200", "#1795755600", None, False),
        ("/1", "?1795755600", HOUR, False),
        ("", "#1795755600", HOUR, True),
    ],
)
def test_a_counter_is_told_on_for_two_days_a_time_for_half_a_day(
    before: str, now: str, apart: timedelta | None, told_on: bool
) -> None:
    known = marks(guid=LINK + before)
    found = marks(guid=LINK + now, at=None if apart is None else NOW + apart)

    assert is_continued(known, found) is told_on


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (marks(guid=None), marks(guid=f"{LINK}#2")),
        (marks(guid=f"{LINK}#1"), marks(guid=None)),
        (marks(guid=f"{LINK}#1"), marks(guid=f"{LINK}#1")),
        (marks(guid=f"{LINK}#1"), marks(f"{LINK}/2", f"{LINK}#2")),
        (marks(guid="tag:1"), marks(guid=f"{LINK}#2")),
        (marks(guid="https://other.example/bridge#1"), marks(guid=f"{LINK}#2")),
    ],
    ids=["none before", "none now", "the same", "another link", "no link", "another site's link"],
)
def test_without_a_counter_after_one_link_nothing_is_told_on(known: Identity, found: Identity) -> None:
    assert not is_continued(known, found)


def test_a_counter_is_found_whatever_the_link_begins_and_ends_with() -> None:
    known, found = marks(f"{LINK}/", "http://www.paper.example/BRIDGE#1"), marks(f"{LINK}/", f"{LINK}?v=2")

    assert is_continued(known, found)


@pytest.mark.parametrize(
    ("url", "text", "apart", "both_stand", "is_another"),
    [
        ("https://paper.example/2", FEW, timedelta(0), True, True),
        ("https://paper.example/2", TEXT, timedelta(0), True, False),
        ("https://paper.example/2", TEXT, MINUTE, True, True),
        ("https://paper.example/2", TEXT, None, True, False),
        ("https://paper.example/2", FEW, timedelta(hours=1, minutes=59), False, False),
        ("https://paper.example/2", FEW, timedelta(hours=2), False, True),
        ("https://paper.example/2", TEXT, timedelta(hours=19, minutes=59), False, False),
        ("https://moved.example/2", FEW, timedelta(hours=19, minutes=59), False, False),
        ("https://paper.example/2", FEW, timedelta(hours=20), False, True),
        ("https://paper.example/2", TEXT, timedelta(hours=20), False, True),
        ("https://moved.example/2", TEXT, timedelta(hours=20), False, False),
        ("https://moved.example/2", FEW, timedelta(hours=20), False, True),
        ("https://paper.example/2", FEW, None, False, False),
    ],
)
def test_the_same_words_are_another_article_by_their_time_their_length_and_their_site(
    url: str, text: str, apart: timedelta | None, both_stand: bool, is_another: bool
) -> None:
    known = item(marks(), text=text)
    found = item(marks(url, "g2", None if apart is None else NOW + apart), text=text)

    assert is_another_in_same_words(known, found, both_stand=both_stand) is is_another


@pytest.mark.parametrize(
    "found",
    [marks(LINK, "g2", NOW + timedelta(days=2)), marks(f"{LINK}/2", "g1", NOW + timedelta(days=2))],
    ids=["same link", "same guid"],
)
def test_one_link_or_one_guid_is_one_article_however_late(found: Identity) -> None:
    assert not is_another_in_same_words(item(marks(), text=FEW), item(found, text=FEW), both_stand=False)
    assert not is_another_in_same_words(item(marks(), text=FEW), item(found, text=FEW), both_stand=True)


@pytest.mark.parametrize(
    ("title", "text", "apart", "renamed"),
    [
        ("Bridge reopens at last", TEXT + " Corrected.", 6 * HOUR, True),
        ("Bridge reopens at last", TEXT, 6 * HOUR + MINUTE, False),
        ("Wholly other words", TEXT, timedelta(0), True),
        ("Wholly other words", TEXT, MINUTE, False),
        ("Bridge reopens", " ".join(reversed(TEXT.split())), timedelta(0), False),
        ("Bridge reopens", TEXT, None, False),
    ],
    ids=["corrected", "too late", "same time", "other title and time", "other text", "no date any more"],
)
def test_a_long_text_is_renamed_by_a_near_time_and_a_like_title(
    title: str, text: str, apart: timedelta | None, renamed: bool
) -> None:
    found = item(marks(f"{LINK}/2", "g2", None if apart is None else NOW + apart), title, text)

    assert is_renamed(item(marks()), found) is renamed


@pytest.mark.parametrize(
    ("title", "text", "apart", "renamed"),
    [
        ("Delays today", "Late trains.", timedelta(0), True),
        ("DELAYS  TODAY", "late   trains.", timedelta(0), True),
        ("Delays today", "Late trains.", MINUTE, False),
        ("Delays today", "Late ferries.", timedelta(0), False),
        ("Delays on Monday", "Late trains.", timedelta(0), False),
    ],
)
def test_a_few_words_are_renamed_only_at_the_same_time_under_nearly_the_same_title(
    title: str, text: str, apart: timedelta, renamed: bool
) -> None:
    known = item(marks(), "Delays today", "Late trains.")

    assert is_renamed(known, item(marks(f"{LINK}/2", "g2", NOW + apart), title, text)) is renamed


ALERT = "Trains are late between the harbour and the hill because of ice on the upper line."
NOTICE = (
    "The public library in the old customs house is closed all week: its roof leaks, and the books are moved."
)


def test_an_alert_in_the_same_words_hours_later_renames_nothing() -> None:
    known = item(marks(at=NOW + MINUTE), "Delays", ALERT)

    assert not is_renamed(known, item(marks(f"{LINK}/2", "g2", NOW + 4 * HOUR), "Delays", ALERT))
    assert is_renamed(known, item(marks(f"{LINK}/2", "g2", NOW + HOUR), "Delays", ALERT))


@pytest.mark.parametrize(
    ("at", "text", "renamed"),
    [
        (NOW + MINUTE, NOTICE, True),
        (NOW, NOTICE, False),
        (NOW + MINUTE, NOTICE.replace("books", "maps"), False),
        (NOW + MINUTE, ALERT, False),
    ],
    ids=["word for word", "a date without a time", "another word", "too few words"],
)
def test_a_short_text_has_a_new_headline_if_it_is_word_for_word_the_same(
    at: datetime, text: str, renamed: bool
) -> None:
    known = item(marks(at=at), "Library closed", ALERT if text == ALERT else NOTICE)

    assert is_renamed(known, item(marks(f"{LINK}/2", "g2", at), "Wholly other words", text)) is renamed


def test_articles_without_dates_may_be_renamed_by_their_titles_alone() -> None:
    known, found = marks(at=None), marks(f"{LINK}/2", "g2", None)

    assert may_be_renamed(known, "Bridge reopens", found, "Bridge reopens at last")
    assert not may_be_renamed(known, "Bridge reopens", found, "Wholly other words")


@given(st.text(max_size=500), st.text(max_size=500), st.integers(-50, 50))
def test_what_may_not_be_renamed_is_not(title: str, text: str, hours: int) -> None:
    """The quick look before the texts are read leaves nothing out that the whole look would find."""
    known, found = item(marks()), item(marks(f"{LINK}/2", "g2", NOW + hours * HOUR), title, text or TEXT)

    if is_renamed(known, found):
        assert may_be_renamed(known.marks, known.title, found.marks, found.title)


@pytest.mark.parametrize(
    ("standing", "taken_back"),
    [
        ([NOW, NOW - 3 * HOUR], {1}),
        ([NOW, NOW - HOUR], set()),
        ([NOW, NOW, NOW - 3 * HOUR], {1}),
        ([], set()),
        ([NOW, None, NOW - 3 * HOUR], set()),
        ([NOW - 3 * HOUR, NOW], set()),
    ],
    ids=[
        "older ones remain",
        "it scrolled out",
        "two at once",
        "an empty feed",
        "an undated item",
        "not by date",
    ],
)
def test_an_article_was_taken_back_only_if_older_ones_remain_in_a_feed_by_date(
    standing: list[datetime | None], taken_back: set[int]
) -> None:
    assert find_taken_back(standing, {1: NOW - 2 * HOUR, 2: None}) == taken_back
