"""Keep articles as they stood when an edition froze."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; editions that froze before show their articles as they stand."""
    words = ("source", "url", "title", "summary", "html", "text")
    perhaps = ("author", "image_url", "image_alt", "language", "place", "agency")
    op.create_table(
        "frozen_article",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sqltypes.AutoString(), nullable=False) for name in words),
        sa.Column("title_formed", sa.Boolean(), nullable=False),
        sa.Column("word_count", sa.Integer(), nullable=False),
        *(sa.Column(name, sqltypes.AutoString(), nullable=True) for name in perhaps),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("published_at", sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"]),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"]),
        sa.PrimaryKeyConstraint("edition_id", "article_id"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("frozen_article")
