"""Tokens in addresses that readers write to: no one else's, no other purpose's, whatever a relay does to case."""

import pytest

from digest.rules.tokens.mail_tokens import (
    ARTICLE,
    COMMAND,
    CONFIRM,
    LEAVE,
    LENGTH,
    PRINT,
    find_addressed,
    find_number,
    read_address,
    sign_address,
    sign_number,
)

NEW, OLD, FOREIGN = b"n" * 32, b"o" * 32, b"f" * 32
ANNA, BEN = "abcdefgh2345annaannaannaan", "abcdefgh2345benbenbenbenbe"  # alike in all that a token shows
NAMES = [("world",), ("science",)]


@pytest.mark.parametrize("purpose", [LEAVE, CONFIRM, COMMAND])
def test_a_token_names_what_it_was_made_for_in_either_case_and_with_any_key_of_the_ring(purpose: str) -> None:
    token = sign_address([OLD], purpose, ANNA, ("science",))

    assert len(token) == LENGTH
    for written in (token, token.upper()):
        assert read_address(written) == (purpose, ANNA[:12])
        assert find_addressed([NEW, OLD], written, ANNA, NAMES) == ("science",)


def test_the_first_key_signs() -> None:
    token = sign_address([NEW, OLD], LEAVE, ANNA, ("world",))

    assert find_addressed([NEW], token, ANNA, NAMES) == ("world",)
    assert find_addressed([OLD], token, ANNA, NAMES) is None


def test_a_token_is_no_other_readers_and_for_no_other_name_purpose_or_publication() -> None:
    token = sign_address([NEW], CONFIRM, ANNA, ("world",))

    assert find_addressed([NEW], token, BEN, NAMES) is None
    assert find_addressed([NEW], token, ANNA, [("science",), ()]) is None
    assert find_addressed([NEW], LEAVE + token[1:], ANNA, NAMES) is None
    assert find_addressed([FOREIGN], token, ANNA, NAMES) is None


def test_names_are_told_apart_wherever_they_are_parted() -> None:
    token = sign_address([NEW], COMMAND, ANNA, ("pause", "world"))

    assert (
        find_addressed([NEW], token, ANNA, [("pauseworld",), ("pause", "worl"), ("world", "pause")]) is None
    )


@pytest.mark.parametrize("place", range(LENGTH))
def test_a_token_with_one_other_letter_is_nobodys(place: int) -> None:
    token = sign_address([NEW], LEAVE, ANNA, ("world",))
    other = "c" if token[place] != "c" else "x"

    assert find_addressed([NEW], token[:place] + other + token[place + 1 :], ANNA, NAMES) is None


@pytest.mark.parametrize(
    "token", ["", "u", "u" * 30, "u" * 32, "z" + "a" * 30, "u1" + "a" * 29, "u\u212a" + "a" * 29]
)
def test_what_has_not_a_tokens_form_is_none(token: str) -> None:
    assert read_address(token) is None
    assert find_addressed([NEW], token, ANNA, NAMES) is None
    assert find_number([NEW], LEAVE, token) is None


@pytest.mark.parametrize("number", [0, 1, 31, 32, 1_000_000, 2**31 - 1, 2**53])
def test_a_number_comes_back_with_any_key_of_the_ring_and_for_its_purpose_alone(number: int) -> None:
    token = sign_number([OLD], PRINT, number)

    assert len(token) == LENGTH
    assert find_number([NEW, OLD], PRINT, token.upper()) == number
    assert find_number([NEW, OLD], ARTICLE, token) is None
    assert find_number([NEW], PRINT, token) is None


def test_the_token_of_one_number_is_not_that_of_the_next() -> None:
    one, two = sign_number([NEW], ARTICLE, 1), sign_number([NEW], ARTICLE, 2)

    assert find_number([NEW], ARTICLE, two[:13] + one[13:]) is None
