"""Articles in the database."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import String, bindparam, case, cast
from sqlalchemy import select as sa_select
from sqlalchemy.orm import defer, load_only
from sqlmodel import Session, and_, col, func, not_, or_, select, update

from digest.articles.text.identity import canonical_url
from digest.errors import InputError
from digest.models import Article, Fold, VariantArticle
from digest.models.row import row_id
from digest.rules.articles.admission import GONE, TAKEN_BACK
from digest.store.transactions import take_turn

T = TypeVar("T")

_FEW = 5
_DECISIVE: tuple[Any, ...] = (
    Article.id, cast(col(Article.topics), String), Article.first_seen_at, Article.published_at,
    col(Article.pinned_at).is_not(None), Article.settles_at,
)  # fmt: skip
_MARKS: tuple[Any, ...] = (
    Article.id, Article.source, Article.canonical_url, Article.guid, Article.title, Article.published_at,
)  # fmt: skip
_AT_ONCE = 500
WITHOUT_BODIES: tuple[Any, ...] = (defer(Article.html), defer(Article.text))  # type: ignore[arg-type]
"""What leaves the long texts of articles in the database."""

_MOST_LATELY = 500
_TURN = 0x6172_7469  # any number that no other lock of ours has
_ROOM = "PRAGMA cache_size=-8000"  # kB
_LARGEST_ID = 2**31 - 1  # of PostgreSQL's integer


class StoredCandidate(NamedTuple):
    """What selection needs of a stored article."""

    id: int
    topics: tuple[str, ...]
    first_seen_at: datetime
    published_at: datetime | None
    is_pinned: bool
    settles_at: datetime | None


def take_turns(session: Session) -> None:
    """Lock the storing of articles until the transaction ends; SQLite has one writer anyway.

    A full lot of shingles (`store.articles.duplicate_index`) touches thousands of pages: a larger cache keeps
    SQLite from writing them twice.
    """
    take_turn(session, _TURN)
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(_ROOM).close()


def list_at(session: Session, canonical_urls: Collection[str]) -> Iterator[Article]:
    """Yield the articles that have these URLs."""
    for part in in_parts(canonical_urls):
        yield from session.exec(_AT, params={"values": part})


def list_by_guid(session: Session, source: str, guids: Collection[str]) -> Iterator[Article]:
    """Yield the articles of a source with these guids, the latest first for each."""
    yield from _latest(session, _BY_GUID, source, guids)


def list_same_content(session: Session, source: str, content_hashes: Collection[str]) -> Iterator[Article]:
    """Yield a source's articles with these titles and texts, the latest first for each."""
    yield from _latest(session, _BY_CONTENT, source, content_hashes)


def _latest_by(mark: Any) -> Any:
    """Build the query once: building it takes longer than running it.

    It reads the latest few for each value, because a source that reuses a value would otherwise bring all it
    has.
    """
    latest_first = col(Article.id).desc()
    nth = func.row_number().over(partition_by=mark, order_by=latest_first).label("nth")
    given = Article.source == bindparam("source"), mark.in_(bindparam("values", expanding=True))
    ranked = select(col(Article.id), nth).where(*given).subquery()
    few = select(ranked.c.id).where(ranked.c.nth <= _FEW)
    return select(Article).where(col(Article.id).in_(few)).order_by(latest_first)


_AT = select(Article).where(col(Article.canonical_url).in_(bindparam("values", expanding=True)))
_BY_GUID = _latest_by(col(Article.guid))
_BY_CONTENT = _latest_by(col(Article.content_hash))


def _latest(session: Session, query: Any, source: str, values: Collection[str]) -> Iterator[Article]:
    for part in in_parts(values):
        yield from session.exec(query, params={"source": source, "values": part})


def in_parts(values: Collection[T]) -> Iterator[list[T]]:
    """Split distinct values into groups that are small enough for one statement."""
    once = list(dict.fromkeys(values))
    for at in range(0, len(once), _AT_ONCE):
        yield once[at : at + _AT_ONCE]


def vacate(session: Session, article: Article) -> None:
    """Release an article's URL to the article that has it now; the link in it stays."""
    article.canonical_url = former_address(article.canonical_url, article.id)
    session.add(article)
    session.flush()


def former_address(canonical_url: str, article_id: int | None) -> str:
    """Return the key of an article that released its URL."""
    return f"{canonical_url}#former-{article_id}"


def get_article(session: Session, name: str) -> Article:
    """Return an article by its id or its URL; raise InputError if there is none."""
    article = find_article_named(session, name)
    if article is None:
        raise InputError(f'there is no article {name}; "digest articles list" shows those that exist')
    return article


def find_article_named(session: Session, name: str) -> Article | None:
    """Find an article by its id, or by its URL in any spelling."""
    if name.isascii() and name.isdigit():
        return session.get(Article, int(name)) if int(name) <= _LARGEST_ID else None
    spelled = or_(Article.url == name, Article.canonical_url.in_([name, canonical_url(name)]))  # type: ignore[attr-defined]
    return session.exec(select(Article).where(spelled)).first()


def list_candidates(
    session: Session, *, seen_from: datetime, seen_to: datetime, added: Collection[int] = ()
) -> list[StoredCandidate]:
    """List the articles that an edition may have: first seen in the span, or added by editors, and not
    excluded.

    Excluded are hidden, withdrawn and folded articles, and those held back and not added. There may be
    thousands, so they are no rows of the model, and topics that many have are read once.
    """
    folded = select(Fold.article_id).where(col(Fold.split_at).is_(None))
    by_rule = and_(col(Article.first_seen_at) >= seen_from, col(Article.held_back).is_(None))
    query = (
        sa_select(*_DECISIVE)
        .where(col(Article.first_seen_at) <= seen_to)
        .where(or_(by_rule, col(Article.id).in_(added)))
        .where(col(Article.hidden_at).is_(None), col(Article.withdrawn_at).is_(None))
        .where(col(Article.id).not_in(folded))
    )
    read: dict[str, tuple[str, ...]] = {}
    found = []
    for number, written, *more in session.execute(query):
        topics = read.get(written)
        if topics is None:
            topics = read[written] = tuple(dict.fromkeys(json.loads(written)))
        found.append(StoredCandidate(number, topics, *more))
    return found


def to_stored_candidate(article: Article) -> StoredCandidate:
    """Return what selection needs of a loaded article."""
    is_pinned = article.pinned_at is not None
    return StoredCandidate(
        row_id(article), tuple(dict.fromkeys(article.topics)), article.first_seen_at, article.published_at,
        is_pinned, article.settles_at,
    )  # fmt: skip


def ids_seen_from(session: Session, moment: datetime) -> frozenset[int]:
    """Return the ids of all articles first seen from a moment on, including hidden ones."""
    rows = session.exec(select(Article.id).where(col(Article.first_seen_at) >= moment))
    return frozenset(row for row in rows if row is not None)


def first_seen(session: Session, ids: Collection[int]) -> datetime | None:
    """Return when the first of some articles was first seen; None if there are none."""
    return session.exec(select(func.min(Article.first_seen_at)).where(col(Article.id).in_(ids))).one()


def get_articles(session: Session, ids: Collection[int], *, with_bodies: bool = True) -> dict[int, Article]:
    """Return articles by id; without their bodies there is no `text` and no `html` to ask them for."""
    found: dict[int, Article] = {}
    bodies = () if with_bodies else WITHOUT_BODIES
    for part in in_parts(ids):
        rows = session.exec(select(Article).where(col(Article.id).in_(part)).options(*bodies))
        found.update((row.id, row) for row in rows if row.id is not None)
    return found


def list_gone(session: Session, ids: Collection[int]) -> set[int]:
    """List those of some articles that have been withdrawn or hidden."""
    is_gone = or_(col(Article.withdrawn_at).is_not(None), col(Article.hidden_at).is_not(None))
    found = session.exec(select(Article.id).where(col(Article.id).in_(ids), is_gone))
    return {number for number in found if number is not None}


def follow_files(session: Session, source: str, files: Collection[str]) -> int:
    """Hold back the articles whose files are gone and release those whose files are back; return how many
    went."""
    rows = session.exec(
        select(Article.id, Article.guid, Article.held_back)
        .where(Article.source == source, col(Article.guid).startswith("file:"))
        .where(or_(col(Article.held_back).is_(None), Article.held_back == GONE))
    ).all()
    gone = [number for number, guid, held in rows if held is None and guid not in files]
    back = [number for number, guid, held in rows if held is not None and guid in files]
    for ids, held in ((gone, GONE), (back, None)):
        for part in in_parts(ids):
            session.exec(update(Article).where(col(Article.id).in_(part)).values(held_back=held))
    return len(gone)


def list_seen_lately(session: Session, source: str, since: datetime) -> list[Article]:
    """List what a source brought since a moment, the latest first: identity only, without texts."""
    query = (
        select(Article)
        .options(load_only(*_MARKS))
        .where(Article.source == source, col(Article.first_seen_at) >= since)
        .order_by(col(Article.first_seen_at).desc(), col(Article.id).desc())
    )
    return list(session.exec(query.limit(_MOST_LATELY)))


def list_held_lately(
    session: Session, source: str, since: datetime
) -> list[tuple[int, datetime | None, str | None]]:
    """List what a source brought since a moment: id, published time, the reason for holding it back."""
    query = select(Article.id, Article.published_at, Article.held_back).where(
        Article.source == source, col(Article.first_seen_at) >= since
    )
    return [(number, moment, held) for number, moment, held in session.exec(query) if number is not None]


def set_taken_back(session: Session, taken: Collection[int], standing: Collection[int]) -> None:
    """Hold back what a feed took back, and release what it shows again."""
    for ids, before, after in ((taken, None, TAKEN_BACK), (standing, TAKEN_BACK, None)):
        was = col(Article.held_back).is_(None) if before is None else col(Article.held_back) == before
        for part in in_parts(ids):
            session.exec(update(Article).where(col(Article.id).in_(part), was).values(held_back=after))


def is_in_an_edition(session: Session, article_id: int) -> bool:
    """Return whether any edition has an article."""
    query = select(VariantArticle.variant_id).where(VariantArticle.article_id == article_id)
    return session.exec(query.limit(1)).first() is not None


def count_articles(session: Session) -> int:
    """Count all articles."""
    return session.exec(select(func.count()).select_from(Article)).one()


def last_id(session: Session) -> int:
    """Return the id of the article stored last; 0 if there is none."""
    return session.exec(select(func.max(Article.id))).one() or 0


def set_first_seen(session: Session, *, after_id: int, until: datetime) -> None:
    """Set the first-seen time of all articles stored since to what it probably was before they were lost.

    Those first seen from `until` on were lost as well: a run that was refused, or a decision that a crash
    ended, has fetched them before. The time is their date, or that of the last article known before if they
    have none or an older one; those dated after `until` are left as they are.
    """
    seen_at: Any = col(Article.first_seen_at)
    dated: Any = col(Article.published_at)
    is_lost = or_(col(Article.id) > after_id, seen_at >= until)
    known = session.exec(select(func.max(seen_at)).where(not_(is_lost))).one()
    least = min(known or until, until)
    is_later, is_before = and_(dated.is_not(None), dated > until), or_(dated.is_(None), dated < least)
    seen = case((is_before, bindparam("least", least, type_=dated.type)), else_=dated)
    folded = col(Fold.article_id).in_(select(Article.id).where(is_lost))
    session.exec(update(Fold).where(folded).values(folded_at=least))
    session.exec(update(Article).where(is_lost, not_(is_later)).values(first_seen_at=seen))
