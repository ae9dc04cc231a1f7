"""Insert new articles together, as plain rows: ORM objects would take as long as the cleaning did."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, col, select

from digest.models import Article
from digest.store.articles.articles import former_address, in_parts


@dataclass(slots=True, eq=False)
class NewArticle:
    """An article that is not stored yet, with those fields of `Article` that a new one has.

    `former` is the URL that it released to another article of the same fetch.
    """

    source: str
    canonical_url: str
    url: str
    guid: str | None
    content_hash: str
    title: str
    title_formed: bool
    summary: str
    html: str
    text: str
    word_count: int
    author: str | None
    image_url: str | None
    image_alt: str | None
    language: str | None
    place: str | None
    agency: str | None
    topics: list[str]
    categories: list[str] | None
    published_at: datetime | None
    first_seen_at: datetime
    updated_at: datetime | None = None
    held_back: str | None = None
    settles_at: datetime | None = None
    categories_elsewhere: dict[str, list[str]] | None = None
    former: str | None = None
    id: int | None = None

    def vacate(self) -> None:
        """Release the URL; the article that takes it gets the id at the insert."""
        self.former, self.canonical_url = self.canonical_url, ""


AnyArticle = Article | NewArticle

_COLUMNS = tuple(one.name for one in fields(NewArticle) if one.name not in ("former", "id"))
_INSERT = insert(Article)
_IDS = select(Article.canonical_url, Article.id).where(
    col(Article.canonical_url).in_(bindparam("values", expanding=True))
)
_MOVE = update(Article).where(col(Article.id) == bindparam("moved")).values(canonical_url=bindparam("to"))


def insert_articles(session: Session, new: Sequence[NewArticle]) -> None:
    """Insert articles and set their ids; those that released their URL come first."""
    if not new:
        return
    session.flush()  # stored articles may have released a URL
    rows = sorted(new, key=lambda row: row.former is None)
    for number, row in enumerate(rows):
        row.canonical_url = row.canonical_url or f"{row.former}#leaving-{number}"
    connection = session.connection()
    connection.execute(_INSERT, [{name: getattr(row, name) for name in _COLUMNS} for row in rows])
    ids: dict[str, int | None] = {}
    for part in in_parts([row.canonical_url for row in rows]):
        ids.update((at, number) for at, number in session.exec(_IDS, params={"values": part}))
    for row in rows:
        row.id = ids[row.canonical_url]
    _move_vacated([row for row in rows if row.former is not None], session)


def _move_vacated(vacated: Sequence[NewArticle], session: Session) -> None:
    for row in vacated:
        row.canonical_url = former_address(row.former or "", row.id)
    if vacated:
        moved = [{"moved": row.id, "to": row.canonical_url} for row in vacated]
        session.connection().execute(_MOVE, moved)
