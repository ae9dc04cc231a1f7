"""Editors with their sessions, the drafts that they shape, and what an edition keeps of them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("subject", "introduction"):
        op.add_column("edition", sa.Column(name, sqltypes.AutoString(), nullable=False, server_default=""))
    _add_editors()
    _add_drafts()


def _add_editors() -> None:
    op.create_table(
        "editor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqltypes.AutoString(), nullable=False),
        sa.Column("address_key", sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqltypes.AutoString(), nullable=False),
        sa.Column("password_hash", sqltypes.AutoString(), nullable=True),
        sa.Column("created_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
        sa.UniqueConstraint("address_key"),
    )
    op.create_table(
        "editor_session",
        sa.Column("token_hash", sqltypes.AutoString(), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_editor_session_editor_id", "editor_session", ["editor_id"])
    op.create_table(
        "password_link",
        sa.Column("token_hash", sqltypes.AutoString(), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_password_link_editor_id", "password_link", ["editor_id"])


def _named() -> list[sa.Column[str]]:
    return [
        sa.Column(name, sqltypes.AutoString(), nullable=False) for name in ("digest", "cadence", "period")
    ]


def _add_drafts() -> None:
    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        *_named(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sqltypes.AutoString(), nullable=False),
        sa.Column("introduction", sqltypes.AutoString(), nullable=False),
        sa.Column("arranged", sa.JSON(), nullable=False),
        sa.Column("hidden", sa.JSON(), nullable=False),
        sa.Column("added", sa.JSON(), nullable=False),
        sa.Column("held_by", sqltypes.AutoString(), nullable=True),
        sa.Column("approved_version", sa.Integer(), nullable=True),
        sa.Column("approved_by", sqltypes.AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest", "cadence", "period"),
    )
    op.create_table(
        "desk_act",
        sa.Column("id", sa.Integer(), nullable=False),
        *_named(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("who", sqltypes.AutoString(), nullable=False),
        sa.Column("act", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_desk_act_edition", "desk_act", ["digest", "cadence", "period"])
    op.create_table(
        "alert",
        sa.Column("key", sqltypes.AutoString(), nullable=False),
        sa.Column("told_at", sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("alert", "desk_act", "draft", "password_link", "editor_session", "editor"):
        op.drop_table(table)
    for name in ("introduction", "subject"):
        op.drop_column("edition", name)
