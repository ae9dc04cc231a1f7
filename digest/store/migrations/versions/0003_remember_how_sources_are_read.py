"""Remember where a source's feed is, what was read last, and how often it failed."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("source") as batch_op:
        batch_op.add_column(sa.Column("feed_url", sqltypes.AutoString(), nullable=True))
        batch_op.add_column(sa.Column("content_hash", sqltypes.AutoString(), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("stopped_at", sqltypes.UTCDateTime(), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("source") as batch_op:
        for name in ("stopped_at", "failures", "content_hash", "feed_url"):
            batch_op.drop_column(name)
