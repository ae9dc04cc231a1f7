"""What does not fit is shortened by rule and in order, no more than it takes, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from digest.models import Form
from digest.rules.editions.selection import Choice, Chosen
from digest.rules.editions.shortening import TOP, count_steps, fit, list_shortened, shorten

WEIGHT = {Form.FULL: 9, Form.SUMMARY: 3, Form.TITLE: 1}


def listed(*forms: Form, related: int = 0, left_out: int = 0) -> Chosen:
    choices = tuple(Choice(number, form, "world") for number, form in enumerate(forms))
    return Chosen(choices, left_out, tuple(range(100, 100 + related)))


def weigh(chosen: Chosen) -> int:
    return sum(WEIGHT[choice.form] for choice in chosen.choices) + len(chosen.related)


def told(chosen: Chosen) -> str:
    return "".join(choice.form[0] for choice in chosen.choices) + f" {len(chosen.related)} {chosen.left_out}"


def test_what_fits_is_left_as_it_is() -> None:
    chosen = listed(Form.FULL, Form.FULL)
    assert fit(chosen, weigh, 18) is chosen


def test_the_steps_go_from_the_last_article_to_the_first_and_the_lead_keeps_its_summary() -> None:
    chosen = listed(Form.FULL, Form.SUMMARY, Form.FULL, related=2, left_out=4)
    steps = [told(shorten(chosen, steps)) for steps in range(count_steps(chosen) + 1)]
    assert steps == [
        "fsf 2 4", "fss 2 4", "sss 2 4", "sss 0 4", "sst 0 4", "stt 0 4", "st 0 5", "s 0 6", "t 0 6",
    ]  # fmt: skip


def test_below_the_top_articles_become_titles_and_roll_over_before_the_top_loses_a_summary() -> None:
    chosen = listed(*[Form.SUMMARY] * (TOP + 2), related=1)
    steps = [told(shorten(chosen, steps)) for steps in range(count_steps(chosen) + 1)]
    assert steps[:7] == [
        "sssssss 1 0", "sssssst 1 0", "ssssstt 1 0", "ssssstt 0 0", "ssssst 0 1", "sssss 0 2", "sssst 0 2",
    ]  # fmt: skip
    assert steps[-2:] == ["s 0 6", "t 0 6"]


def test_two_hundred_articles_become_a_lead_with_a_summary_titles_and_how_many_more() -> None:
    chosen = listed(*[Form.FULL] * 200)
    assert told(fit(chosen, weigh, 100)) == "s" * TOP + "t" * 85 + " 0 110"


def test_the_first_article_is_never_dropped_and_more_steps_change_nothing() -> None:
    chosen = listed(Form.TITLE, Form.TITLE)
    assert told(shorten(chosen, 50)) == "t 0 1"
    assert told(fit(chosen, weigh, 0)) == "t 0 1"


def test_shortened_are_those_that_are_shorter_than_the_digests_own_form() -> None:
    chosen = listed(Form.FULL, Form.SUMMARY, Form.TITLE)
    assert [choice.article_id for choice in list_shortened(chosen, Form.FULL)] == [1, 2]
    assert [choice.article_id for choice in list_shortened(chosen, Form.SUMMARY)] == [2]


@given(st.lists(st.sampled_from(Form), min_size=1, max_size=30), st.integers(0, 4), st.integers(0, 300))
def test_it_fits_where_it_can_with_no_step_more_than_it_takes(
    forms: list[Form], related: int, room: int
) -> None:
    chosen = listed(*forms, related=related)
    found = fit(chosen, weigh, room)

    assert weigh(found) <= room or len(found.choices) == 1
    # Nothing is lost: each article is in, or counted as left out; their order stands.
    assert len(found.choices) + found.left_out == len(forms)
    assert [choice.article_id for choice in found.choices] == list(range(len(found.choices)))
    # No article is shorter than a later one that was as long, and the lead is a title only where it stands alone.
    shown = [choice.form for choice in found.choices]
    for form in Form:
        lengths = [WEIGHT[now] for now, before in zip(shown, forms, strict=False) if before is form]
        assert lengths == sorted(lengths, reverse=True)
    assert shown[0] is not Form.TITLE or forms[0] is Form.TITLE or len(shown) == 1
    taken = next(n for n in range(count_steps(chosen) + 1) if shorten(chosen, n) == found)
    assert taken == 0 or weigh(shorten(chosen, taken - 1)) > room


def test_what_readers_are_taken_to_have_is_shortened_and_never_dropped() -> None:
    chosen = listed(Form.FULL, Form.SUMMARY, related=2)
    assert told(fit(chosen, weigh, 0, drops=False)) == "tt 0 0"
