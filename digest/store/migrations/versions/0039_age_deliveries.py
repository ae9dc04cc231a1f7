"""Let deliveries grow for years on PostgreSQL: ids of 64 bits, and a vacuum that keeps their index small."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# By default a vacuum waits until a fifth of the table is dead, and leaves the indexes alone where little is.
# The entries of what was accepted would lie in the index of open deliveries for months.
_VACUUM = {
    "autovacuum_vacuum_scale_factor": "0.01",
    "autovacuum_vacuum_insert_scale_factor": "0.01",
    "autovacuum_analyze_scale_factor": "0.01",
    "vacuum_index_cleanup": "on",
}


def upgrade() -> None:
    """Apply; SQLite's ids have 64 bits, and it leaves nothing dead in an index."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE delivery ALTER COLUMN id TYPE bigint")
    op.execute("ALTER SEQUENCE delivery_id_seq AS bigint")
    op.execute("ALTER TABLE bounce ALTER COLUMN delivery_id TYPE bigint")
    settings = ", ".join(f"{name} = {value}" for name, value in _VACUUM.items())
    op.execute(f"ALTER TABLE delivery SET ({settings})")


def downgrade() -> None:
    """Undo; fails where an id needs more than 32 bits."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(f"ALTER TABLE delivery RESET ({', '.join(_VACUUM)})")
    op.execute("ALTER TABLE bounce ALTER COLUMN delivery_id TYPE integer")
    op.execute("ALTER SEQUENCE delivery_id_seq AS integer")
    op.execute("ALTER TABLE delivery ALTER COLUMN id TYPE integer")
