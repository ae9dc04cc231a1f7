"""The little that the composition root decides itself."""

import pytest

from digest.bootstrap import new_public_id, own_name


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("mail.courier.example", "mail.courier.example"),
        ("localhost", "[127.0.0.1]"),
        ("laptop.", "[127.0.0.1]"),
        ("bücher.example", "[127.0.0.1]"),
    ],
)
def test_ehlo_says_a_whole_name_or_an_address(found: str, said: str) -> None:
    assert own_name(found) == said


def test_public_ids_are_128_bits_and_differ() -> None:
    made = {new_public_id() for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {26}
