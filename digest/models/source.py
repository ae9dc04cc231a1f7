"""The sources of articles: a feed, a site, a folder."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Column
from sqlmodel import Field, SQLModel

from digest.models.row import empty_list


class Source(SQLModel, table=True):
    """One source and the results of its fetches, whether config.toml has it or the desk added it.

    `url` is the configured URL; `feed_url` the one that is requested instead, because it was found on a page
    or by a permanent redirect. `content_hash` is of the bytes read last, and of the way they were read. A
    source with `stopped_at` is not requested again until its URL changes or it is fetched by name, one with
    `paused_at` until somebody resumes it. `recent` holds the last 30 attempts, the latest last, each as
    [ISO time, "new" | "same" | "failed", number of new articles], and where it is known how many bytes came.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    url: str
    feed_url: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    last_success_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    failures: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    next_fetch_at: datetime | None = None
    stopped_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    recent: list[list[str | int]] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))


class DeskSource(SQLModel, table=True):
    """A source that was added at the desk; config.toml has the others, and wins over these.

    `page` is the web page on which `url`, a feed, was found; "" if it was given itself. `address_key` is what
    addresses are compared by; None, like nothing else, once the source is removed: the row stays, so that
    its articles keep their topics. `every` and `settle` are seconds. `version` rises with each change.
    """

    __tablename__ = "desk_source"
    __table_args__ = (
        # A path would let whoever signs in at the desk read the server's files.
        CheckConstraint("url LIKE 'http://%' OR url LIKE 'https://%'", name="ck_desk_source_url"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    url: str
    address_key: str | None = Field(default=None, unique=True)
    page: str = ""
    title: str = ""
    topics: list[str] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    language: str = ""
    every: int
    settle: int = 0
    max_new: int
    version: int = 1
    added_by: str
    added_at: datetime
    changed_by: str
    changed_at: datetime
    removed_at: datetime | None = None


class SourceAct(SQLModel, table=True):
    """One act on a source at the desk or by a command: what was done, by whom and when."""

    __tablename__ = "source_act"

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)
    at: datetime
    who: str
    act: str
