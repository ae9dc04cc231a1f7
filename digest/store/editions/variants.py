"""Variants: the distinct lists of articles of an edition; together with the deliveries they are the
ledger."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert
from sqlmodel import Session, case, col, func, select

from digest.models import (
    Article,
    Delivery,
    Edition,
    Form,
    MailForm,
    Variant,
    VariantArticle,
    is_counted,
)
from digest.models.row import row_id
from digest.rules.editions.selection import Choice, Chosen
from digest.store.articles.articles import in_parts

# Plain SQL, as in store.delivery.claims: a list is one row, with its articles as lines of JSON.
_LISTS = (
    "SELECT id, edition_id, language, left_out, mail_form, CAST(related AS TEXT), (SELECT {lines} FROM"
    " (SELECT {line} AS line, position FROM variant_article WHERE variant_id = variant.id ORDER BY position)"
    " AS listed) FROM variant WHERE id"
)
_FIELDS = "(article_id, form, section)"
_OF_SQLITE = _LISTS.format(lines="group_concat(line, char(10))", line="json_array" + _FIELDS)
_OF_POSTGRESQL = _LISTS.format(
    lines="string_agg(line, chr(10) ORDER BY position)", line=f"CAST(json_build_array{_FIELDS} AS TEXT)"
)
_IN_JSON = " IN (SELECT value FROM json_each(?))"
_IN_ARRAY = " = ANY(%s)"
# Built once: building a statement takes longer than running it.
_EDITIONS = select(Edition).where(col(Edition.id).in_(bindparam("ids", expanding=True)))


class StoredVariant(NamedTuple):
    """A stored variant: a list of articles in an edition and a language."""

    edition: Edition
    language: str
    chosen: Chosen


def find_or_add_variant(session: Session, edition_id: int, language: str, chosen: Chosen) -> int:
    """Return the id of the edition's variant with this list and language, inserting it if it is new."""
    return find_or_add_variants(session, edition_id, [(language, chosen)])[0]


def find_or_add_variants(
    session: Session, edition_id: int, wanted: Sequence[tuple[str, Chosen]]
) -> list[int]:
    """Return the ids of the edition's variants with these lists and languages, inserting new ones."""
    keys = [f"{chosen.key}-{language}" for language, chosen in wanted]
    known = _find_keys(session, edition_id, keys)
    new = {key: one for key, one in zip(keys, wanted, strict=True) if key not in known}
    rows = [
        Variant(
            edition_id=edition_id, key=key, language=language, left_out=chosen.left_out,
            mail_form=chosen.mail_form, related=list(chosen.related),
        )
        for key, (language, chosen) in new.items()
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    known |= {row.key: row_id(row) for row in rows}
    articles = [
        {
            "variant_id": known[key], "position": position, "article_id": choice.article_id,
            "form": choice.form, "section": choice.section,
        }
        for key, (_, chosen) in new.items()
        for position, choice in enumerate(chosen.choices)
    ]  # fmt: skip
    if articles:
        session.connection().execute(insert(VariantArticle), articles)
    return [known[key] for key in keys]


def _find_keys(session: Session, edition_id: int, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in in_parts(dict.fromkeys(keys)):
        query = select(Variant.key, Variant.id).where(Variant.edition_id == edition_id)
        rows = session.exec(query.where(col(Variant.key).in_(part)))
        found |= {key: number for key, number in rows if number is not None}
    return found


def list_recent_articles(
    session: Session, ids: Collection[int], seen_from: datetime
) -> dict[int, frozenset[int]]:
    """Return the articles of variants that were first seen from a moment on."""
    found: dict[int, set[int]] = {number: set() for number in ids}
    for part in in_parts(ids):
        query = (
            select(VariantArticle.variant_id, VariantArticle.article_id)
            .join(Article, col(Article.id) == col(VariantArticle.article_id))
            .where(col(VariantArticle.variant_id).in_(part), col(Article.first_seen_at) >= seen_from)
        )
        for variant_id, article_id in session.exec(query):
            found[variant_id].add(article_id)
    return {number: frozenset(articles) for number, articles in found.items()}


def find_fullest(session: Session, edition_id: int, language: str, *, of_first: int = 20) -> int | None:
    """Return the variant with the most articles among an edition's first ones, best in a language.

    None if it has none.
    """
    is_other = case((col(Variant.language) == language, 0), else_=1)
    first = (
        select(Variant.id)
        .where(Variant.edition_id == edition_id)
        .order_by(is_other, col(Variant.id))
        .limit(of_first)
    )
    ids = list(session.exec(first))
    counted = (
        select(VariantArticle.variant_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .where(col(VariantArticle.variant_id).in_(ids))
        .group_by(col(VariantArticle.variant_id), is_other)
        .order_by(is_other, func.count().desc(), col(VariantArticle.variant_id))
    )
    return session.exec(counted.limit(1)).first() if ids else None


def get_variants(session: Session, ids: Collection[int]) -> dict[int, StoredVariant]:
    """Return variants by id: plain rows, because each of many readers may have a list of their own."""
    rows = _rows(session.connection(), ids)
    found = {
        edition.id: edition
        for edition in session.exec(_EDITIONS, params={"ids": list({row[1] for row in rows})})
    }
    return {
        number: StoredVariant(
            found[edition],
            language,
            Chosen(_choices(lines), left_out, _related(related), MailForm(mail_form)),
        )
        for number, edition, language, left_out, mail_form, related, lines in rows
    }


def _rows(connection: Connection, ids: Collection[int]) -> list[tuple[Any, ...]]:
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        cursor.execute(_OF_SQLITE + _IN_JSON, (json.dumps(list(ids)),))
    else:
        cursor.execute(_OF_POSTGRESQL + _IN_ARRAY, (list(ids),))
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _choices(lines: str | None) -> tuple[Choice, ...]:
    return tuple(map(_choice, lines.split("\n"))) if lines else ()


@lru_cache(maxsize=4_096)
def _choice(line: str) -> Choice:
    article_id, form, section = json.loads(line)
    return Choice(article_id, Form(form), section)


@lru_cache(maxsize=256)
def _related(stored: str) -> tuple[int, ...]:
    return tuple(json.loads(stored))


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


def list_printed(session: Session, digest: str, seen_from: datetime) -> frozenset[int]:
    """Return the ids of the articles that the digest's editions hold, those first seen from a moment on."""
    query = (
        select(VariantArticle.article_id)
        .join(Variant, col(Variant.id) == col(VariantArticle.variant_id))
        .join(Edition, col(Edition.id) == col(Variant.edition_id))
        .join(Article, col(Article.id) == col(VariantArticle.article_id))
        .where(Edition.digest == digest, col(Edition.frozen_at).is_not(None))
        .where(col(Article.first_seen_at) >= seen_from)
        .distinct()
    )
    return frozenset(session.exec(query))


def list_counted(session: Session, subscription_id: int, limit: int) -> list[StoredVariant]:
    """List a reader's counted editions, the latest first."""
    query = (
        select(Delivery.variant_id)
        .where(Delivery.subscription_id == subscription_id, is_counted())
        .where(col(Delivery.variant_id).is_not(None))
        .order_by(col(Delivery.id).desc())
        .limit(limit)
    )
    ids = [number for number in session.exec(query) if number is not None]
    found = get_variants(session, ids) if ids else {}
    return [found[number] for number in ids]


def find_last_of(session: Session, subscription_id: int) -> tuple[Edition, list[Choice]] | None:
    """Find a reader's last counted edition and its articles in order."""
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
