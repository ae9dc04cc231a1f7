"""A small copy of an article's picture, kept under our own address."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel


class Picture(SQLModel, table=True):
    """The copy of one address, or why there is none; `name` is a hash of its bytes, and its own address."""

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
