import base64

import pytest

from digest.rules.tokens.tokens import (
    PREFERENCES,
    UNSUBSCRIBE,
    find_signed,
    hash_token,
    keyed_hash,
    sign,
    turn_into,
)

OLD, NEW = b"an old secret of ours", b"the secret of today"
READER = "abcdefghijklmnopqrstuvwx27"


def test_a_token_gives_back_what_it_was_signed_for() -> None:
    assert find_signed([NEW], UNSUBSCRIBE, sign([NEW], UNSUBSCRIBE, READER, "world")) == (READER, "world")


def test_a_token_survives_the_rotation_of_keys() -> None:
    token = sign([OLD], UNSUBSCRIBE, READER, "world")
    assert find_signed([NEW, OLD], UNSUBSCRIBE, token) == (READER, "world")
    assert find_signed([NEW], UNSUBSCRIBE, token) is None


def test_a_token_is_short_and_needs_no_escaping_in_a_link() -> None:
    token = sign([NEW], PREFERENCES, READER, "world")
    assert len(token) <= 56
    assert all(char.isalnum() or char in "-_" for char in token)


def test_a_token_serves_one_action_only() -> None:
    assert find_signed([NEW], PREFERENCES, sign([NEW], UNSUBSCRIBE, READER, "world")) is None


def test_no_changed_bit_is_accepted() -> None:
    token = sign([NEW], UNSUBSCRIBE, READER, "world")
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    for index in range(len(raw) * 8):
        changed = raw.copy()
        changed[index // 8] ^= 1 << index % 8
        forged = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert find_signed([NEW], UNSUBSCRIBE, forged) is None


@pytest.mark.parametrize(
    "token", ["", "A", "====", "ü" * 60, "A" * 51, "A" * 100_000, "+/" * 30, " " * 52, "\ud800"]
)
def test_garbage_is_no_token(token: str) -> None:
    assert find_signed([NEW], UNSUBSCRIBE, token) is None


def test_a_public_id_of_another_form_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="26 characters"):
        sign([NEW], UNSUBSCRIBE, "17", "world")


def test_hashes_depend_on_what_they_hide() -> None:
    assert hash_token("a") != hash_token("b")
    assert keyed_hash(OLD, "a@example.org") != keyed_hash(NEW, "a@example.org")
    assert keyed_hash(OLD, "a@example.org") == keyed_hash(OLD, "a@example.org")


def test_a_link_turns_into_one_of_another_action_for_the_same_subscription_if_it_is_ours() -> None:
    token = sign([OLD], UNSUBSCRIBE, READER, "world")

    other = turn_into([NEW, OLD], UNSUBSCRIBE, token, PREFERENCES)

    assert find_signed([NEW], PREFERENCES, other) == (READER, "world")
    assert turn_into([NEW], UNSUBSCRIBE, token, PREFERENCES) == ""
    assert turn_into([NEW, OLD], PREFERENCES, token, UNSUBSCRIBE) == ""
