"""One story told by several sources, and the index that finds it."""

from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel


class Fold(SQLModel, table=True):
    """An article that tells the same story as its root, which was first seen in another source.

    `split_at` is when an editor separated them for good.
    """

    article_id: int = Field(foreign_key="article.id", primary_key=True, ondelete="CASCADE")
    root_id: int = Field(foreign_key="article.id", index=True, ondelete="CASCADE")
    folded_at: datetime
    split_at: datetime | None = None


class Shingle(SQLModel, table=True):
    """One shingle of an article, kept as long as another source may tell the same story.

    `lot` is the day on which it was added, or below zero the open one (`store.articles.duplicate_index`). A
    shingle whose article is gone does no harm: matches are looked up before they are compared.
    """

    __tablename__ = "run"
    __table_args__ = {"sqlite_with_rowid": False}
    lot: int = Field(sa_column=Column(BigInteger, primary_key=True))
    value: int = Field(sa_column=Column(BigInteger, primary_key=True))
    article_id: int = Field(primary_key=True)
