"""Readers by the hundred thousand, written straight into the database: what is measured begins behind that."""

import hashlib
from base64 import b32encode
from datetime import UTC, datetime
from typing import Any

from digest.models import Subscriber, Subscription, SubscriptionState
from digest.store.database import Database

AT_ONCE = 20_000
_THEN = datetime(2026, 1, 1, tzinfo=UTC)


def load_readers(database: Database, count: int, digest: str = "world", cadence: str = "daily") -> None:
    """Make confirmed readers r0@readers.example and so on, of every topic."""
    people, relations = Subscriber.__table__, Subscription.__table__  # type: ignore[attr-defined]
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        with database.write() as session:
            connection = session.connection()
            connection.execute(people.insert(), [person(number) for number in numbers])
            connection.execute(relations.insert(), [relation(number, digest, cadence) for number in numbers])


def public_id_of(number: int) -> str:
    """Return the public id that a reader is given."""
    digest = hashlib.sha256(f"r{number}@readers.example".encode()).digest()
    return b32encode(digest[:16]).decode().rstrip("=").lower()


def person(number: int) -> dict[str, Any]:
    """Return a reader as a row."""
    address = f"r{number}@readers.example"
    return {
        "id": number + 1, "public_id": public_id_of(number), "address": address, "address_key": address, "name": "",
        "created_at": _THEN,
    }  # fmt: skip


def relation(number: int, digest: str, cadence: str) -> dict[str, Any]:
    """Return the subscription of a reader as a row."""
    return {
        "subscriber_id": number + 1, "digest": digest, "state": SubscriptionState.CONFIRMED,
        "cadence": cadence, "topics": {"*": _THEN.isoformat()}, "created_at": _THEN, "confirmed_at": _THEN,
    }  # fmt: skip
