"""When an article has settled, and an index of what a source brought lately."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("article", sa.Column("settles_at", sqltypes.UTCDateTime(), nullable=True))
    op.create_index("ix_article_source_seen", "article", ["source", "first_seen_at"])
    op.drop_index("ix_article_source", "article")


def downgrade() -> None:
    """Undo."""
    op.create_index("ix_article_source", "article", ["source"])
    op.drop_index("ix_article_source_seen", "article")
    op.drop_column("article", "settles_at")
