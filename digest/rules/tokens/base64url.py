"""Base64url without padding, as tokens are written (RFC 4648 5)."""

import base64
import binascii


def decode(text: str, longest: int) -> bytes | None:
    """Return the bytes that a text of at most `longest` characters spells; None for any other text.

    Bytes have one spelling: the unused bits of the last character must be zero (RFC 4648 3.5).
    """
    if len(text) > longest or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == text.encode("ascii") else None
