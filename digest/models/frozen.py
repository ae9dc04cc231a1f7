"""An article as it stood when an edition froze."""

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class FrozenArticle(SQLModel, table=True):
    """What an edition shows of an article; the fields are the article's own, of the same names.

    An edit that comes while the edition is delivered changes the article and not this: all readers get the
    same words, and a repeat has the same bytes.
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
    topics: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    published_at: datetime | None = None
