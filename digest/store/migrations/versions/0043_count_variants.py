"""Keep how many have each list of a large edition, and find a cadence's last editions by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("variant", sa.Column("gone", sa.Integer(), nullable=True))
    op.create_index("ix_edition_deadline", "edition", ["digest", "cadence", "deadline_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_edition_deadline", "edition")
    op.drop_column("variant", "gone")
