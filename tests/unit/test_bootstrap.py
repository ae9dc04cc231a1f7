"""The little that the composition root decides itself."""

from digest.bootstrap import new_public_id


def test_public_ids_are_128_bits_and_differ() -> None:
    made = {new_public_id() for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {26}
