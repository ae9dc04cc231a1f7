"""What a reader typed on a page whose link had expired, for the page of the next link."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("reader_notice", sa.Column("typed", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("reader_notice", "typed")
