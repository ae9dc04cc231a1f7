"""Write Greek topics in one form: without accents, with a final sigma at the end of a word."""

import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_HOLDERS = (
    ("article", ("id",), ("topics", "categories", "categories_elsewhere")),
    ("frozen_article", ("edition_id", "article_id"), ("topics",)),
    ("draft", ("id",), ("sections",)),
    ("edition", ("id",), ("sections",)),
    ("subscription", ("id",), ("topics",)),
    ("confirmation", ("id",), ("choices",)),
    ("cohort", ("id",), ("topics",)),
    ("desk_source", ("id",), ("topics",)),
)
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_FINAL_SIGMA = re.compile(r"(?<=[^\W\d_])σ(?![^\W\d_])")


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    for name, keys, columns in _HOLDERS:
        held = [sa.column(one, sa.JSON(none_as_null=True)) for one in columns]
        table = sa.table(name, *map(sa.column, keys), *held)
        key = [table.c[one] for one in keys]
        # JSON is stored with its letters beyond ASCII escaped.
        is_greek = sa.or_(
            *(
                sa.cast(table.c[column], sa.Text).like(f"%\\u{block}%", escape="!")
                for column in columns
                for block in ("03", "1f")
            )
        )
        found = connection.execute(sa.select(*key).where(is_greek)).all()
        for row_key in found:
            this = sa.and_(*(column == value for column, value in zip(key, row_key, strict=True)))
            row = connection.execute(sa.select(*(table.c[one] for one in columns)).where(this)).one()
            written = {one: _plain(value) for one, value in zip(columns, row, strict=True)}
            connection.execute(sa.update(table).where(this).values(written))


def downgrade() -> None:
    """Undo nothing: the former forms are not known, and readers have one for each topic."""


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return list(dict.fromkeys(map(_word, value))) if all(isinstance(one, str) for one in value) else value
    if isinstance(value, dict):
        return {_word(key): _plain(one) for key, one in value.items()}
    return value


def _word(text: str) -> str:
    if not _GREEK.search(text):
        return text
    kept: list[str] = []
    is_greek = False
    for char in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(char):
            is_greek = _GREEK.match(char) is not None
        elif is_greek:
            continue
        kept.append(char)
    return _FINAL_SIGMA.sub("ς", unicodedata.normalize("NFC", "".join(kept)))
