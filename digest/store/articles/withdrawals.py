"""Take a withdrawn article out of waiting deliveries: they get a variant without it, and the old one stays.

Sent deliveries keep the old variant for good, so the ledger says what each reader has.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert
from sqlmodel import Session, col, func, select, update

from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    FrozenArticle,
    Subscription,
    Variant,
    VariantArticle,
    Withdrawal,
    Withheld,
)
from digest.models.row import row_id

_WAITING = (DeliveryState.PLANNED, DeliveryState.DEFERRED, DeliveryState.CLAIMED)
_AT_ONCE = 500
_NOT_REPEATED = "not repeated: an article of it was withdrawn"


def enter(session: Session, article: Article, at: datetime, reason: str) -> Withdrawal:
    """Record the withdrawal; after its commit no edition selects the article."""
    article.withdrawn_at = article.withdrawn_at or at
    withdrawal = Withdrawal(article_id=row_id(article), at=at, reason=reason)
    session.add_all([article, withdrawal])
    session.flush()
    return withdrawal


def erase_content(session: Session, article: Article) -> None:
    """Delete the words of an article that is withdrawn for good, in the editions that had it too."""
    words: dict[str, object] = {
        "title": "Erased", "summary": "", "html": "", "text": "", "word_count": 0, "author": None,
    }  # fmt: skip
    session.exec(update(Article).where(col(Article.id) == article.id).values(words | {"content_hash": ""}))
    session.exec(update(FrozenArticle).where(col(FrozenArticle.article_id) == article.id).values(words))


def find_withdrawal(session: Session, article_id: int) -> Withdrawal | None:
    """Find the withdrawal of an article."""
    query = select(Withdrawal).where(Withdrawal.article_id == article_id).order_by(col(Withdrawal.id))
    return session.exec(query).first()


def list_begun(session: Session) -> list[Withdrawal]:
    """List the withdrawals that have not been carried out yet."""
    query = select(Withdrawal).where(col(Withdrawal.done_at).is_(None))
    return list(session.exec(query.order_by(col(Withdrawal.id))))


def list_within(session: Session, edition_id: int) -> list[Withdrawal]:
    """List the withdrawals that affect an edition's variants."""
    held = (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .where(Variant.edition_id == edition_id)
    )
    query = select(Withdrawal).where(col(Withdrawal.article_id).in_(held))
    return list(session.exec(query.order_by(col(Withdrawal.id))))


def list_open_editions(session: Session, articles: Collection[int]) -> list[int]:
    """List the unfinished editions that have one of these articles."""
    query = (
        select(Edition.id)
        .join(Variant, col(Variant.edition_id) == col(Edition.id))
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Variant.id))
        .where(col(VariantArticle.article_id).in_(articles))
        .where(col(Edition.state).not_in((EditionState.FINISHED, EditionState.SKIPPED)))
        .distinct()
    )
    return sorted(edition_id for edition_id in session.exec(query) if edition_id is not None)


def take_out(
    session: Session, withdrawal: Withdrawal, edition_id: int, shows: Collection[int], now: datetime
) -> tuple[int, int]:
    """Move an edition's waiting deliveries to variants without the article; return (changed, withheld).

    `shows` are the articles that show it: itself, and its root, whose card says "also at". A delivery without
    any article left is withheld. One that may have arrived before is not repeated, and stays uncertain with
    its old variant.
    """
    waiting = _lock_waiting(session, edition_id, shows)
    if not waiting:
        return 0, 0
    _fork(session, withdrawal, edition_id, waiting)
    own = (col(Variant.edition_id) == edition_id, col(Variant.withdrawal_id) == withdrawal.id)
    replaced = select(Variant.replaces).where(*own)
    _close_repeats(session, edition_id, replaced, now)
    successor = select(Variant.id).where(*own, col(Variant.replaces) == col(Delivery.variant_id))
    changed = session.exec(
        update(Delivery)
        .where(*_is_waiting(edition_id), col(Delivery.variant_id).in_(replaced))
        .values(variant_id=successor.scalar_subquery())
        .execution_options(synchronize_session=False)
    ).rowcount
    return changed, _withhold_empty(session, edition_id, select(Variant.id).where(*own), now)


def unplace(session: Session, withdrawal: Withdrawal, edition_id: int) -> None:
    """Remove the readers who lost the article from their cohorts, because they do not have it."""
    own = select(Variant.id).where(
        Variant.edition_id == edition_id, col(Variant.withdrawal_id) == withdrawal.id
    )
    moved = select(Delivery.subscription_id).where(
        Delivery.edition_id == edition_id, col(Delivery.variant_id).in_(own)
    )
    session.exec(
        update(Subscription)
        .where(col(Subscription.id).in_(moved))
        .values(cohort_id=None)
        .execution_options(synchronize_session=False)
    )


def _lock_waiting(session: Session, edition_id: int, articles: Collection[int]) -> list[int]:
    """Lock the waiting deliveries that have an article, in the order in which couriers lock; return their
    variants."""
    holding = select(VariantArticle.variant_id).where(col(VariantArticle.article_id).in_(articles))
    query = select(Delivery.variant_id).where(*_is_waiting(edition_id), col(Delivery.variant_id).in_(holding))
    locked = session.exec(query.order_by(col(Delivery.id)).with_for_update())
    return sorted({variant_id for variant_id in locked if variant_id is not None})


def _fork(session: Session, withdrawal: Withdrawal, edition_id: int, variants: Sequence[int]) -> None:
    """Insert a variant without the article for each of these, where there is none yet."""
    mark = str(withdrawal.id)
    for start in range(0, len(variants), _AT_ONCE):
        query = select(Variant).where(col(Variant.id).in_(variants[start : start + _AT_ONCE]))
        old = [one for one in session.exec(query) if mark not in one.key.split("~")[1:]]
        keys = [f"{one.key}~{mark}" for one in old]
        known = set(session.exec(
            select(Variant.key).where(Variant.edition_id == edition_id, col(Variant.key).in_(keys))
        ))  # fmt: skip
        for one, key in zip(old, keys, strict=True):
            if key not in known:
                copied = one.model_dump(exclude={"id", "gone"}) | {"key": key, "replaces": one.id}
                session.add(Variant(**copied | {"withdrawal_id": withdrawal.id}))
        session.flush()
        _copy_articles(session, withdrawal, edition_id, [key for key in keys if key not in known])


def _copy_articles(session: Session, withdrawal: Withdrawal, edition_id: int, keys: Sequence[str]) -> None:
    table = VariantArticle.__table__  # type: ignore[attr-defined]
    place = func.row_number().over(partition_by=col(Variant.id), order_by=table.c.position) - 1
    made: dict[str, Any] = {"variant_id": col(Variant.id), "position": place}
    copied = [made.get(column.name, column) for column in table.columns]
    rows = (
        select(*copied)
        .join(Variant, col(Variant.replaces) == table.c.variant_id)
        .where(Variant.edition_id == edition_id, col(Variant.key).in_(keys))
        .where(table.c.article_id != withdrawal.article_id)
    )
    session.connection().execute(insert(table).from_select([c.name for c in table.columns], rows))


def _close_repeats(session: Session, edition_id: int, replaced: Any, now: datetime) -> None:
    session.exec(
        update(Delivery)
        .where(*_is_waiting(edition_id), col(Delivery.resends) > 0, col(Delivery.variant_id).in_(replaced))
        .values(state=DeliveryState.UNCERTAIN, reason=_NOT_REPEATED, owner=None, changed_at=now)
        .execution_options(synchronize_session=False)
    )


def _withhold_empty(session: Session, edition_id: int, variants: Any, now: datetime) -> int:
    holds = select(VariantArticle.variant_id).where(col(VariantArticle.variant_id) == col(Variant.id))
    empty = variants.where(~holds.exists())
    return session.exec(
        update(Delivery)
        .where(*_is_waiting(edition_id), col(Delivery.variant_id).in_(empty))
        .values(state=DeliveryState.WITHHELD, reason=Withheld.WITHDRAWN, owner=None, changed_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount


def _is_waiting(edition_id: int) -> tuple[ColumnElement[bool], ...]:
    return col(Delivery.edition_id) == edition_id, col(Delivery.state).in_(_WAITING)
