"""Part the index of runs in lots: what is noted lately stands close together, and a day goes as a whole."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    """Apply; what is in the index stays in it, as noted on the day of the last article."""
    _move(
        "SELECT :day, value, article_id FROM run",
        sa.Column("lot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("lot", "value", "article_id"),
    )


def downgrade() -> None:
    """Undo."""
    _move(
        "SELECT DISTINCT value, article_id FROM run WHERE article_id IN (SELECT id FROM article)",
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("value", "article_id"),
    )
    op.create_index("ix_run_article_id", "run", ["article_id"])


def _move(rows: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table("run_in_order", *columns, sqlite_with_rowid=False)
    insert = sa.text(f"INSERT INTO run_in_order {rows}")
    day = sa.bindparam("day", _day_of_the_last_article(), sa.BigInteger())
    op.execute(insert.bindparams(day) if ":day" in rows else insert)
    op.drop_table("run")
    op.rename_table("run_in_order", "run")


def _day_of_the_last_article() -> int:
    seen = sa.column("first_seen_at", sqltypes.UTCDateTime())
    last = op.get_bind().execute(sa.select(sa.func.max(seen)).select_from(sa.table("article"))).scalar()
    return (last - _FIRST_DAY).days if last else 0
