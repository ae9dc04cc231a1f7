"""The index by which articles are found by their words: FTS5 on SQLite, a tsvector on PostgreSQL.

Both are given the same words, which `digest.articles.text.search_words` makes, so both find the same articles
whatever the database's locale. Triggers enter each new and each edited article as due (migration 0041);
`list_due` reads those, and `enter` puts them into the index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, column, false, text
from sqlmodel import Session, col, func, select

from digest.articles.text.search_words import Phrase, read_search, split_words
from digest.models import Article

_MOST_SIGNS = 50_000
"""How much of a text is read: very few articles are longer, and a tsvector has a bound."""
_TITLE, _BODY = "A", "D"
"""The weights of a tsvector, where FTS5 has columns."""

_DUE = text("SELECT number, article_id FROM article_search_due ORDER BY number DESC LIMIT :most")
_COUNT = text("SELECT count(*) FROM (SELECT 1 FROM article_search_due LIMIT :most) AS due")
_TAKE = text("DELETE FROM article_search_due WHERE number IN :numbers RETURNING article_id").bindparams(
    bindparam("numbers", expanding=True)
)
_REMOVE = text("DELETE FROM article_search WHERE rowid = :id")
_INSERT = text("INSERT INTO article_search (rowid, title, body) VALUES (:id, :title, :body)")
_PUT = text(
    "INSERT INTO article_search (article_id, words) VALUES (:id, CAST(:words AS tsvector))"
    " ON CONFLICT (article_id) DO UPDATE SET words = EXCLUDED.words"
)
_FIND_SQLITE = "SELECT rowid AS id FROM article_search WHERE article_search MATCH :words"
_FIND_POSTGRESQL = "SELECT article_id AS id FROM article_search WHERE words @@ CAST(:words AS tsquery)"
_FEW = 2_000
_BY_WORDS_ALONE = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off"
_BY_ANY_WAY = "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_indexscan TO DEFAULT"


@dataclass(frozen=True, slots=True)
class DueArticle:
    """An article that the index has yet to take, with its words; an edit gives its entry another number."""

    number: int
    id: int
    title: Sequence[str]
    body: Sequence[str]


def count_due(session: Session, most: int) -> int:
    """Count the articles that the index has yet to take, up to a bound."""
    return int(session.connection().execute(_COUNT, {"most": most}).scalar_one())


def list_due(session: Session, most: int) -> list[DueArticle]:
    """List articles that the index has yet to take, those entered last first: they are looked for most."""
    numbers = {article: number for number, article in session.connection().execute(_DUE, {"most": most})}
    columns: Any = (Article.id, Article.title, Article.summary, func.substr(Article.text, 1, _MOST_SIGNS))
    rows = session.exec(select(*columns).where(col(Article.id).in_(numbers)))
    return [
        DueArticle(numbers[number], number, split_words(title), split_words(f"{summary}\n{body}"))
        for number, title, summary, body in rows
    ]


def enter(session: Session, due: Sequence[DueArticle]) -> None:
    """Put articles into the index as they were read.

    One that was edited or deleted meanwhile has no entry with this number any more, and is left alone.
    """
    if not due:
        return
    connection, is_sqlite = session.connection(), session.get_bind().dialect.name == "sqlite"
    # Whoever deletes an article locks it before its entries: so does this, or each would wait for the other.
    standing = (
        select(Article.id).where(col(Article.id).in_([one.id for one in due])).order_by(col(Article.id))
    )
    session.exec(standing.with_for_update(read=True, key_share=True)).all()
    taken = set(connection.execute(_TAKE, {"numbers": [one.number for one in due]}).scalars())
    rows = [one for one in due if one.id in taken]
    if rows and is_sqlite:
        connection.execute(_REMOVE, [{"id": one.id} for one in rows])
        values = [{"id": one.id, "title": " ".join(one.title), "body": " ".join(one.body)} for one in rows]
        connection.execute(_INSERT, values)
    elif rows:
        connection.execute(_PUT, [{"id": one.id, "words": _vector(one)} for one in rows])


def list_found(
    session: Session, written: str, *, most: int, below: int | None = None, in_title: bool = False
) -> list[int]:
    """List the ids of the articles stored last that have all words of a search; `below` is an id."""
    asked = _ask(session, written, in_title=in_title)
    if asked is None:
        return []
    key, query, values = asked
    query += "" if below is None else f" AND {key} < :below"
    given = values | ({} if below is None else {"below": below})
    if session.get_bind().dialect.name != "sqlite":
        few = _list_few(session, query, given)
        if len(few) < _FEW:
            return sorted(few, reverse=True)[:most]
    found = text(f"{query} ORDER BY {key} DESC LIMIT :most")
    return list(session.connection().execute(found, given | {"most": most}).scalars())


def _list_few(session: Session, query: str, values: dict[str, Any]) -> list[int]:
    """Return what PostgreSQL finds in its index of words, in no order; of very many articles, _FEW.

    Asked for the last ones it reads all articles from the last one down until it has them: it takes the
    beginning of a rare word for one that an article in 200 has. The articles with a rare word are few enough
    to be ordered here; those with a frequent one are found so after a few.
    """
    connection = session.connection()
    connection.exec_driver_sql(_BY_WORDS_ALONE)
    found = list(connection.execute(text(f"{query} LIMIT :few"), values | {"few": _FEW}).scalars())
    connection.exec_driver_sql(_BY_ANY_WAY)
    return found


def has_words(session: Session, written: str) -> ColumnElement[bool]:
    """Return as a condition that an article has all words of a search; one without any word finds nothing."""
    asked = _ask(session, written)
    if asked is None:
        return false()
    _, query, values = asked
    found = text(query).bindparams(**values).columns(column("id", Integer))
    return col(Article.id).in_(found.scalar_subquery())


def _ask(session: Session, written: str, *, in_title: bool = False) -> tuple[str, str, dict[str, Any]] | None:
    """Return the key's name, a query and its values; None for a search without any word.

    What was typed reaches the database as words between quotation marks, so nothing in it is an operator.
    """
    phrases = read_search(written)
    if not phrases:
        return None
    if session.get_bind().dialect.name == "sqlite":
        said = " AND ".join(f'"{" ".join(one.words)}"{" *" if one.is_begun else ""}' for one in phrases)
        return "rowid", _FIND_SQLITE, {"words": f"title : ({said})" if in_title else said}
    said = " & ".join(_asked(phrases, _TITLE if in_title else ""))
    return "article_id", _FIND_POSTGRESQL, {"words": said}


def _asked(phrases: Iterable[Phrase], weight: str) -> Iterable[str]:
    """Yield phrases as a tsquery has them: `('l':A <-> 'eau':*A)`."""
    for one in phrases:
        *before, last = one.words
        end = ("*" if one.is_begun else "") + weight
        marks = [*((word, weight) for word in before), (last, end)]
        yield f"({' <-> '.join(_quoted(word) + (f':{mark}' if mark else '') for word, mark in marks)})"


def _vector(one: DueArticle) -> str:
    """Return an article's words with their places as a tsvector has them; a gap follows the title."""
    places: dict[str, list[str]] = {}
    for words, first, weight in ((one.title, 1, _TITLE), (one.body, len(one.title) + 2, _BODY)):
        for place, word in enumerate(words, first):
            places.setdefault(word, []).append(f"{place}{weight}")
    return " ".join(f"{_quoted(word)}:{','.join(where)}" for word, where in places.items())


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
