"""The last attempts at each source, and sources that somebody paused."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("source", sa.Column("paused_at", sqltypes.UTCDateTime(), nullable=True))
    op.add_column(
        "source",
        sa.Column("paused_by", sqlmodel.sql.sqltypes.AutoString(), server_default="", nullable=False),
    )
    op.add_column("source", sa.Column("recent", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    """Undo."""
    for name in ("recent", "paused_by", "paused_at"):
        op.drop_column("source", name)
