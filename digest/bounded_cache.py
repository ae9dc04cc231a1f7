"""A cache of bounded size, for what is made once and used many times."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(OrderedDict[K, V]):
    """A dictionary of at most `most` entries: a new one replaces the least recently used.

    Reading by `cache[key]` and `cache.get(key)` counts as use, `key in cache` does not. One thread only.
    Example: with `cache = BoundedCache(2)`, after `cache["a"] = cache["b"] = 1; cache["a"]; cache["c"] = 1`
    the keys are a and c.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __getitem__(self, key: K) -> V:
        value = super().__getitem__(key)
        self.move_to_end(key)
        return value

    def get(self, key: K, default: V | None = None) -> V | None:  # type: ignore[override]
        """Return the value of a key, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self.most:
            del self[next(iter(self))]
