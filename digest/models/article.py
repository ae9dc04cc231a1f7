"""One item that may appear in an edition."""

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class Article(SQLModel, table=True):
    """A cleaned article; `html`, `text` and every other field hold nothing active.

    `held_back` says why it is in no edition though nobody hid it; `categories` are what its source calls
    it, and `categories_elsewhere` what others do, by source: its topics are made of them by the settings.
    Without `categories` it was stored by a version that did not keep them: its topics stay as they are.
    """

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)
    canonical_url: str = Field(unique=True)
    url: str
    guid: str | None = Field(default=None, index=True)
    content_hash: str = Field(index=True)
    title: str
    title_formed: bool = False
    summary: str = ""
    html: str = ""
    text: str = ""
    word_count: int = 0
    author: str | None = None
    image_url: str | None = None
    image_alt: str | None = None
    language: str | None = None
    place: str | None = None
    agency: str | None = None
    topics: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    categories: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    categories_elsewhere: dict[str, list[str]] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    published_at: datetime | None = None
    first_seen_at: datetime = Field(index=True)
    updated_at: datetime | None = None
    hidden_at: datetime | None = None
    pinned_at: datetime | None = None
    withdrawn_at: datetime | None = None
    held_back: str | None = None
