"""Alembic's entry: it runs inside the transaction that `digest.store.schema` opened."""

from alembic import context
from sqlmodel import SQLModel

import digest.models

_ = digest.models  # imported so that the metadata is whole

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
