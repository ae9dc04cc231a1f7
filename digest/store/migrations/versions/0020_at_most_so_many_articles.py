"""How many articles a reader wants at most; readers of one cohort want the same."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("subscription", "cohort"):
        op.add_column(table, sa.Column("max_articles", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Undo."""
    for name in ("cohort", "subscription"):
        with op.batch_alter_table(name) as table:
            table.drop_column("max_articles")
