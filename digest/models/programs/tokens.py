"""Tokens of the API, and the answers that are kept for requests that are repeated."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from digest.models.row import empty_list


class ApiScope(StrEnum):
    """One thing that a token of the API may do."""

    ARTICLES_READ = "articles:read"
    ARTICLES_WRITE = "articles:write"
    ARTICLES_WITHDRAW = "articles:withdraw"
    EDITIONS_READ = "editions:read"
    FIGURES_READ = "figures:read"
    READERS_READ = "readers:read"
    READERS_ADDRESSES = "readers:addresses"
    READERS_WRITE = "readers:write"


class ApiToken(SQLModel, table=True):
    """A token of the API, known by its hash; `hint` is its end, by which people recognise it.

    Without an `editor_id` it was made by a command and belongs to the operators of the machine; one that an
    editor made may do what their role allows, and ends when they are removed. `full_at` is when its allowance
    of requests is whole again.
    """

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    token_hash: str = Field(unique=True)
    hint: str
    scopes: list[str] = Field(default_factory=empty_list, sa_column=Column(JSON, nullable=False))
    editor_id: int | None = Field(default=None, foreign_key="editor.id", index=True, ondelete="CASCADE")
    made_at: datetime
    last_used_at: datetime | None = None
    full_at: datetime | None = None
    revoked_at: datetime | None = None


class KeptAnswer(SQLModel, table=True):
    """The answer to a request that brought an Idempotency-Key; while it is worked on, `status` is None.

    `request_hash` covers method, path and body: the same key with another request is refused.
    """

    __tablename__ = "kept_answer"

    token_id: int = Field(foreign_key="api_token.id", primary_key=True, ondelete="CASCADE")
    key: str = Field(primary_key=True)
    request_hash: str
    begun_at: datetime = Field(index=True)
    status: int | None = None
    body: str = ""
    location: str = ""
