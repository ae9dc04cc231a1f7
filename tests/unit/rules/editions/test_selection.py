"""Which articles a reader gets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rules.editions.arrangement import Arrangement
from digest.rules.editions.selection import (
    Candidate,
    Chosen,
    Limits,
    choose,
    cohort_key,
    from_cohort_topics,
    since,
    to_cohort_topics,
    why_not,
)

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LIMITS = Limits(("world", "science"), 3, timedelta(days=31))
LONG_AGO = NOW - timedelta(days=400)


def article(
    number: int, *, topics: tuple[str, ...] = ("world",), age: float = 1, pinned: bool = False
) -> Candidate:
    """Make an article of an age in days."""
    return Candidate(number, topics, NOW - timedelta(days=age), pinned=pinned)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (article(1), None),
        (article(1, topics=("science",)), "one of the reader's"),
        (article(1, topics=("sport",)), "one of the digest's"),
        (article(1, age=32), "older than 31 days"),
        (article(1, age=-1), "after the freeze"),
        (article(7), "earlier edition"),
        (article(1, age=20), "before the reader chose"),
    ],
)
def test_each_reason_to_leave_an_article_out_is_named(candidate: Candidate, reason: str | None) -> None:
    topics = {"world": NOW - timedelta(days=10)}

    found = why_not(candidate, topics, frozenset({7}), NOW, LIMITS)

    assert found is None if reason is None else reason in (found or "")


def test_an_old_article_that_a_source_brings_late_is_too_old() -> None:
    late = Candidate(1, ("world",), NOW, published_at=NOW - timedelta(days=40))

    assert why_not(late, {"*": LONG_AGO}, frozenset(), NOW, LIMITS) == "it is older than 31 days"


def test_a_published_time_in_the_future_does_not_make_an_article_newer() -> None:
    assert Candidate(1, ("world",), NOW, published_at=NOW + timedelta(days=9)).dated_at == NOW


def test_pinned_articles_come_first_and_then_the_newest() -> None:
    rows = [article(1, age=3), article(2, age=1), article(3, age=5, pinned=True)]

    chosen = choose(rows, {"*": LONG_AGO}, frozenset(), NOW, LIMITS)

    assert [choice.article_id for choice in chosen.choices] == [3, 2, 1]


def test_fewer_articles_than_are_waited_for_wait_until_one_has_waited_long_enough() -> None:
    limits = replace(LIMITS, max_wait=timedelta(days=3))
    two = [article(1, age=1), article(2, age=2.9)]

    def chosen(*articles: Candidate, history: frozenset[int] = frozenset()) -> Chosen:
        return choose(articles, {"*": LONG_AGO}, history, NOW, limits, fewest=3)

    assert chosen(*two) == Chosen((), 2, waits=True)
    assert len(chosen(*two, article(3)).choices) == 3
    assert len(chosen(*two, article(3, age=3)).choices) == 3
    assert len(chosen(article(1), article(2, age=3)).choices) == 2
    assert chosen(*two, article(3), history=frozenset({3})).waits  # what the reader has does not count
    assert not chosen().waits


def test_what_does_not_fit_is_counted_as_left_out() -> None:
    chosen = choose([article(n, age=n) for n in range(1, 6)], {"*": LONG_AGO}, frozenset(), NOW, LIMITS)

    assert (len(chosen.choices), chosen.left_out) == (3, 2)


def test_an_article_of_two_topics_stands_under_the_one_that_the_reader_chose() -> None:
    row = article(1, topics=("world", "science"))

    chosen = choose([row], {"science": LONG_AGO}, frozenset(), NOW, LIMITS)

    assert chosen.choices[0].section == "science"


def test_a_new_topic_reaches_back_no_further_than_the_lookback() -> None:
    topics = since({"world": NOW.isoformat()}, timedelta(days=7))

    assert why_not(article(1, age=6.9), topics, frozenset(), NOW, LIMITS) is None
    assert why_not(article(1, age=7.1), topics, frozenset(), NOW, LIMITS) is not None


@given(
    st.lists(st.tuples(st.sampled_from(["world", "science", "sport"]), st.floats(0, 60)), max_size=30),
    st.dictionaries(st.sampled_from(["world", "science", "*"]), st.floats(0, 90), min_size=1),
    st.sets(st.integers(0, 30)),
)
def test_topics_as_a_cohort_stores_them_never_change_what_is_chosen(
    rows: list[tuple[str, float]], ages: dict[str, float], history: set[int]
) -> None:
    articles = [article(n, topics=(topic,), age=age) for n, (topic, age) in enumerate(rows)]
    topics = {topic: NOW - timedelta(days=age) for topic, age in ages.items()}
    stored = from_cohort_topics(to_cohort_topics(topics, NOW, LIMITS.carry), datetime.min.replace(tzinfo=UTC))

    plain = choose(articles, topics, frozenset(history), NOW, LIMITS)

    assert choose(articles, stored, frozenset(history), NOW, LIMITS) == plain
    assert not history & {choice.article_id for choice in plain.choices}


def test_readers_with_the_same_topics_and_history_in_another_order_share_a_cohort() -> None:
    one = cohort_key("world", "daily", "en", {"a": "", "b": ""}, [1, 2])
    other = cohort_key("world", "daily", "en", {"b": "", "a": ""}, [2, 1])

    assert one == other != cohort_key("world", "daily", "fr", {"a": "", "b": ""}, [1, 2])
    assert one != cohort_key("world", "daily", "en", {"a": "", "b": ""}, [1, 2], 5)


def test_whoever_has_a_story_does_not_get_it_again_from_another_source() -> None:
    root = article(1)._replace(folded=(8,))

    assert "same story" in (why_not(root, {"*": LONG_AGO}, frozenset({8}), NOW, LIMITS) or "")
    assert why_not(root, {"*": LONG_AGO}, frozenset({9}), NOW, LIMITS) is None


def test_an_editor_adds_an_article_for_all_but_not_for_whoever_has_it() -> None:
    shape = Arrangement(added={1: True, 2: True})
    old, late = article(1, topics=("sport",), age=400), article(2, age=-1)

    assert why_not(old, {"science": NOW}, frozenset(), NOW, LIMITS, shape) is None
    assert "earlier edition" in (why_not(old, {"*": NOW}, frozenset({1}), NOW, LIMITS, shape) or "")
    assert "after the freeze" in (why_not(late, {"*": NOW}, frozenset(), NOW, LIMITS, shape) or "")


def test_what_an_editor_leaves_out_stays_out_though_another_added_it() -> None:
    shape = Arrangement(hidden=frozenset({1}), added={1: True})

    assert "leaves it out" in (why_not(article(1), {"*": LONG_AGO}, frozenset(), NOW, LIMITS, shape) or "")


def test_an_article_that_was_edited_waits_until_it_has_stood_unchanged() -> None:
    waiting = article(1)._replace(settles_at=NOW + timedelta(seconds=1))

    assert "unchanged" in (why_not(waiting, {"*": LONG_AGO}, frozenset(), NOW, LIMITS) or "")
    assert why_not(waiting, {"*": LONG_AGO}, frozenset(), NOW + timedelta(seconds=1), LIMITS) is None
