"""Variants: the distinct lists of articles of an edition; with the deliveries they are the ledger."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from digest.models import (
    Delivery,
    Edition,
    Form,
    Variant,
    VariantArticle,
    is_counted,
)
from digest.rules.selection import Choice, Chosen

# Written once: to build a statement takes longer than to run it.
_THESE: Any = bindparam("ids", expanding=True)
_STORED: tuple[Any, ...] = (
    Variant.id, Variant.edition_id, Variant.language, Variant.left_out, Variant.related,
)  # fmt: skip
_CHOSEN: tuple[Any, ...] = (
    VariantArticle.variant_id, VariantArticle.article_id, VariantArticle.form, VariantArticle.section,
)  # fmt: skip
_VARIANTS = select(*_STORED).where(col(Variant.id).in_(_THESE))
_CHOICES = (
    select(*_CHOSEN)
    .where(col(VariantArticle.variant_id).in_(_THESE))
    .order_by(col(VariantArticle.variant_id), col(VariantArticle.position))
)
_EDITIONS = select(Edition).where(col(Edition.id).in_(_THESE))


class Listed(NamedTuple):
    """A variant as it is stored: a list of articles in an edition and a language."""

    edition: Edition
    language: str
    chosen: Chosen


def find_or_add_variant(session: Session, edition_id: int, language: str, chosen: Chosen) -> int:
    """Give the id of the edition's variant with this list and language, entering it the first time."""
    key = f"{chosen.key}-{language}"
    query = select(Variant.id).where(Variant.edition_id == edition_id, Variant.key == key)
    found = session.exec(query).first()
    if found is not None:
        return found
    variant = Variant(
        edition_id=edition_id,
        key=key,
        language=language,
        left_out=chosen.left_out,
        related=list(chosen.related),
    )
    session.add(variant)
    session.flush()
    assert variant.id is not None  # noqa: S101 - flushed
    for position, choice in enumerate(chosen.choices):
        session.add(VariantArticle(
            variant_id=variant.id, position=position, article_id=choice.article_id,
            form=choice.form, section=choice.section,
        ))  # fmt: skip
    session.flush()
    return variant.id


def get_variants(session: Session, ids: Collection[int]) -> dict[int, Listed]:
    """Give variants by id: plain rows, since each of many readers may have a list of their own."""
    connection, named = session.connection(), {"ids": list(ids)}
    choices: dict[int, list[Choice]] = {}
    for variant_id, article_id, form, section in connection.execute(_CHOICES, named):
        choices.setdefault(variant_id, []).append(_choice(article_id, form, section))
    rows = connection.execute(_VARIANTS, named).all()
    found = {
        edition.id: edition
        for edition in session.exec(_EDITIONS, params={"ids": list({row[1] for row in rows})})
    }
    return {
        number: Listed(
            found[edition], language, Chosen(tuple(choices.get(number, ())), left_out, tuple(related))
        )
        for number, edition, language, left_out, related in rows
    }


@lru_cache(maxsize=4_096)
def _choice(article_id: int, form: str, section: str) -> Choice:
    return Choice(article_id, Form(form), section)


def articles_of(session: Session, variant_id: int) -> list[VariantArticle]:
    """List a variant's articles in order."""
    query = select(VariantArticle).where(VariantArticle.variant_id == variant_id)
    return list(session.exec(query.order_by(col(VariantArticle.position))))


def find_largest(session: Session, edition_id: int) -> int | None:
    """Find the variant of an edition with the most articles."""
    query = (
        select(Variant.id)
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Variant.id))
        .where(Variant.edition_id == edition_id)
        .group_by(col(Variant.id))
        .order_by(func.count().desc(), col(Variant.id))
    )
    return session.exec(query.limit(1)).first()


def count_variants(session: Session) -> int:
    """Count the distinct lists of articles of all editions."""
    return session.exec(select(func.count()).select_from(Variant)).one()


def find_last_of(session: Session, subscription_id: int) -> tuple[Edition, list[Choice]] | None:
    """Find what a reader is taken to have got last: the edition, and its articles in order."""
    query = (
        select(Delivery.variant_id)
        .where(Delivery.subscription_id == subscription_id, is_counted())
        .where(col(Delivery.variant_id).is_not(None))
        .order_by(col(Delivery.id).desc())
    )
    variant_id = session.exec(query).first()
    if variant_id is None:
        return None
    found = get_variants(session, [variant_id])[variant_id]
    return found.edition, list(found.chosen.choices)
