"""A page of a search that reads a bounded number of rows.

A table may hold millions of rows, few of them matching, and the next page must come at once. So a page reads
only a range of ids, and says where it stopped.
"""

from typing import Any, TypeVar

from sqlmodel import Session, func, select

from digest.models.row import ListPage, Row, row_id

Stored = TypeVar("Stored", bound=Row)


def find_page(
    session: Session, query: Any, key: Any, below: int | None, limit: int, most_read: int
) -> ListPage[Stored]:
    """Return the next `limit` rows of a query with an id below `below`, the highest id first.

    `key` is the table's id. Ids further than `most_read` from the first are left to the next page.
    """
    top = end_of(session, key, below)
    floor = max(1, top - most_read)
    query = query.where(key < top, key >= floor).order_by(key.desc()).limit(limit + 1)
    found: list[Stored] = list(session.exec(query))
    if len(found) > limit:
        return ListPage(found[:limit], row_id(found[limit - 1]))
    return ListPage(found, floor if floor > 1 else None, is_whole=floor == 1)


def end_of(session: Session, key: Any, below: int | None) -> int:
    """Return the id that a page ends below: the one given, else the next one to be assigned."""
    return below if below is not None else (session.exec(select(func.max(key))).one() or 0) + 1
