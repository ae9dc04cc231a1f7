"""What alerts say, since when, and who was told; what was told of editions that are held no more goes."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TEXTS = ("kind", "name", "detail", "path")
_MOMENTS = ("began_at", "ended_at", "claimed_at", "cleared_at")


def upgrade() -> None:
    """Apply."""
    op.execute("DELETE FROM alert WHERE key NOT IN (SELECT 'held ' || id FROM edition WHERE state = 'held')")
    for name in _TEXTS:
        op.add_column("alert", sa.Column(name, sqltypes.AutoString(), nullable=False, server_default=""))
    for name in _MOMENTS:
        op.add_column("alert", sa.Column(name, sqltypes.UTCDateTime(), nullable=True))
    op.execute("UPDATE alert SET kind = 'held', began_at = told_at")
    with op.batch_alter_table("alert") as table:
        table.alter_column("began_at", nullable=False)
        table.alter_column("told_at", nullable=True)
        for name in _TEXTS:
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    """Undo."""
    op.execute("DELETE FROM alert WHERE told_at IS NULL OR kind <> 'held' OR ended_at IS NOT NULL")
    with op.batch_alter_table("alert") as table:
        table.alter_column("told_at", nullable=False)
        for name in (*_TEXTS, *_MOMENTS):
            table.drop_column(name)
