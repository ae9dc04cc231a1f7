"""The calendar feeds of editors."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calendar_link",
        sa.Column("editor_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sqltypes.AutoString(), nullable=False),
        sa.Column("made_at", sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("editor_id"),
        sa.UniqueConstraint("token_hash"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("calendar_link")
