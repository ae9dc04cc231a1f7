"""Where articles come from: a feed, a site, a folder."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Source(SQLModel, table=True):
    """One configured source and the health of its fetches."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    url: str
    etag: str | None = None
    last_modified: str | None = None
    last_success_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    next_fetch_at: datetime | None = None
