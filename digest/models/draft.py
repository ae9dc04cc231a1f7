"""What editors decide about an edition before it is made, and who decided what."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column
from sqlmodel import Field, Index, SQLModel, UniqueConstraint


class Reach(StrEnum):
    """Who gets an article that an editor added: the readers of its topics, or all."""

    TOPICS = "topics"
    ALL = "all"


class Approval(StrEnum):
    """`[[digests]] approval`: at its deadline an edition is sent; sent unless held; sent only when
    approved."""

    SEND = "send"
    HOLD = "hold"
    REQUIRE = "require-approval"


class Draft(SQLModel, table=True):
    """An edition's shape, entered by the first change and taken over when the edition is compiled.

    `version` rises with each change, so that nobody changes what they have not seen; an approval counts for
    the version that it was given to. `arranged` lists the articles that were put in order by hand, `added`
    maps an article's id to its reach.
    """

    __table_args__ = (UniqueConstraint("digest", "cadence", "period"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: str
    cadence: str
    period: str
    version: int = 0
    subject: str = ""
    introduction: str = ""
    arranged: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    hidden: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    added: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    held_by: str | None = None
    approved_version: int | None = None
    approved_by: str | None = None

    @property
    def is_approved(self) -> bool:
        """Return whether what stands now is what was approved."""
        return self.approved_version == self.version


class DeskAct(SQLModel, table=True):
    """One act of an editor on an edition, never overwritten; `version` is the draft's after it."""

    __tablename__ = "desk_act"
    __table_args__ = (Index("ix_desk_act_edition", "digest", "cadence", "period"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: str
    cadence: str
    period: str
    version: int
    at: datetime
    who: str
    act: str
