"""The addresses of a list so far, in 16 bytes each."""

from array import array

_BITS = (1 << 64) - 1


class SeenAddresses:
    """A set of addresses by their 64-bit hashes: an open hash table that doubles when it is half full.

    A million addresses take 16 MB, a set of strings would take 150. Two different addresses share a hash once
    in some ten million lists of a million.
    """

    def __init__(self) -> None:
        self._size, self._count = 1 << 12, 0
        self._slots = array("Q", bytes(8 * self._size))

    def add(self, key: str) -> bool:
        """Add an address; return False if it was there."""
        if 2 * self._count >= self._size:
            self._grow()
        if not self._put(hash(key) & _BITS or 1):
            return False
        self._count += 1
        return True

    def _put(self, mark: int) -> bool:
        slots, last = self._slots, self._size - 1
        place = mark & last
        while held := slots[place]:
            if held == mark:
                return False
            place = (place + 1) & last
        slots[place] = mark
        return True

    def _grow(self) -> None:
        old, self._size = self._slots, self._size * 2
        self._slots = array("Q", bytes(8 * self._size))
        for mark in old:
            if mark:
                self._put(mark)
