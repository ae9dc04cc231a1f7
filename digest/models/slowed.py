"""A recipient domain, or a relay, that asked us to slow down."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class LearnedLimit(SQLModel, table=True):
    """What was learned of one name: how many messages a second it takes, and when it said so."""

    __tablename__ = "slowed"
    name: str = Field(primary_key=True)
    rate: float
    slowed_at: datetime
