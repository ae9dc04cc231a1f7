"""An index of the consent events that still have a client's address, which is forgotten after a while."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_HAS_IP = "CAST(origin AS TEXT) LIKE '%\"ip\"%'"


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_consent_event_ip",
        "consent_event",
        ["at"],
        sqlite_where=sa.text(_HAS_IP),
        postgresql_where=sa.text(_HAS_IP),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_consent_event_ip", "consent_event")
