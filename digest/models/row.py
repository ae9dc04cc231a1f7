"""The id of a stored row."""

from typing import Protocol


class Row(Protocol):
    """A row of a table whose key the database assigns; None until it is stored."""

    id: int | None


def row_id(row: Row) -> int:
    """Return the id of a stored row; raise ValueError for one that is not stored.

    Ids are `int | None` in the tables, because a new row has none before it is flushed.
    """
    if row.id is None:
        raise ValueError(f"this {type(row).__name__} is not stored, so it has no id")
    return row.id
