"""Passwords: the only user of Argon2 (RFC 9106)."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from digest.errors import InputError

SHORTEST, LONGEST = 12, 200

_HASHER = PasswordHasher()
_NOBODYS = _HASHER.hash("the password of nobody")


def hash_password(password: str) -> str:
    """Hash a password; raise InputError for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"a password has {SHORTEST} to {LONGEST} characters; several words are good")
    return _HASHER.hash(password)


def is_right(password: str, known: str | None) -> bool:
    """Tell whether a password is the one that was hashed; it takes as long where there is none."""
    try:
        return _HASHER.verify(known or _NOBODYS, password[:LONGEST]) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(known: str) -> bool:
    """Tell whether a hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(known)
