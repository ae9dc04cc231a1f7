"""Editors, their sessions, their calendar feeds, and the links with which they set a password."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel


class Role(StrEnum):
    """What a person at the desk may do; each role may all that the one before it may.

    An editor shapes, proves and holds; a publisher also approves, pauses, resumes and withdraws; an operator
    also looks after readers, sources and settings.
    """

    EDITOR = "editor"
    PUBLISHER = "publisher"
    OPERATOR = "operator"

    def includes(self, needed: "Role") -> bool:
        """Return whether this role may what another may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Editor(SQLModel, table=True):
    """A person who may open the desk; without a password they have to set one by a link first."""

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    address: str
    address_key: str = Field(unique=True)
    role: str = Role.EDITOR
    password_hash: str | None = None
    created_at: datetime


class EditorSession(SQLModel, table=True):
    """One sign-in, identified by the hash of its cookie's token; deleting the row ends it."""

    __tablename__ = "editor_session"

    token_hash: str = Field(primary_key=True)
    editor_id: int = Field(foreign_key="editor.id", index=True, ondelete="CASCADE")
    began_at: datetime
    expires_at: datetime


class CalendarLink(SQLModel, table=True):
    """An editor's calendar feed, known by the hash of its token; removing the row revokes it."""

    __tablename__ = "calendar_link"

    editor_id: int = Field(foreign_key="editor.id", primary_key=True, ondelete="CASCADE")
    token_hash: str = Field(unique=True)
    made_at: datetime


class PasswordLink(SQLModel, table=True):
    """A link that sets a password once, identified by the hash of its token."""

    __tablename__ = "password_link"

    token_hash: str = Field(primary_key=True)
    editor_id: int = Field(foreign_key="editor.id", index=True, ondelete="CASCADE")
    expires_at: datetime
