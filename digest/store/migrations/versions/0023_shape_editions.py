"""What editors change for one edition alone, and what an act changed, so that it can be undone."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("draft", "edition"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("sections", sa.JSON(), nullable=False, server_default="[]"))
            table.add_column(sa.Column("changes", sa.JSON(), nullable=False, server_default="{}"))
            table.add_column(sa.Column("sponsor", sqltypes.AutoString(), nullable=False, server_default=""))
    with op.batch_alter_table("desk_act") as table:
        table.add_column(sa.Column("before", sa.JSON(), nullable=True))
        table.add_column(sa.Column("undone", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("desk_act") as table:
        table.drop_column("undone")
        table.drop_column("before")
    for name in ("edition", "draft"):
        with op.batch_alter_table(name) as table:
            table.drop_column("sponsor")
            table.drop_column("changes")
            table.drop_column("sections")
