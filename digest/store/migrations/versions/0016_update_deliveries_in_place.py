"""Let PostgreSQL update deliveries in place: no index holds what claiming and marking change."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_OPEN = "state IN ('planned', 'claimed', 'in_flight', 'deferred')"


def upgrade() -> None:
    """Apply; SQLite, which updates in place anyway, keeps its indexes."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE delivery SET (fillfactor = 50)")  # room for the next version on the same page
    op.execute(f"ALTER TABLE delivery ADD COLUMN is_open boolean GENERATED ALWAYS AS ({_OPEN}) STORED")
    op.execute("DROP INDEX ix_delivery_owned")
    op.execute("DROP INDEX ix_delivery_open")
    op.execute("CREATE INDEX ix_delivery_open ON delivery (due_at, id) WHERE is_open")


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP INDEX ix_delivery_open")
    op.execute("ALTER TABLE delivery DROP COLUMN is_open")
    op.execute("ALTER TABLE delivery RESET (fillfactor)")
    due = "state IN ('planned', 'deferred')"
    op.execute(f"CREATE INDEX ix_delivery_open ON delivery (due_at, id) WHERE {due}")
    op.execute("CREATE INDEX ix_delivery_owned ON delivery (owner) WHERE state IN ('claimed', 'in_flight')")
