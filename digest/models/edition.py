"""One compilation of a digest for one cadence, and the distinct lists of articles inside it."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import JSON, Column, false, text
from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from digest.models.row import empty_dict, empty_list
from digest.models.subscriber import MailForm


class EditionState(StrEnum):
    """The states of an edition."""

    DRAFT = "draft"
    HELD = "held"
    COMPILING = "compiling"
    FROZEN = "frozen"
    PAUSED = "paused"
    FINISHED = "finished"
    SKIPPED = "skipped"


class Form(StrEnum):
    """How much of an article a variant shows."""

    FULL = "full"
    SUMMARY = "summary"
    TITLE = "title"


OPEN_EDITION = "state IN ('draft', 'held', 'compiling', 'frozen', 'paused')"
"""The condition of the partial index of editions that are not over; a query has to say it word for word."""


class EditionName(NamedTuple):
    """The key of an edition, whether or not it has been made yet: `world daily 2026-11-23` as text."""

    digest: str
    cadence: str
    period: str

    def __str__(self) -> str:
        return " ".join(self)

    @property
    def argument(self) -> str:
        """Return the name as commands take it: `world/daily/2026-11-23`."""
        return "/".join(self)

    @property
    def path(self) -> str:
        """Return the path of the edition's page on the desk."""
        return f"/desk/{self.argument}"


class Edition(SQLModel, table=True):
    """An edition is unique by (digest, cadence, period), whoever triggers it.

    `deadline_at` is the cadence's instant; `freeze_at` the instant that selection looks back from;
    `frozen_at` when the last delivery was planned. `compiled_to` is the last subscription id planned, so
    that a crashed compilation resumes there. `at_once` is set by `--now`: readers' hours are ignored.
    `retry_at` is when an edition that a fault paused is tried again; an operator's pause has none. `subject`
    and `introduction` (Markdown) are what editors wrote; without them the digest's own subject stands.
    `sections`, `changes`, `sponsor` and `blocks` are taken over from its draft.
    """

    __table_args__ = (
        UniqueConstraint("digest", "cadence", "period"),
        Index("ix_edition_open", "digest", sqlite_where=text(OPEN_EDITION)),
        Index("ix_edition_deadline", "digest", "cadence", "deadline_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    digest: str
    cadence: str
    period: str
    state: str = EditionState.COMPILING
    at_once: bool = False
    deadline_at: datetime
    freeze_at: datetime
    frozen_at: datetime | None = None
    finished_at: datetime | None = None
    compiler: int | None = None
    compiled_to: int = 0
    reason: str = ""
    retry_at: datetime | None = None
    subject: str = ""
    introduction: str = ""
    sections: list[str] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    changes: dict[str, dict[str, str]] = Field(
        default_factory=empty_dict, sa_column=Column(JSON, nullable=False)
    )
    sponsor: str = ""
    blocks: list[dict[str, str]] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))

    @property
    def name(self) -> EditionName:
        """Return the edition's key."""
        return EditionName(self.digest, self.cadence, self.period)


class Cohort(SQLModel, table=True):
    """The confirmed subscriptions that selection cannot tell apart.

    `key` is a hash of all the other columns; `topics` maps a topic to the ISO time from which its articles
    count; `history` lists the ids of the articles that its readers have received, as far as they could still
    be candidates: those first seen from `history_from` on.
    """

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    digest: str
    cadence: str
    language: str
    topics: dict[str, str] = Field(default_factory=empty_dict, sa_column=Column(JSON, nullable=False))
    history: list[int] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    history_from: datetime
    max_articles: int | None = None
    min_articles: int | None = None
    mail_form: str = MailForm.PICTURES


class EditionCohort(SQLModel, table=True):
    """What selection decided for a cohort: a variant, or none because nothing is new."""

    __tablename__ = "edition_cohort"

    edition_id: int = Field(foreign_key="edition.id", primary_key=True)
    cohort_id: int = Field(foreign_key="cohort.id", primary_key=True)
    variant_id: int | None = Field(default=None, foreign_key="variant.id")
    waits: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Variant(SQLModel, table=True):
    """One distinct ordered list of articles, each with its form, shared by all who get exactly that list.

    `left_out` is the number of articles that did not fit; `related` are older articles that it names, which
    do not count as received. A variant for deliveries that lost a withdrawn article names the one that it
    `replaces`. `gone` counts its deliveries that were sent, or may have been; it is kept with the sums of a
    large edition (`EditionSums`), and holds as long as they do.
    """

    __table_args__ = (UniqueConstraint("edition_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    edition_id: int = Field(foreign_key="edition.id")
    key: str
    language: str
    left_out: int = 0
    mail_form: str = MailForm.PICTURES
    related: list[int] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    replaces: int | None = Field(default=None, index=True)
    withdrawal_id: int | None = None
    gone: int | None = None


class VariantArticle(SQLModel, table=True):
    """One article of a variant; this and the delivery are the ledger."""

    __tablename__ = "variant_article"

    variant_id: int = Field(foreign_key="variant.id", primary_key=True)
    position: int = Field(primary_key=True)
    article_id: int = Field(foreign_key="article.id", index=True)
    form: str = Form.SUMMARY
    section: str = ""
