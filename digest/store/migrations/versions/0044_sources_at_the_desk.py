"""Sources that are added at the desk, and who did what to a source."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "desk_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", text(), nullable=False),
        sa.Column("url", text(), nullable=False),
        sa.Column("address_key", text(), nullable=True),
        sa.Column("page", text(), nullable=False),
        sa.Column("title", text(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("language", text(), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("settle", sa.Integer(), nullable=False),
        sa.Column("max_new", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("added_by", text(), nullable=False),
        sa.Column("added_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("changed_by", text(), nullable=False),
        sa.Column("changed_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("removed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("address_key"),
        sa.CheckConstraint("url LIKE 'http://%' OR url LIKE 'https://%'", name="ck_desk_source_url"),
    )
    op.create_table(
        "source_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", text(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("who", text(), nullable=False),
        sa.Column("act", text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_source_act_source", "source_act", ["source"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("source_act")
    op.drop_table("desk_source")
