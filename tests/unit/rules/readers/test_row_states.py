"""What a row of a list says about a person: who left is never taken for somebody who wants mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rules.readers.row_states import (
    GONE,
    ListState,
    RowVerdict,
    StateColumn,
    StateWords,
    judge_row,
    squeeze,
    squeezed,
    worse,
)

ACTIVE, PENDING, UNKNOWN = ListState.ACTIVE, ListState.PENDING, ListState.UNKNOWN
LEFT, BOUNCED, COMPLAINED = ListState.LEFT, ListState.BOUNCED, ListState.COMPLAINED
WORDS = StateWords(
    {
        "subscribed": ACTIVE,
        "unconfirmed": PENDING,
        "unsubscribed": LEFT,
        "bounced": BOUNCED,
        "spam": COMPLAINED,
    },
    squeezed(["yes", "true", "1", "✓"]),
    squeezed(["no", "false", "0", "none", "null"]),
)
OF_FILE = RowVerdict(ACTIVE)


def column(name: str = "Status", **rules: ListState | bool | None) -> StateColumn:
    return StateColumn(name, WORDS, **rules)  # type: ignore[arg-type]


def test_the_worst_cell_decides_and_is_named() -> None:
    columns = [(0, column("Status")), (1, column("Marketing")), (2, column("Notes"))]

    found = judge_row(columns, ["subscribed", " Spam ", "unsubscribed"], OF_FILE)

    assert found == RowVerdict(COMPLAINED, "Marketing", "Spam")


def test_a_file_of_people_who_left_is_not_overridden_by_a_cell_that_says_subscribed() -> None:
    of_file = RowVerdict(LEFT, "unsubscribes.csv")

    assert judge_row([(0, column())], ["subscribed"], of_file) == of_file
    assert judge_row([(0, column())], ["bounced"], of_file).state is BOUNCED


def test_a_row_that_is_too_short_has_empty_cells() -> None:
    assert judge_row([(3, column(empty=PENDING))], ["ann@a.example"], OF_FILE).state is PENDING
    assert judge_row([(3, column())], ["ann@a.example"], OF_FILE) == OF_FILE


@pytest.mark.parametrize("cell", ["", " ", "-", "\ufeff", "''", "\xa0"])
def test_an_empty_cell_says_what_the_column_says_of_empty_ones(cell: str) -> None:
    assert column().judge(cell) is None
    assert column(empty=LEFT).judge(cell) is LEFT


@pytest.mark.parametrize("cell", ["subscribd", "yes, please", "42", "aktiv?"])
def test_a_word_that_is_not_known_is_never_taken_for_active(cell: str) -> None:
    assert column().judge(cell) is UNKNOWN
    assert not column().knows(cell)


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        ("2026-11-23", LEFT),
        ("Nov 23, 2026 07:00", LEFT),
        ("1764000000", LEFT),
        ("yes", LEFT),
        ("no", None),
        ("None", None),
        ("https://shop.example/u/23", None),
        ("subscribed", None),
        ("spam", COMPLAINED),
        ("whatever", UNKNOWN),
    ],
)
def test_a_mark_says_that_something_happened(cell: str, state: ListState | None) -> None:
    assert column("Unsubscribed at", mark=LEFT).judge(cell) is state


@pytest.mark.parametrize(
    ("cell", "state"),
    [("yes", ACTIVE), ("No", LEFT), ("2026-11-23", ACTIVE), ("unconfirmed", PENDING), ("maybe", UNKNOWN)],
)
def test_an_answer_is_a_yes_or_a_no(cell: str, state: ListState | None) -> None:
    assert column("Opted in", yes=ACTIVE, no=LEFT).judge(cell) is state


@pytest.mark.parametrize(
    ("cell", "state"),
    [("no", LEFT), ("yes", None), ("null", None), ("none", None), ("subscribed", None), ("Bounced", BOUNCED)],
)
def test_of_a_loose_answer_a_plain_no_and_a_departure_count_alone(cell: str, state: ListState | None) -> None:
    assert column("Newsletter", yes=ACTIVE, no=LEFT, loose=True).judge(cell) is state


def test_where_any_content_is_a_state_only_a_no_is_none() -> None:
    reason = column("Reason for leaving", filled=LEFT)

    assert reason.judge("too many mails") is LEFT
    assert reason.judge("0") is None


def test_a_tools_own_values_come_before_common_words() -> None:
    own = StateColumn("status", WORDS, values={"0": LEFT, "subscribed": PENDING}, yes=ACTIVE, no=BOUNCED)

    assert own.judge("0") is LEFT
    assert own.judge("Subscribed") is PENDING
    assert own.judge("1") is ACTIVE


def test_why_mailman_keeps_mail_back_is_no_state() -> None:
    assert column("nomail", is_untold=True, mark=LEFT).judge("[B]") is UNKNOWN


def test_words_are_compared_without_case_accents_and_signs() -> None:
    assert squeeze("Désabonné(e)") == squeeze(" DESABONNE E ") == "desabonnee"
    assert squeeze(" ✓ ") == "✓"


@given(
    st.lists(
        st.sampled_from(["", "subscribed", "unconfirmed", "unsubscribed", "bounced", "spam", "?"]), max_size=5
    )
)
def test_no_row_is_judged_milder_than_any_of_its_cells(cells: list[str]) -> None:
    columns = [(place, column(str(place))) for place in range(5)]

    found = judge_row(columns, cells, OF_FILE).state

    for place, one in columns:
        cell = cells[place] if place < len(cells) else ""
        assert worse(found, one.judge(cell) or ACTIVE) is found
    assert (found in GONE) == bool({"unsubscribed", "bounced", "spam"} & set(cells))
