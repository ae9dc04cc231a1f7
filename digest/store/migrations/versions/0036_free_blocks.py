"""Texts of editors between the articles of an edition."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("draft", "edition"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("blocks", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Undo."""
    for name in ("edition", "draft"):
        with op.batch_alter_table(name) as table:
            table.drop_column("blocks")
