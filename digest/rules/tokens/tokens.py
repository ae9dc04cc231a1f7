"""Signed tokens that never expire, and the hashes under which tokens and addresses are stored."""

import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from digest.rules.tokens.base64url import decode
from digest.rules.tokens.hmac_prefix import Mac

UNSUBSCRIBE = "unsubscribe"
PREFERENCES = "preferences"
FEED = "feed"
RETURN = "return"

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LETTERS = bytes(ord(_ALPHABET[byte & 31]) for byte in range(256))  # five bits of each byte
_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # as int() reads base 32
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_PUBLIC_ID = re.compile(r"[a-z2-7]{26}")
_ID_BYTES = 17  # 26 characters of base32 are 130 bits
_MAC_BYTES = 16
_HEAD = 1 + _ID_BYTES + _MAC_BYTES
_RETURN = re.compile(r"b([a-z2-7]{12})([a-z2-7]{18})")  # 60 bits of the public id, 90 of the HMAC
_LONGEST = 4 * (_HEAD + 40 + 2) // 3


def sign(keys: Sequence[bytes], action: str, public_id: str, digest: str) -> str:
    """Make the token whose holder may do `action` to one subscription.

    Base64url (RFC 4648 5) without padding, of a byte that identifies the key, the public id, an HMAC-SHA256
    truncated to 128 bits (RFC 2104 5), and the digest's name. The first key signs.
    """
    key, packed, name = keys[0], _pack(public_id), digest.encode("ascii")
    mac = _begun_mac(key, action).over(packed + name)[:_MAC_BYTES]
    raw = binascii.b2a_base64(b"".join((_key_id(key), packed, mac, name)), newline=False)
    return raw.translate(_URL_SAFE, b"=").decode("ascii")


def find_signed(keys: Sequence[bytes], action: str, token: str) -> tuple[str, str] | None:
    """Return the public id and the digest of a token that any key of the ring signed for `action`."""
    raw = decode(token, _LONGEST)
    if raw is None or len(raw) <= _HEAD:
        return None
    key_id, packed, mac, digest = raw[:1], raw[1:18], raw[18:_HEAD], raw[_HEAD:]
    for key in keys:
        signed = hmac.compare_digest(mac, _mac(key, action, packed + digest))
        if signed and _key_id(key) == key_id:
            return _unpack(packed), digest.decode("ascii")
    return None


def turn_into(keys: Sequence[bytes], action: str, token: str, other: str) -> str:
    """Return the token of another action for the subscription of a signed link, or "" for none of ours."""
    signed = find_signed(keys, action, token)
    return sign(keys, other, *signed) if signed else ""


def sign_return(keys: Sequence[bytes], public_id: str, named: Sequence[str]) -> str:
    """Make the token of a return path: 31 characters of base32, which a relay may write in either case.

    `named` identifies the message among a reader's. The token holds the beginning of the public id, by which
    the reader is found, and 90 bits of an HMAC over the whole id and the names (RFC 2104 5). The first key
    signs.
    """
    mac = _whole_mac(keys[0], RETURN, "\0".join((public_id, *named)).encode("utf-8"))
    return f"b{public_id[:12]}{mac[:18].translate(_LETTERS).decode('ascii')}"


def read_return(token: str) -> str | None:
    """Return the beginning of the public id in a return token; None if it is no such token.

    Nothing is verified yet: `find_returned` does that for the reader found by it.
    """
    match = _RETURN.fullmatch(token.lower()) if token.isascii() else None
    return match[1] if match else None


def find_returned(
    keys: Sequence[bytes], token: str, public_id: str, messages: Iterable[tuple[str, ...]]
) -> tuple[str, ...] | None:
    """Return which of a reader's messages a return token was made for, by any key of the ring."""
    match = _RETURN.fullmatch(token.lower()) if token.isascii() else None
    if match is None or not hmac.compare_digest(match[1], public_id[:12]):
        return None
    for named in messages:
        for key in keys:
            if hmac.compare_digest(token.lower(), sign_return((key,), public_id, named)):
                return named
    return None


def hash_token(token: str) -> str:
    """Hash a random token for the database, so that a stolen copy of the database opens nothing.

    Plain SHA-256 is enough for a token of 128 random bits, which cannot be guessed.
    """
    return hashlib.sha256(b"digest token\0" + token.encode("utf-8", "surrogatepass")).hexdigest()


def keyed_hash(key: bytes, address_key: str) -> str:
    """Hash an address's key for suppression, so that the suppression outlives the address without naming
    it."""
    return _begun_suppression(key).over(address_key.encode("utf-8")).hex()


def base32_mac(key: bytes, action: str, payload: str) -> str:
    """Return 90 bits of an HMAC over an action and a text, as 18 letters of base32."""
    return _whole_mac(key, action, payload.encode("utf-8"))[:18].translate(_LETTERS).decode("ascii")


def _mac(key: bytes, action: str, payload: bytes) -> bytes:
    return _whole_mac(key, action, payload)[:_MAC_BYTES]


def _whole_mac(key: bytes, action: str, payload: bytes) -> bytes:
    return _begun_mac(key, action).over(payload)


@lru_cache(maxsize=16)
def _begun_mac(key: bytes, action: str) -> Mac:
    """Return an HMAC over what all tokens for an action begin with."""
    return Mac(key, b"digest link 1\0" + action.encode("ascii") + b"\0")


@lru_cache(maxsize=16)
def _begun_suppression(key: bytes) -> Mac:
    return Mac(key, b"suppression\0")


@lru_cache(maxsize=16)
def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"key id\0" + key).digest()[:1]


@lru_cache(maxsize=16)
def _pack(public_id: str) -> bytes:
    if not _PUBLIC_ID.fullmatch(public_id):
        raise ValueError("a public id has 26 characters of a-z and 2-7")
    return int(public_id.translate(_DIGITS), 32).to_bytes(_ID_BYTES, "big")


def _unpack(packed: bytes) -> str:
    number = int.from_bytes(packed, "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
