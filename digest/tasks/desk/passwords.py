"""Passwords; the only user of Argon2 (RFC 9106).

A hash takes 64 MiB and four threads, so one is computed at a time and few may wait. Without a limit, whoever
posts the sign-in often enough exhausts the memory.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from digest.errors import Busy, InputError

SHORTEST, LONGEST = 12, 200

AT_ONCE, WAITING = 1, 8
_PATIENCE, _RETRY_AFTER = 5.0, "5"


class HashQueue:
    """Limits how many hashes are computed at once, and how many wait.

    Whoever waits occupies a thread of the web server, so the wait is limited too.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING, patience: float = _PATIENCE) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn; raise Busy if the queue is full or the wait too long."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=self._patience):
                raise _busy()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()


def _busy() -> Busy:
    return Busy("too many sign-ins at once: try again in a few seconds", _RETRY_AFTER)


_QUEUE = HashQueue()
_HASHER = PasswordHasher()
_NOBODYS = _HASHER.hash("the password of nobody")


def hash_password(password: str) -> str:
    """Hash a password; raise InputError if it is too short or too long, Busy if too many are being hashed."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"a password has {SHORTEST} to {LONGEST} characters; several words are good")
    with _QUEUE.turn():
        return _HASHER.hash(password)


def is_right(password: str, known: str | None) -> bool:
    """Return whether a password matches a hash, in the same time if there is no hash.

    Raise Busy if too many are being hashed.
    """
    try:
        with _QUEUE.turn():
            return _HASHER.verify(known or _NOBODYS, password[:LONGEST]) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(known: str) -> bool:
    """Return whether a hash was made with weaker parameters than the present ones."""
    return _HASHER.check_needs_rehash(known)
