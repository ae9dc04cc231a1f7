"""One story that several sources tell, and the index that finds it."""

from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel


class Fold(SQLModel, table=True):
    """An article that tells what its root, first seen in another source, told before.

    `split_at` is when an editor parted them again: then the article stands for itself for good.
    """

    article_id: int = Field(foreign_key="article.id", primary_key=True, ondelete="CASCADE")
    root_id: int = Field(foreign_key="article.id", index=True, ondelete="CASCADE")
    folded_at: datetime
    split_at: datetime | None = None


class Shingle(SQLModel, table=True):
    """One of an article's sampled runs of words, kept as long as another source may tell the same story.

    `lot` is the day that it was noted on, or below zero the one that is filled now
    (`store.articles.duplicate_index`). Nothing is lost with a
    run whose article is gone: what the index gives is looked up before it is compared.
    """

    __tablename__ = "run"
    __table_args__ = {"sqlite_with_rowid": False}
    lot: int = Field(sa_column=Column(BigInteger, primary_key=True))
    value: int = Field(sa_column=Column(BigInteger, primary_key=True))
    article_id: int = Field(primary_key=True)
