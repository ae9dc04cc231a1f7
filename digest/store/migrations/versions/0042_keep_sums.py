"""Keep the sums of finished editions, and how many readers a cadence has."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "edition_sums",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("finished_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"]),
        sa.PrimaryKeyConstraint("edition_id"),
    )
    op.create_table(
        "cadence_readers",
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("cadence", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("counted_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("cohorts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "cadence"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("cadence_readers")
    op.drop_table("edition_sums")
