"""Keep what sources call an article, so that its topics can be made anew when the settings change."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mark",
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("value", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.add_column("article", sa.Column("categories", sa.JSON(), nullable=True))
    op.add_column("article", sa.Column("categories_elsewhere", sa.JSON(), nullable=True))
    op.drop_column("article", "topics_elsewhere")


def downgrade() -> None:
    """Undo."""
    op.add_column("article", sa.Column("topics_elsewhere", sa.JSON(), nullable=True))
    op.drop_column("article", "categories_elsewhere")
    op.drop_column("article", "categories")
    op.drop_table("mark")
