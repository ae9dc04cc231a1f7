"""The sources of articles: a feed, a site, a folder."""

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from digest.models.row import empty_list


class Source(SQLModel, table=True):
    """One configured source and the results of its fetches.

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
