"""The wordings of consent, each kept once under a number; events name it."""

import hashlib

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what stands in events is taken over, in no language that is known."""
    op.create_table(
        "consent_wording",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("hash", sqltypes.AutoString(), nullable=False, unique=True),
        sa.Column("language", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("first_used_at", sqltypes.UTCDateTime(), nullable=False),
    )
    event = sa.table("consent_event", sa.column("wording"), sa.column("at", sqltypes.UTCDateTime()))
    wording = sa.table(
        "consent_wording",
        sa.column("id"),
        sa.column("hash"),
        sa.column("language"),
        sa.column("text"),
        sa.column("first_used_at", sqltypes.UTCDateTime()),
    )
    used = (
        sa.select(event.c.wording, sa.func.min(event.c.at))
        .where(event.c.wording != "")
        .group_by(event.c.wording)
        .order_by(sa.func.min(event.c.at))
    )
    rows = [
        {
            "hash": hashlib.sha256(f"\0{text}".encode()).hexdigest(),
            "language": "",
            "text": text,
            "first_used_at": at,
        }
        for text, at in op.get_bind().execute(used).all()
    ]
    if rows:
        op.bulk_insert(wording, rows)
    op.add_column("consent_event", sa.Column("wording_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE consent_event SET wording_id = (SELECT id FROM consent_wording WHERE text = wording)"
        " WHERE wording <> ''"
    )
    op.drop_column("consent_event", "wording")


def downgrade() -> None:
    """Undo."""
    op.add_column(
        "consent_event", sa.Column("wording", sqltypes.AutoString(), nullable=False, server_default="")
    )
    op.execute(
        "UPDATE consent_event SET wording = (SELECT text FROM consent_wording WHERE id = wording_id)"
        " WHERE wording_id IS NOT NULL"
    )
    op.drop_column("consent_event", "wording_id")
    op.drop_table("consent_wording")
