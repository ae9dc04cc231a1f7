"""Copies of images: which are wanted, which exist, and which are no longer shown."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, cast, delete
from sqlmodel import Session, and_, col, or_, select

from digest.models import Article, Draft, Edition, Picture
from digest.models.row import row_id
from digest.rules.articles.images import UPLOADED

_MOST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of an image, without its bytes."""

    name: str
    copied_at: datetime


# Built once, because it runs for each claim: building a statement takes longer than running it.
_SHOWN: tuple[Any, ...] = Article.id, Picture.name, Picture.copied_at
_COPIES = (
    select(*_SHOWN)
    .join_from(Article, Picture, col(Picture.url) == col(Article.image_url))
    .where(col(Article.id).in_(bindparam("ids", expanding=True)))
    .where(col(Picture.name).is_not(None), col(Picture.copied_at).is_not(None))
)


def list_wanted(session: Session, *, seen_from: datetime, tried_before: datetime, most: int) -> list[str]:
    """List the URLs of images that may still be shown and have no copy, the newest first."""
    can_be_tried = or_(
        col(Picture.id).is_(None),
        and_(col(Picture.name).is_(None), col(Picture.tries) < _MOST_TRIES, Picture.tried_at < tried_before),
    )
    query = (
        select(Article.image_url)
        .join(Picture, col(Picture.url) == col(Article.image_url), isouter=True)
        .where(col(Article.image_url).is_not(None), col(Article.first_seen_at) >= seen_from)
        .where(col(Article.hidden_at).is_(None), col(Article.withdrawn_at).is_(None))
        .where(col(Article.held_back).is_(None), can_be_tried)
        .order_by(col(Article.first_seen_at).desc(), col(Article.id).desc())
        .limit(most)
    )
    return list(dict.fromkeys(url for url in session.exec(query) if url))


def find_of_url(session: Session, url: str) -> Picture | None:
    """Find what is known about an image's URL."""
    return session.exec(select(Picture).where(Picture.url == url)).first()


def find_content(session: Session, name: str) -> bytes | None:
    """Return a copy's bytes."""
    query = select(Picture.content).where(Picture.name == name, col(Picture.content).is_not(None))
    return session.exec(query.limit(1)).first()


def copies_of(session: Session, article_ids: Collection[int]) -> dict[int, Copy]:
    """Return the copies of these articles' images, by article, without their bytes."""
    rows = session.connection().execute(_COPIES, {"ids": list(article_ids)})
    return {article_id: Copy(*found) for article_id, *found in rows}


def forget_of(session: Session, article: Article) -> None:
    """Delete the copy of a withdrawn article's image, unless another article shows it, and its uploads."""
    session.exec(delete(Picture).where(col(Picture.url).in_(_uploads_of(session, row_id(article)))))
    if article.image_url is None:
        return
    others = select(Article.id).where(
        Article.image_url == article.image_url, col(Article.withdrawn_at).is_(None)
    )
    if session.exec(others.limit(1)).first() is None:
        session.exec(delete(Picture).where(col(Picture.url) == article.image_url))


def forget_unused(session: Session) -> int:
    """Delete the copies that no article refers to; return how many. Uploads stay: editions refer to them."""
    named = select(Article.image_url).where(col(Article.image_url).is_not(None))
    is_copy = col(Picture.url).not_like(f"{UPLOADED}%")
    return session.exec(delete(Picture).where(col(Picture.url).not_in(named), is_copy)).rowcount


def _uploads_of(session: Session, article_id: int) -> set[str]:
    """Return the pictures that were uploaded for an article, in any edition, and for no other one."""
    own: set[str] = set()
    others: set[str] = set()
    for table in (Edition, Draft):
        found = select(table.changes).where(cast(col(table.changes), String).contains(UPLOADED))
        for changes in session.exec(found):
            for key, change in changes.items():
                (own if key == str(article_id) else others).add(change.get("image", ""))
    return {url for url in own - others if url.startswith(UPLOADED)}
