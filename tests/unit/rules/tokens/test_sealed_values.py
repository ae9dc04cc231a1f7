"""What is sealed comes back as it was, for its own purpose, by a key of the ring; nothing else opens."""

from hypothesis import given
from hypothesis import strategies as st

from digest.rules.tokens.sealed_values import seal, unseal

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OLD, NEW = b"an old key of some length", b"a new key of some length"


@given(st.lists(st.text(max_size=30), max_size=5))
def test_what_is_sealed_comes_back(values: list[str]) -> None:
    token = seal([NEW], "form", *values)
    assert unseal([NEW], "form", token) == tuple(values)
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_seal_of_the_former_key_still_opens_and_a_removed_ones_does_not() -> None:
    token = seal([OLD], "form", "a")
    assert unseal([NEW, OLD], "form", token) == ("a",)
    assert unseal([NEW], "form", token) is None


def test_a_seal_for_another_purpose_opens_nothing() -> None:
    assert unseal([NEW], "form", seal([NEW], "session", "a")) is None


@given(st.text(max_size=200))
def test_made_up_tokens_open_nothing(token: str) -> None:
    assert unseal([NEW], "form", token) is None


@given(st.integers(0, 60), st.characters(codec="ascii"))
def test_a_changed_token_opens_nothing(at: int, sign: str) -> None:
    token = seal([NEW], "form", "mara@courier.example")
    changed = token[:at] + sign + token[at + 1 :]
    assert changed == token or unseal([NEW], "form", changed) is None


def test_a_token_has_one_spelling() -> None:
    token = seal([NEW], "form", "mara@courier.example")
    assert len(token) % 4 == 3, "the last character has two bits that stand for nothing"

    opened = [sign for sign in ALPHABET if unseal([NEW], "form", token[:-1] + sign) is not None]

    assert opened == [token[-1]]
