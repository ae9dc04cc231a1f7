"""Mail to one reader, counts of sign-ups, and the mailbox that confirmations are limited by."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sign_up_count",
        sa.Column("key", sqltypes.AutoString(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "hour"),
    )
    op.create_table(
        "reader_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqltypes.AutoString(), nullable=False),
        sa.Column("token_hash", sqltypes.AutoString(), nullable=True),
        sa.Column("requested_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("used_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("origin", sa.JSON(), nullable=False),
        sa.Column("mail_state", sqltypes.AutoString(), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=True),
        sa.Column("due_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reply", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_reader_notice_subscriber_id", "reader_notice", ["subscriber_id"])
    op.create_index("ix_reader_notice_mail_state", "reader_notice", ["mail_state"])
    with op.batch_alter_table("confirmation") as table:
        table.add_column(sa.Column("mailbox", sqltypes.AutoString(), nullable=False, server_default=""))
        table.create_index("ix_confirmation_mailbox", ["mailbox"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("confirmation") as table:
        table.drop_index("ix_confirmation_mailbox")
        table.drop_column("mailbox")
    op.drop_table("reader_notice")
    op.drop_table("sign_up_count")
