"""What was last done with the database as a whole."""

from sqlmodel import Field, SQLModel


class Memo(SQLModel, table=True):
    """One thing to remember, such as the rules that the topics of all articles were made by."""

    __tablename__ = "mark"
    name: str = Field(primary_key=True)
    value: str
