"""Index longer runs of words, and by value alone; what is in the index is three days old at most."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create(sqlite_with_rowid=False)


def downgrade() -> None:
    """Undo."""
    _create(sa.Column("seen_at", sqltypes.UTCDateTime(), nullable=False))
    op.create_index("ix_run_seen_at", "run", ["seen_at"])


def _create(*columns: sa.Column[object], **options: bool) -> None:
    op.drop_table("run")
    op.create_table(
        "run",
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("value", "article_id"),
        **options,
    )
    op.create_index("ix_run_article_id", "run", ["article_id"])
