"""One item that may appear in an edition."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, Index, SQLModel

from digest.models.row import empty_list


class Article(SQLModel, table=True):
    """A cleaned article; neither `html` nor `text` nor any other field contains anything active.

    `held_back` says why it is in no edition though nobody hid it; `categories` are its source's names for its
    subject, and `categories_elsewhere` those of other sources: topics are derived from them by the settings.
    Before `settles_at` it is no candidate: its source wants articles to be unchanged for a while. Without
    `categories` it was stored by a version that did not keep them: its topics stay as they are.
    """

    __table_args__ = (Index("ix_article_source_seen", "source", "first_seen_at"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str
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
    topics: list[str] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
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
    settles_at: datetime | None = None


class FrozenArticle(SQLModel, table=True):
    """An article as an edition shows it; the fields have the names of the article's own.

    An edit during delivery changes the article and not this: all readers get the same words, and a repeat has
    the same bytes.
    """

    __tablename__ = "frozen_article"

    edition_id: int = Field(foreign_key="edition.id", primary_key=True)
    article_id: int = Field(foreign_key="article.id", primary_key=True)
    source: str
    url: str
    title: str
    title_formed: bool
    summary: str
    html: str
    text: str
    word_count: int
    author: str | None = None
    image_url: str | None = None
    image_alt: str | None = None
    language: str | None = None
    place: str | None = None
    agency: str | None = None
    topics: list[str] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    published_at: datetime | None = None


class Picture(SQLModel, table=True):
    """The copy of the image at one URL, or why there is none; `name` is a hash of its bytes, and its URL."""

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True)
    name: str | None = Field(default=None, index=True)
    content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    width: int = 0
    height: int = 0
    copied_at: datetime | None = None
    tried_at: datetime
    tries: int = 0
    trouble: str = ""


class Withdrawal(SQLModel, table=True):
    """The act of removing an article from everything that has not been sent; never overwritten.

    `done_at` is when every waiting delivery had lost it; until then the next run continues.
    """

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="article.id", index=True, ondelete="CASCADE")
    at: datetime
    reason: str = ""
    done_at: datetime | None = None


class Correction(SQLModel, table=True):
    """A notice to the readers who have an article: an edition of its own carries it, so each gets it once.

    `text` is Markdown, as it was written.
    """

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="article.id", index=True)
    edition_id: int = Field(foreign_key="edition.id", unique=True)
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Which articles a list has; None or an empty value does not filter."""

    topic: str | None = None
    source: str | None = None
    since: datetime | None = None
    search: str = ""
    hidden: bool | None = None
    pinned: bool | None = None
    until: datetime | None = None
