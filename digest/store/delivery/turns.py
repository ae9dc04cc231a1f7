"""A turn of the delivery loop as one pipelined transaction, on PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from digest.store.delivery import claims
from digest.store.delivery.deliveries import Job

if TYPE_CHECKING:  # it needs PostgreSQL's driver
    from digest.store.pipelined import Pipelined, Row, Statement


class Order(NamedTuple):
    """What to claim: `Order(240, FROM_THE_START, "world")`; an empty name means every digest."""

    size: int
    beyond: claims.Position
    digest: str

    def is_met_by(self, number: int) -> bool:
        """Return whether no more can be claimed from the start than this number."""
        return number == self.size or self.beyond == claims.FROM_THE_START


class Turn:
    """One turn that was sent: its marks can be read before it is committed, its claims after.

    `Turn(pipelined, {42: (job 42, 07:00)}, {41: 250}, None, owner=3, now=now)` marks 42 and records 41.
    """

    def __init__(
        self,
        pipelined: "Pipelined",
        ready: claims.Ready,
        accepted: Mapping[int, int],
        order: Order | None,
        *,
        owner: int,
        now: datetime,
    ) -> None:
        self._pipelined = pipelined
        self.marks, self.claims = bool(ready), order is not None
        at, own = now.isoformat(), str(owner)
        marks: list[Statement] = [(claims.MARK_POSTGRESQL, (*claims.mark_values(ready), at, own))]
        replies: list[Statement] = [
            (claims.ACCEPT_POSTGRESQL, (str(code), at, own, claims.array(ids)))
            for code, ids in claims.grouped(accepted).items()
        ]
        self.replies = len(replies)
        pipelined.send([*(marks if ready else ()), *replies, *(_claim(order, own, at) if order else ())])

    def read_marks(self) -> set[int]:
        """Return the deliveries that are marked in flight as soon as the turn is committed."""
        return {int(row[0] or 0) for row in self._pipelined.read()} if self.marks else set()

    def finish(self) -> list[Job]:
        """Wait for the commit, and return what was claimed, due longest first."""
        for _ in range(self.replies):
            self._pipelined.read()
        rows = self._pipelined.read() if self.claims else []
        self._pipelined.commit()
        return sorted(map(_job, rows), key=lambda job: (job.due_at, job.delivery_id))


def _claim(order: Order, owner: str, at: str) -> "list[Statement]":
    due_at, key = order.beyond
    name = order.digest
    values = (at, due_at.isoformat(), str(key), name, name, str(order.size), owner, at)
    return [(claims.CLAIM_POSTGRESQL, values)]


def _job(row: "Row") -> Job:
    numbers = [int(value or 0) for value in (*row[:4], *row[10:12])]
    words = [(value or b"").decode() for value in row[4:9]]
    due_at, composed_at = row[9] or b"", row[12]
    composed = _moment(composed_at) if composed_at else None
    return Job._make((*numbers[:4], *words, _moment(due_at), *numbers[4:], composed))


@lru_cache(maxsize=256)
def _moment(written: bytes) -> datetime:
    """Read a time as PostgreSQL writes it (DateStyle ISO); cached, as many deliveries have the same."""
    return datetime.fromisoformat(written.decode()).astimezone(UTC)
