"""The index of shingles, which finds articles that tell the same story.

Hashes are spread evenly, so a source's thousand shingles would each change a page of a large index. They
first go into a small lot of their own, which joins its day's lot as a whole when it is full or the day ends.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam
from sqlmodel import Session, col, func, select

from digest.models import Article

_FULL = 2_500
"""How many articles, by id, share one lot."""

_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
_DAY = 10**9

# Plain SQL, as in store.delivery.claims: each article has some two dozen shingles.
_NOTE = "INSERT INTO run (lot, value, article_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_OPEN = "SELECT min(lot) FROM run"
_LOTS = (
    "WITH RECURSIVE known (lot) AS (SELECT min(lot) FROM run UNION ALL"
    " SELECT (SELECT min(run.lot) FROM run WHERE run.lot > known.lot) FROM known WHERE known.lot IS NOT NULL)"
    " SELECT lot FROM known WHERE lot IS NOT NULL"
)
_CLOSE = (
    "INSERT INTO run (lot, value, article_id) SELECT ?, value, article_id FROM run WHERE lot = ?"
    " ORDER BY value, article_id ON CONFLICT DO NOTHING"
)
_EMPTY = "DELETE FROM run WHERE lot = ?"
_FORGET = "DELETE FROM run WHERE lot >= 0 AND lot < ?"
_FIRST = select(func.min(Article.id)).where(col(Article.first_seen_at) >= bindparam("seen_from"))
_TELLERS = {
    "sqlite": "SELECT value, article_id FROM run WHERE lot = ? AND article_id >= ? AND value IN"
    " (SELECT value FROM json_each(?))",
    "postgresql": "SELECT value, article_id FROM run WHERE lot = ? AND article_id >= ? AND value = ANY(?)",
}


def note_runs(session: Session, noted: Mapping[int, Iterable[int]], now: datetime) -> None:
    """Add articles, by id, with their shingles to the open lot, or open the next one.

    Lots have negative numbers, later ones lower; an edited article goes into the open lot.
    """
    if not noted:
        return
    is_open = _run(session, _OPEN).scalar() or 0
    lot = min(is_open, -_DAY * _day(now) - max(noted) // _FULL - 1)
    if lot < is_open < 0:
        _run(session, _CLOSE, -(is_open + 1) // _DAY, is_open)
        _run(session, _EMPTY, is_open)
    rows = sorted((lot, run, article_id) for article_id, runs in noted.items() for run in runs)
    if rows:
        session.connection().exec_driver_sql(_spelled(session, _NOTE), rows)


def forget_runs(session: Session, before: datetime) -> None:
    """Delete the days that are outside of the window for duplicates."""
    _run(session, _FORGET, _day(before))


def tellers_of(session: Session, runs: Collection[int], seen_from: datetime) -> dict[int, set[int]]:
    """Return the articles that have each of these shingles, as far as the index knows them.

    Articles first seen before a moment are left out, even if their day is still in the index.
    """
    found: dict[int, set[int]] = defaultdict(set)
    dialect = session.get_bind().dialect.name
    wanted = f"[{','.join(map(str, runs))}]" if dialect == "sqlite" else list(runs)
    first = session.execute(_FIRST, {"seen_from": seen_from}).scalar() or 0
    for lot in _run(session, _LOTS).scalars().all():
        for value, article_id in _run(session, _TELLERS[dialect], lot, first, wanted):
            found[value].add(article_id)
    return found


def _day(moment: datetime) -> int:
    return max(0, (moment - _FIRST_DAY).days)


def _run(session: Session, statement: str, *given: object) -> CursorResult[*tuple[Any, ...]]:
    return session.connection().exec_driver_sql(_spelled(session, statement), given)


def _spelled(session: Session, statement: str) -> str:
    return statement if session.get_bind().dialect.name == "sqlite" else statement.replace("?", "%s")
