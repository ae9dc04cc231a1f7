"""Values that are handed out and accepted back only unchanged: sealed with an HMAC, for one purpose each."""

import base64
import hmac
import json
from collections.abc import Sequence

from digest.rules.tokens.base64url import decode

_MAC_BYTES = 32
_LONGEST = 1_000


def seal(keys: Sequence[bytes], purpose: str, *values: str) -> str:
    """Return a token with the values, readable by all and made by us alone. The first key seals.

    Base64url (RFC 4648 5) without padding, of an HMAC-SHA256 (RFC 2104) and the values.
    """
    payload = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(keys[0], purpose, payload) + payload).rstrip(b"=").decode("ascii")


def unseal(keys: Sequence[bytes], purpose: str, token: str) -> tuple[str, ...] | None:
    """Return the values of a token that any key of the ring sealed for this purpose, else None."""
    raw = decode(token, _LONGEST)
    if raw is None:
        return None
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not any(hmac.compare_digest(mac, _mac(key, purpose, payload)) for key in keys):
        return None
    values: list[str] = json.loads(payload)
    return tuple(values)


def _mac(key: bytes, purpose: str, payload: bytes) -> bytes:
    return hmac.digest(key, b"digest seal 1\0" + purpose.encode("ascii") + b"\0" + payload, "sha256")
