"""How many articles a reader waits for, their quiet hours, and whether they want breaking news."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("subscription", "cohort"):
        op.add_column(table, sa.Column("min_articles", sa.Integer(), nullable=True))
    op.add_column("subscription", sa.Column("quiet", sqltypes.AutoString(), nullable=True))
    for table, name in (("subscription", "breaking"), ("edition_cohort", "waits")):
        op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Undo."""
    for name, columns in (
        ("edition_cohort", ("waits",)),
        ("subscription", ("breaking", "quiet", "min_articles")),
        ("cohort", ("min_articles",)),
    ):
        with op.batch_alter_table(name) as table:
            for column in columns:
                table.drop_column(column)
