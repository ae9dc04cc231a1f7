"""Who waits for a first edition of their own, and an index of them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("subscription", sa.Column("welcome_at", sqltypes.UTCDateTime(), nullable=True))
    waits = sa.text("welcome_at IS NOT NULL")
    op.create_index(
        "ix_subscription_welcome",
        "subscription",
        ["digest", "id"],
        sqlite_where=waits,
        postgresql_where=waits,
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_subscription_welcome", "subscription")
    op.drop_column("subscription", "welcome_at")
