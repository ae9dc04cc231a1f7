"""HMACs over a prefix that many messages share (RFC 2104)."""

import hashlib

_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Mac:
    """HMAC-SHA256 with the key and a prefix, hashed once and continued in copies (RFC 2104 4).

    The standard library's HMAC can be copied too, at twice the cost for texts as short as ours.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, begun: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER) + begun)
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def over(self, rest: bytes) -> bytes:
        """Return the HMAC, 32 bytes, of the prefix followed by the rest."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(rest)
        outer.update(inner.digest())
        return outer.digest()
