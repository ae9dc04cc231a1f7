"""How a reader wants a digest: with or without pictures, as text alone, or in their feed alone."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("subscription", "cohort", "variant"):
        op.add_column(table, sa.Column("mail_form", sa.String(), nullable=False, server_default="pictures"))


def downgrade() -> None:
    """Undo."""
    for name in ("variant", "cohort", "subscription"):
        op.drop_column(name, "mail_form")
