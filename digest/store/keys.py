"""Values that are kept by name: the keys that are never rotated, and memos."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlmodel import Session, select

from digest.models import Key


def keep_keys(session: Session, fresh: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the key of each purpose: the stored one, else the new one, which is then stored for good."""
    for purpose, value in fresh.items():
        session.connection().execute(
            text("INSERT INTO key (purpose, value) VALUES (:purpose, :value) ON CONFLICT DO NOTHING"),
            {"purpose": purpose, "value": value.hex()},
        )
    return {row.purpose: bytes.fromhex(row.value) for row in session.exec(select(Key))}


def replace_suppression_key(session: Session, value: bytes) -> None:
    """Take over the key under which a backup keeps its bans; only for a database that keeps none yet."""
    session.connection().execute(
        text("UPDATE key SET value = :value WHERE purpose = 'suppression'"), {"value": value.hex()}
    )


def keep_memo(session: Session, name: str, value: str) -> None:
    """Remember a value by its name, whichever process has remembered another one meanwhile."""
    session.connection().execute(
        text(
            "INSERT INTO mark (name, value) VALUES (:name, :value)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ),
        {"name": name, "value": value},
    )
