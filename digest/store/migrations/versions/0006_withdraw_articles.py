"""Withdraw articles: the act, and the variants that replace others."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("done_at", sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_withdrawal_article_id", "withdrawal", ["article_id"])
    op.add_column("variant", sa.Column("replaces", sa.Integer(), nullable=True))
    op.add_column("variant", sa.Column("withdrawal_id", sa.Integer(), nullable=True))
    op.create_index("ix_variant_replaces", "variant", ["replaces"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_variant_replaces", "variant")
    op.drop_column("variant", "withdrawal_id")
    op.drop_column("variant", "replaces")
    op.drop_table("withdrawal")
