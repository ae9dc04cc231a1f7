"""Print letters: what their writers are asked, and what they said."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TEXTS = ("consent", "print_text", "print_name", "print_in")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("letter") as table:
        for name in _TEXTS:
            table.add_column(sa.Column(name, sqltypes.AutoString(), nullable=False, server_default=""))
        table.add_column(sa.Column("consent_at", sqltypes.UTCDateTime(), nullable=True))
        table.add_column(sa.Column("printed_as", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_letter_printed_as_article", "article", ["printed_as"], ["id"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("letter") as table:
        table.drop_constraint("fk_letter_printed_as_article", type_="foreignkey")
        for name in ("printed_as", "consent_at", *_TEXTS):
            table.drop_column(name)
