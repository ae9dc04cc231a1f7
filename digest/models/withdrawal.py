"""What is done when an article was wrong: it is withdrawn, or corrected by a notice."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Withdrawal(SQLModel, table=True):
    """The act of taking an article out of everything that has not left; never overwritten.

    `done_at` is when every waiting delivery had lost it; until then the next run goes on with it.
    """

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="article.id", index=True, ondelete="CASCADE")
    at: datetime
    reason: str = ""
    done_at: datetime | None = None


class Correction(SQLModel, table=True):
    """A notice to the readers who have an article: an edition of its own carries it, so each gets it once.

    `text` is Markdown, as somebody wrote it.
    """

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="article.id", index=True)
    edition_id: int = Field(foreign_key="edition.id", unique=True)
    text: str
    at: datetime
