"""What editors decide about an edition before it is made, and who decided what."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from digest.models.row import empty_dict, empty_list


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


SHAPE = (
    "subject", "introduction", "arranged", "hidden", "added", "sections", "changes", "sponsor", "blocks",
)  # fmt: skip
"""The fields of a draft that say what the edition is; the others say whether it is sent."""


class Draft(SQLModel, table=True):
    """An edition's shape, entered by the first change and taken over when the edition is compiled.

    `version` rises with each change, so that nobody changes what they have not seen; an approval counts for
    the version that it was given to. `arranged` lists places: the article that an editor put there, or 0 for
    one that the rule fills; `added` maps an article's id to its reach. `sections` are topics in the order of
    this edition, the digest's own where it is empty; `changes` maps an article's id to the fields (title,
    summary, section, image) that this edition alone shows otherwise; `blocks` are editors' own texts between
    articles, in Markdown, each with its `place` (see rules/editions/sections.py). Approved and `at_once`, it
    is compiled by the next run, before its deadline.
    """

    __table_args__ = (UniqueConstraint("digest", "cadence", "period"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: str
    cadence: str
    period: str
    version: int = 0
    subject: str = ""
    introduction: str = ""
    arranged: list[int] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    hidden: list[int] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    added: dict[str, str] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    sections: list[str] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    changes: dict[str, dict[str, str]] = Field(
        default_factory=empty_dict, sa_column=Column(JSON, nullable=False)
    )
    sponsor: str = ""
    blocks: list[dict[str, str]] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    held_by: str | None = None
    approved_version: int | None = None
    approved_by: str | None = None
    at_once: bool = False

    @property
    def shape(self) -> dict[str, Any]:
        """Return what an editor can undo: the draft's words and how its articles are arranged."""
        return {name: getattr(self, name) for name in SHAPE}

    @property
    def is_approved(self) -> bool:
        """Return whether what stands now is what was approved."""
        return self.approved_version == self.version

    @property
    def is_due_now(self) -> bool:
        """Return whether it is to be made before its deadline; any edit cancels that with the approval."""
        return self.at_once and self.is_approved and not self.held_by


class DeskAct(SQLModel, table=True):
    """One act of an editor on an edition; `version` is the draft's after it.

    `before` holds what the act changed, as it was, so that it can be undone; then it is marked as `undone`.
    """

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
    before: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    undone: bool = False
