"""An editor's hand on a list: what is placed stays, what is free follows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.rules.editions.arrangement import Arrangement, append, free, leave_out, move, pin
from digest.rules.editions.selection import Candidate, Limits, choose, why_not

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LIMITS = Limits(("world", "science"), 100, timedelta(days=31))
LISTS = st.lists(st.integers(1, 30), unique=True, min_size=1, max_size=12)


def article(number: int, *topics: str, age: float = 1) -> Candidate:
    return Candidate(number, topics or ("world",), NOW - timedelta(days=age))


def show(order: list[int], articles: list[Candidate]) -> list[int]:
    chosen = choose(articles, {"*": LONG_AGO}, frozenset(), NOW, LIMITS, Arrangement(tuple(order)))
    return [choice.article_id for choice in chosen.choices]


@given(LISTS, st.data())
def test_however_often_articles_are_moved_the_list_is_as_it_was_last_shown(
    ids: list[int], data: st.DataObject
) -> None:
    articles = [article(number, age=1 + at / 100) for at, number in enumerate(ids)]
    order: list[int] = []
    for _ in range(data.draw(st.integers(1, 6))):
        shown = show(order, articles)
        moved, position = data.draw(st.sampled_from(ids)), data.draw(st.integers(0, len(ids) - 1))
        expected = [one for one in shown if one != moved]
        expected.insert(position, moved)
        order = move(order, shown, moved, position)
        assert show(order, articles) == expected


@given(LISTS, st.data())
def test_what_comes_in_later_leaves_a_moved_article_in_its_place_and_stands_above_it(
    ids: list[int], data: st.DataObject
) -> None:
    articles = [article(number, age=1 + at / 100) for at, number in enumerate(ids)]
    moved, position = data.draw(st.sampled_from(ids)), data.draw(st.integers(0, len(ids) - 1))
    order = move([], show([], articles), moved, position)

    shown = show(order, [*articles, article(99, age=0)])

    assert order == [0] * position + [moved], "the article that was moved is the only one placed"
    assert shown[position] == moved
    assert shown[0 if position else 1] == 99


def test_a_pinned_article_keeps_the_place_in_which_it_stands() -> None:
    assert pin([], [1, 2, 3], 3) == [0, 0, 3]
    assert pin([3, 1], [3, 1, 2], 1) == [3, 1]
    assert append([3, 1], 2) == [3, 1, 2]
    assert append([3, 1], 3) == [0, 1, 3]


def test_an_article_let_go_leaves_all_others_where_they_are() -> None:
    assert free([3, 1, 2], 1) == [3, 0, 2]
    assert free([3, 0, 2], 2) == [3]


@given(LISTS, st.data())
def test_leaving_an_article_out_keeps_the_order_of_all_others(ids: list[int], data: st.DataObject) -> None:
    articles = [article(number, age=1 + at / 100) for at, number in enumerate(ids)]
    order: list[int] = []
    for _ in range(data.draw(st.integers(0, 4))):
        moved, position = data.draw(st.sampled_from(ids)), data.draw(st.integers(0, len(ids) - 1))
        order = move(order, show(order, articles), moved, position)
    shown, gone = show(order, articles), data.draw(st.sampled_from(ids))

    order = leave_out(order, shown, gone)

    rest = [one for one in articles if one.id != gone]
    assert show(order, rest) == [one for one in shown if one != gone]


def test_an_article_placed_that_the_list_does_not_show_keeps_a_place_at_the_end() -> None:
    assert move([7, 1], [1, 2, 3], 3, 0) == [3, 1, 7]


def test_a_reader_who_lacks_a_placed_article_gets_no_gap() -> None:
    articles = [article(number, age=number / 100) for number in (1, 2, 3)]

    assert show([0, 9, 3], articles) == [1, 3, 2]
    assert show([0, 0, 0, 0, 0, 1], articles) == [2, 3, 1]


def test_an_added_article_may_be_old_and_off_the_digests_topics_and_still_goes_by_topics_or_to_all() -> None:
    old = article(1, "house", age=90)
    reader, history = {"science": NOW - timedelta(days=1)}, frozenset[int]()
    assert why_not(old, reader, history, NOW, LIMITS) == "it is older than 31 days"
    assert why_not(old, reader, history, NOW, LIMITS, Arrangement(added={1: True})) is None
    topics = Arrangement(added={1: False})
    assert why_not(old, reader, history, NOW, LIMITS, topics) == "none of its topics is one of the reader's"
    assert why_not(article(1, "science", age=90), reader, history, NOW, LIMITS, topics) is None
    assert "earlier edition" in (
        why_not(old, reader, frozenset({1}), NOW, LIMITS, Arrangement(added={1: True})) or ""
    )


def test_an_article_left_out_says_so() -> None:
    said = why_not(article(1), {"*": LONG_AGO}, frozenset(), NOW, LIMITS, Arrangement(hidden=frozenset({1})))
    assert said == "an editor leaves it out of this edition"
