"""Receivers of webhooks and the outbox."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sqltypes.UTCDateTime(), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("url"),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("with_addresses", sa.Boolean(), server_default=sa.false(), nullable=False),
        _text("secret"),
        _text("former_secret"),
        _moment("former_until"),
        _text("made_by"),
        _moment("made_at", nullable=False),
        _moment("failing_since"),
        _moment("disabled_at"),
        _text("disabled_why"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "webhook_message",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("message_id"),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        _text("event"),
        _moment("at", nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        _text("reader"),
        _moment("due_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("tried_at"),
        _moment("taken_at"),
        sa.Column("status", sa.Integer(), nullable=True),
        _text("trouble"),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("ix_webhook_message_endpoint_id", "webhook_message", ["endpoint_id"])
    op.create_index("ix_webhook_message_due_at", "webhook_message", ["due_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("webhook_message")
    op.drop_table("webhook_endpoint")
