"""Find the few editions that are not finished, however many single readers have asked for one."""

from alembic import op
from sqlalchemy import text

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    is_open = text("state IN ('draft', 'held', 'compiling', 'frozen', 'paused')")
    op.create_index("ix_edition_open", "edition", ["digest"], sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_edition_open", "edition")
