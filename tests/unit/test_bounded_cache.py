"""A bounded cache forgets what was used longest ago, and nothing else."""

import pytest

from digest.bounded_cache import BoundedCache


def test_what_was_used_longest_ago_makes_room() -> None:
    kept = BoundedCache[str, int](2)
    kept["a"], kept["b"] = 1, 2

    assert kept["a"] == 1  # used
    kept["c"] = 3

    assert dict(kept) == {"a": 1, "c": 3}


def test_get_counts_as_use_and_looking_for_a_key_does_not() -> None:
    kept = BoundedCache[str, int](2)
    kept["a"], kept["b"] = 1, 2

    assert kept.get("a") == 1
    assert "b" in kept
    kept["c"] = 3

    assert "b" not in kept
    assert kept.get("b") is None
    assert kept.get("b", 7) == 7


def test_setting_a_known_key_again_drops_nothing() -> None:
    kept = BoundedCache[str, int](2)
    kept["a"], kept["b"] = 1, 2
    kept["a"] = 9
    kept["c"] = 3

    assert dict(kept) == {"a": 9, "c": 3}


def test_a_missing_key_raises() -> None:
    with pytest.raises(KeyError):
        BoundedCache[str, int](1)["a"]


def test_what_is_taken_out_is_gone() -> None:
    kept = BoundedCache[str, int](2)
    kept["a"], kept["b"] = 1, 2

    assert kept.pop("a") == 1
    assert kept.pop("a", None) is None
    kept["c"] = 3

    assert dict(kept) == {"b": 2, "c": 3}
