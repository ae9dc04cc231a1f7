"""Take mail in: messages, bounces, complaints, letters, answers."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TEXT, _TIME = sqltypes.AutoString, sqltypes.UTCDateTime


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "inbound_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", _TEXT(), nullable=False),
        sa.Column("received_at", _TIME(), nullable=False),
        sa.Column("kind", _TEXT(), nullable=False),
        sa.Column("why", _TEXT(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_inbound_message_received_at", "inbound_message", ["received_at"])
    _create_evidence()
    _create_letters()


def _create_evidence() -> None:
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", _TIME(), nullable=False),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("inbound_message.id"), nullable=True),
        sa.Column("subscriber_id", sa.Integer(), sa.ForeignKey("subscriber.id"), nullable=False),
        sa.Column("delivery_id", sa.Integer(), sa.ForeignKey("delivery.id"), nullable=True),
        sa.Column("edition_id", sa.Integer(), sa.ForeignKey("edition.id"), nullable=True),
        sa.Column("receiver", _TEXT(), nullable=False),
        sa.Column("reason", _TEXT(), nullable=False),
        sa.Column("status", _TEXT(), nullable=False),
        sa.Column("weight", _TEXT(), nullable=False),
        sa.Column("diagnostic", _TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "complaint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", _TIME(), nullable=False),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("inbound_message.id"), nullable=True),
        sa.Column("subscriber_id", sa.Integer(), sa.ForeignKey("subscriber.id"), nullable=False),
        sa.Column("edition_id", sa.Integer(), sa.ForeignKey("edition.id"), nullable=True),
        sa.Column("receiver", _TEXT(), nullable=False),
        sa.Column("feedback_type", _TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for table in ("bounce", "complaint"):
        op.create_index(f"ix_{table}_subscriber_id", table, ["subscriber_id"])
        op.create_index(f"ix_{table}_edition_id", table, ["edition_id"])


def _create_letters() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("inbound_message.id"), nullable=True),
        sa.Column("at", _TIME(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), sa.ForeignKey("subscriber.id"), nullable=True),
        *(
            sa.Column(name, _TEXT(), nullable=False)
            for name in ("sender", "name", "subject", "text", "quoted", "signature", "mail_id")
        ),
        sa.Column("edition_id", sa.Integer(), sa.ForeignKey("edition.id"), nullable=True),
        sa.Column("article_id", sa.Integer(), sa.ForeignKey("article.id"), nullable=True),
        sa.Column("state", _TEXT(), nullable=False),
        sa.Column("handled_by", _TEXT(), nullable=False),
        sa.Column("handled_at", _TIME(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("subscriber_id", "edition_id", "article_id", "state"):
        op.create_index(f"ix_letter_{column}", "letter", [column])
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME(), nullable=False),
        sa.Column("kind", _TEXT(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), sa.ForeignKey("subscriber.id"), nullable=True),
        *(sa.Column(name, _TEXT(), nullable=False) for name in ("address", "language", "digest", "subject")),
        sa.Column("values", sa.JSON(), nullable=False),
        *(sa.Column(name, _TEXT(), nullable=False) for name in ("reply_to", "in_reply_to", "state")),
        sa.Column("owner", sa.Integer(), nullable=True),
        sa.Column("due_at", _TIME(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reply", _TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("created_at", "subscriber_id", "state"):
        op.create_index(f"ix_answer_{column}", "answer", [column])


def downgrade() -> None:
    """Undo."""
    for table in ("answer", "letter", "complaint", "bounce", "inbound_message"):
        op.drop_table(table)
