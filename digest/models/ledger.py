"""The ledger's bookkeeping: workers, keys, the counter, when each cadence began, figures and sums."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from digest.models.row import empty_dict, empty_list


class Worker(SQLModel, table=True):
    """A process that claims deliveries; it is alive while it holds its lock, and no timer is involved."""

    id: int | None = Field(default=None, primary_key=True)
    host: str
    pid: int
    started_at: datetime
    ended_at: datetime | None = None


class Key(SQLModel, table=True):
    """A key that is never rotated: `identity` (Message-IDs) or `suppression` (address hashes)."""

    purpose: str = Field(primary_key=True)
    value: str


class Ledger(SQLModel, table=True):
    """One row: a counter that rises with each freeze and each worker start, to recognise a restored copy."""

    id: int = Field(default=1, primary_key=True)
    counter: int = 0


class CadenceStart(SQLModel, table=True):
    """When a digest's cadence was first seen, so that no period before it counts as missed."""

    __tablename__ = "cadence_start"

    digest: str = Field(primary_key=True)
    cadence: str = Field(primary_key=True)
    started_at: datetime


class Memo(SQLModel, table=True):
    """One thing to remember, such as the rules by which the topics of all articles were derived."""

    __tablename__ = "mark"
    name: str = Field(primary_key=True)
    value: str


class LearnedLimit(SQLModel, table=True):
    """The rate learned for one name, in messages a second, and when."""

    __tablename__ = "slowed"
    name: str = Field(primary_key=True)
    rate: float
    slowed_at: datetime


class DailyFigures(SQLModel, table=True):
    """The figures of one day of the publication's zone, taken once that day has ended.

    `day` is ISO 8601, such as "2026-11-23". `counted` maps a kind of figure to its numbers; see
    `store.figures`. It names mail domains with five readers or more, and no reader.
    """

    __tablename__ = "daily_figures"

    day: str = Field(primary_key=True)
    taken_at: datetime
    counted: dict[str, Any] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))


class ArticleClicks(SQLModel, table=True):
    """The clicks of one article in one edition; `scanned` are those of programs that open links.

    There is no time, address, device or reader in it, by design.
    """

    __tablename__ = "article_clicks"

    edition_id: int = Field(foreign_key="edition.id", primary_key=True)
    article_id: int = Field(primary_key=True, index=True)
    clicks: int = 0
    scanned: int = 0


class EditionSums(SQLModel, table=True):
    """The deliveries of a finished edition, counted once: they change only where it is resumed.

    Valid as long as the edition has this `finished_at`. `states` counts by state. `reasons` are those of a
    large edition, as [state, reason, count] with the most frequent first; a small one is counted when asked,
    which leaves servers' words about single readers where erasing finds them.
    """

    __tablename__ = "edition_sums"

    edition_id: int = Field(foreign_key="edition.id", primary_key=True)
    finished_at: datetime
    states: dict[str, int] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    reasons: list[list[Any]] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class CadenceReaders(SQLModel, table=True):
    """The confirmed readers of a cadence as they were counted lately; kept where there are very many.

    `hours` are their distinct [zone, hour, quiet hours]; `cohorts` the largest cohorts, as [id, readers].
    """

    __tablename__ = "cadence_readers"

    digest: str = Field(primary_key=True)
    cadence: str = Field(primary_key=True)
    counted_at: datetime
    readers: int
    hours: list[list[Any]] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    cohorts: list[list[int]] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
