"""Signatures by the Standard Webhooks scheme, version 1: HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"


def write_secret(key: bytes) -> str:
    """Return a key as receivers enter it: `whsec_` and base64; 24 to 64 bytes by the specification."""
    if not 24 <= len(key) <= 64:
        raise ValueError("a webhook's key has 24 to 64 bytes")
    return _PREFIX + base64.b64encode(key).decode("ascii")


def read_secret(secret: str) -> bytes:
    """Return the key of a secret; raise ValueError for what is none."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is not a secret of a webhook") from None
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("this is not a secret of a webhook")
    return key


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a webhook; a receiver accepts the signature of any secret that it knows."""
    signed = b".".join((message_id.encode("ascii"), str(timestamp).encode("ascii"), body))
    signatures = [
        "v1," + base64.b64encode(hmac.digest(read_secret(secret), signed, "sha256")).decode("ascii")
        for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
