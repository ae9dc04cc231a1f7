"""Fold the stories that several sources tell; hold articles back."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("article", sa.Column("held_back", sqltypes.AutoString(), nullable=True))
    op.add_column("article", sa.Column("topics_elsewhere", sa.JSON(), nullable=True))
    op.create_table(
        "fold",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("folded_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("split_at", sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["root_id"], ["article.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("article_id"),
    )
    op.create_index("ix_fold_root_id", "fold", ["root_id"])
    op.create_table(
        "run",
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("value", "article_id"),
    )
    op.create_index("ix_run_article_id", "run", ["article_id"])
    op.create_index("ix_run_seen_at", "run", ["seen_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("run")
    op.drop_table("fold")
    op.drop_column("article", "topics_elsewhere")
    op.drop_column("article", "held_back")
