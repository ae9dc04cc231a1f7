"""Return paths: short, case-blind, each message's own, and nobody can make one."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rules.delivery.return_paths import ReturnPaths
from digest.rules.tokens.tokens import (
    UNSUBSCRIBE,
    find_returned,
    read_return,
    sign,
    sign_return,
)
from digest.settings.inbound import TOKEN_LENGTH

OLD, NEW = b"an old secret of ours", b"the secret of today"
READER, OTHER = "abcdefghijklmnopqrstuvwx27", "abcdefghijklzzzzzzzzzzzz27"
TODAY, YESTERDAY = ("world", "daily", "2026-11-23"), ("world", "daily", "2026-11-22")
TOKEN = sign_return([NEW], READER, TODAY)
PATHS = ReturnPaths("news+", "courier.example", (NEW, OLD))
CATCH_ALL = ReturnPaths("", "in.courier.example", (NEW,))


def test_a_token_has_31_characters_that_no_relay_can_spoil() -> None:
    assert re.fullmatch(r"[a-z2-7]{31}", TOKEN)
    assert len(TOKEN) == TOKEN_LENGTH


def test_a_token_tells_the_reader_and_the_message_in_any_case() -> None:
    for token in (TOKEN, TOKEN.upper(), TOKEN.title()):
        assert read_return(token) == READER[:12]
        assert find_returned([NEW], token, READER, [YESTERDAY, TODAY]) == TODAY


def test_a_token_is_the_same_for_a_repeat_and_another_for_each_reader_and_edition() -> None:
    assert sign_return([NEW], READER, TODAY) == TOKEN
    made = {
        sign_return([NEW], reader, named) for reader, named in product((READER, OTHER), (TODAY, YESTERDAY))
    }
    assert len(made) == 4


def test_a_token_survives_the_rotation_of_keys() -> None:
    token = sign_return([OLD], READER, TODAY)
    assert find_returned([NEW, OLD], token, READER, [TODAY]) == TODAY
    assert find_returned([NEW], token, READER, [TODAY]) is None


def test_readers_whose_ids_begin_alike_are_told_apart_by_the_whole_of_them() -> None:
    assert read_return(TOKEN) == OTHER[:12]
    assert find_returned([NEW], TOKEN, OTHER, [TODAY]) is None


def test_names_cannot_be_shifted_into_each_other() -> None:
    assert sign_return([NEW], READER, ("world", "daily")) != sign_return([NEW], READER, ("worldd", "aily"))


def test_no_changed_character_is_accepted() -> None:
    for index, char in product(range(TOKEN_LENGTH), "abcdefghijklmnopqrstuvwxyz234567"):
        forged = TOKEN[:index] + char + TOKEN[index + 1 :]
        if forged != TOKEN:
            assert find_returned([NEW], forged, READER, [TODAY]) is None


@pytest.mark.parametrize("length", [0, 1, 13, 30])
def test_a_truncated_token_is_none(length: int) -> None:
    assert read_return(TOKEN[:length]) is None
    assert find_returned([NEW], TOKEN[:length], READER, [TODAY]) is None


@given(st.text(max_size=40))
def test_garbage_is_no_token_and_no_error(text: str) -> None:
    assert find_returned([NEW], text, READER, [TODAY]) is None
    assert PATHS.find_token(text) is None
    assert PATHS.find_token(f"news+{text}@courier.example") is None or read_return(text.lower()) is not None


@pytest.mark.parametrize("lookalike", ["\u212a", "\u017f", "\u0131"], ids=["kelvin", "long s", "dotless i"])
def test_what_only_looks_like_a_letter_is_none(lookalike: str) -> None:
    assert read_return(TOKEN[:5] + lookalike + TOKEN[6:]) is None


def test_a_link_to_leave_is_no_return_path() -> None:
    assert find_returned([NEW], sign([NEW], UNSUBSCRIBE, READER, "world"), READER, [TODAY]) is None


def test_a_path_is_the_inbox_with_a_token_and_gives_it_back_in_any_case() -> None:
    path = PATHS.write(READER, TODAY)
    assert path == f"news+{TOKEN}@courier.example"
    for came_as in (path, path.upper(), path.replace("courier", "Courier") + "."):
        assert PATHS.find_token(came_as) == TOKEN
    assert len(path.partition("@")[0]) <= 64  # RFC 5321 4.5.3.1.1


def test_a_domain_that_takes_all_has_nothing_before_the_token() -> None:
    path = CATCH_ALL.write(READER, TODAY)
    assert path == f"{TOKEN}@in.courier.example"
    assert CATCH_ALL.find_token(path) == TOKEN


@pytest.mark.parametrize(
    "address",
    [
        f"news+{TOKEN}@elsewhere.example",
        f"other+{TOKEN}@courier.example",
        f"{TOKEN}@courier.example",
        "news@courier.example",
        "news+subscribe-world@courier.example",
        f"news+{TOKEN[:-1]}@courier.example",
        "",
    ],
)
def test_another_address_has_no_token_of_ours(address: str) -> None:
    assert PATHS.find_token(address) is None


def test_a_path_tells_no_key_when_printed() -> None:
    assert "secret" not in repr(PATHS)


def test_a_plain_return_path_is_every_messages_and_names_no_delivery() -> None:
    plain = ReturnPaths("news+", "courier.example", (NEW,), plain="bounces@courier.example")

    assert plain.write(READER, TODAY) == plain.write(OTHER, YESTERDAY) == "bounces@courier.example"
    assert plain.find_token(f"news+{TOKEN}@courier.example") is None
