"""Editions, cohorts and variants: what compiling writes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Integer, String, case, column, insert, literal, values
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select, update

from digest.models import (
    OPEN,
    Article,
    CadenceStart,
    Cohort,
    Delivery,
    DeliveryState,
    Edition,
    EditionCohort,
    EditionState,
    Form,
    Subscriber,
    Subscription,
    SubscriptionState,
    Variant,
    VariantArticle,
    Withheld,
    is_counted,
)
from digest.rules.selection import Choice, Chosen


def find_edition(session: Session, digest: str, cadence: str, period: str) -> Edition | None:
    """Find the edition of a period."""
    query = select(Edition).where(
        Edition.digest == digest, Edition.cadence == cadence, Edition.period == period
    )
    return session.exec(query).first()


def list_editions(
    session: Session, *, digest: str | None = None, states: Sequence[str] = ()
) -> list[Edition]:
    """List editions, oldest first."""
    query = select(Edition).order_by(col(Edition.deadline_at), col(Edition.id))
    if digest:
        query = query.where(Edition.digest == digest)
    if states:
        query = query.where(col(Edition.state).in_(states))
    return list(session.exec(query))


def add_edition(session: Session, edition: Edition) -> Edition | None:
    """Enter an edition; None where its period has one already, whoever made it."""
    try:
        with session.begin_nested():
            session.add(edition)
            session.flush()
    except IntegrityError:
        return None
    return edition


def started_at(session: Session, digest: str, cadence: str, now: datetime) -> datetime:
    """Give when this cadence was first seen, entering `now` the first time."""
    row = session.get(CadenceStart, (digest, cadence))
    if row is None:
        row = CadenceStart(digest=digest, cadence=cadence, started_at=now)
        try:
            with session.begin_nested():
                session.add(row)
                session.flush()
        except IntegrityError:
            return now
    return row.started_at


def last_deadline(session: Session, digest: str, cadence: str) -> datetime | None:
    """Give the deadline of the latest edition of a cadence, skipped ones too."""
    query = select(func.max(Edition.deadline_at)).where(Edition.digest == digest, Edition.cadence == cadence)
    return session.exec(query).one()


def list_last_made(session: Session) -> list[Edition]:
    """List the latest frozen or finished edition of each cadence."""
    key = (col(Edition.digest), col(Edition.cadence))
    made = col(Edition.frozen_at).is_not(None)
    latest = select(*key, func.max(Edition.deadline_at).label("last")).where(made).group_by(*key).subquery()
    query = select(Edition).join(
        latest,
        (col(Edition.digest) == latest.c.digest)
        & (col(Edition.cadence) == latest.c.cadence)
        & (col(Edition.deadline_at) == latest.c.last),
    )
    return list(session.exec(query.where(made)))


def take_over(session: Session, edition: Edition, worker_id: int) -> Edition | None:
    """Take over the compiling of an edition; None where another worker was first."""
    taken = session.exec(
        update(Edition)
        .where(col(Edition.id) == edition.id, col(Edition.state) == EditionState.COMPILING)
        .where(col(Edition.compiler) == edition.compiler)
        .values(compiler=worker_id)
    ).rowcount
    return own_edition(session, edition.id or 0, worker_id) if taken else None


def own_edition(session: Session, edition_id: int, worker_id: int) -> Edition | None:
    """Give an edition that this worker is compiling, locked until the commit; None where it is not."""
    query = select(Edition).where(
        Edition.id == edition_id, Edition.state == EditionState.COMPILING, Edition.compiler == worker_id
    )
    return session.exec(query.with_for_update()).first()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A confirmed subscription that no cohort stands for yet."""

    subscription_id: int
    language: str | None
    topics: dict[str, str]


def next_range(session: Session, edition: Edition, size: int) -> int | None:
    """Give the last subscription id of the next key range to plan; None at the end."""
    page = (
        select(col(Subscription.id).label("id"))
        .where(col(Subscription.id) > edition.compiled_to, *_readers_of(edition))
        .order_by(col(Subscription.id))
        .limit(size)
        .subquery()
    )
    highest: int | None = session.exec(select(func.max(page.c.id))).one()
    return highest


def list_unplaced(session: Session, edition: Edition, last: int) -> list[Unplaced]:
    """List the readers of a key range that need a cohort."""
    query = (
        select(Subscription.id, Subscriber.language, Subscription.topics)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(*_in_range(edition, last), col(Subscription.cohort_id).is_(None))
        .order_by(col(Subscription.id))
    )
    return [Unplaced(i, language, dict(topics)) for i, language, topics in session.exec(query) if i]


def counted_history(
    session: Session, edition: Edition, last: int, seen_from: datetime
) -> dict[int, frozenset[int]]:
    """Give what the unplaced readers of a key range have, out of the ledger."""
    query = (
        select(Delivery.subscription_id, VariantArticle.article_id)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
        .join(Article, col(Article.id) == col(VariantArticle.article_id))
        .where(*_in_range(edition, last), col(Subscription.cohort_id).is_(None))
        .where(is_counted(), col(Article.first_seen_at) >= seen_from)
    )
    history: dict[int, set[int]] = {}
    for subscription_id, article_id in session.exec(query):
        history.setdefault(subscription_id, set()).add(article_id)
    return {subscription_id: frozenset(ids) for subscription_id, ids in history.items()}


def find_or_add_cohort(session: Session, cohort: Cohort) -> int:
    """Give the id of the cohort with this key, entering it the first time."""
    found = session.exec(select(Cohort.id).where(Cohort.key == cohort.key)).first()
    if found is not None:
        return found
    session.add(cohort)
    session.flush()
    assert cohort.id is not None  # noqa: S101 - flushed
    return cohort.id


def place(session: Session, subscription_ids: Sequence[int], cohort_id: int) -> None:
    """Let these subscriptions be stood for by a cohort."""
    for start in range(0, len(subscription_ids), 500):
        chunk = subscription_ids[start : start + 500]
        session.exec(update(Subscription).where(col(Subscription.id).in_(chunk)).values(cohort_id=cohort_id))


def unplace_where_history_is_short(
    session: Session, digest: str, cadence: str, needed_from: datetime
) -> None:
    """Take readers out of cohorts whose history does not reach back far enough (a longer `carry`)."""
    short = select(Cohort.id).where(
        Cohort.digest == digest, Cohort.cadence == cadence, col(Cohort.history_from) > needed_from
    )
    session.exec(update(Subscription).where(col(Subscription.cohort_id).in_(short)).values(cohort_id=None))


def undecided_cohorts(session: Session, edition: Edition, last: int) -> list[Cohort]:
    """List the cohorts of a key range that this edition has decided nothing for yet."""
    decided = select(EditionCohort.cohort_id).where(EditionCohort.edition_id == edition.id)
    present = select(Subscription.cohort_id).where(*_in_range(edition, last)).distinct()
    query = select(Cohort).where(col(Cohort.id).in_(present), col(Cohort.id).not_in(decided))
    return list(session.exec(query))


def decide_cohort(session: Session, edition_id: int, cohort_id: int, language: str, chosen: Chosen) -> None:
    """Record what a cohort gets: a variant, or none where nothing is new."""
    variant_id = _variant_of(session, edition_id, language, chosen) if chosen.choices else None
    session.add(EditionCohort(edition_id=edition_id, cohort_id=cohort_id, variant_id=variant_id))
    session.flush()


def _variant_of(session: Session, edition_id: int, language: str, chosen: Chosen) -> int:
    key = f"{chosen.key}-{language}"
    query = select(Variant.id).where(Variant.edition_id == edition_id, Variant.key == key)
    found = session.exec(query).first()
    if found is not None:
        return found
    variant = Variant(edition_id=edition_id, key=key, language=language, left_out=chosen.left_out)
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


def list_hours(session: Session, edition: Edition, last: int) -> list[tuple[str | None, int | None]]:
    """List the distinct (zone, hour) of the readers of a key range."""
    query = (
        select(Subscriber.timezone, Subscription.hour)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .where(*_in_range(edition, last))
        .distinct()
    )
    return list(session.exec(query))


def plan_range(
    session: Session,
    edition: Edition,
    last: int,
    due: Iterable[tuple[str | None, int | None, datetime]],
    now: datetime,
) -> int:
    """Plan the deliveries of one key range, withheld where nothing is new, and give how many."""
    moment = Delivery.__table__.c.due_at.type  # type: ignore[attr-defined]
    rows_due = [(zone or "", -1 if hour is None else hour, at) for zone, hour, at in due]
    hours = (
        values(column("zone", String), column("hour", Integer), column("due_at", moment), name="due")
        .data(rows_due)
        .cte("hours")  # SQLite names the columns of VALUES only there
    )
    is_empty = col(EditionCohort.variant_id).is_(None)
    rows = (
        select(  # type: ignore[call-overload]
            literal(edition.id),
            Subscription.id,
            EditionCohort.variant_id,
            case((is_empty, DeliveryState.WITHHELD.value), else_=DeliveryState.PLANNED.value),
            case((is_empty, Withheld.NOTHING_NEW.value), else_=""),
            hours.c.due_at, literal(0), literal(0), literal(""), literal(now, moment),
        )
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .join(EditionCohort, col(EditionCohort.cohort_id) == col(Subscription.cohort_id))
        .join(hours, (hours.c.zone == func.coalesce(Subscriber.timezone, ""))
              & (hours.c.hour == func.coalesce(Subscription.hour, -1)))
        .where(*_in_range(edition, last), EditionCohort.edition_id == edition.id)
    )  # fmt: skip
    names = [
        "edition_id", "subscription_id", "variant_id", "state", "reason", "due_at", "attempts", "resends",
        "reply_text", "changed_at",
    ]  # fmt: skip
    return int(session.connection().execute(insert(Delivery).from_select(names, rows)).rowcount)


def list_decisions(session: Session, edition_id: int) -> list[tuple[Cohort, int]]:
    """List the cohorts that got a variant in this edition, with it."""
    query = (
        select(Cohort, EditionCohort.variant_id)
        .join(EditionCohort, col(EditionCohort.cohort_id) == col(Cohort.id))
        .where(EditionCohort.edition_id == edition_id)
        .order_by(col(Cohort.id))
    )
    return [(cohort, variant_id) for cohort, variant_id in session.exec(query) if variant_id is not None]


def unplace_unplanned(session: Session, edition: Edition) -> None:
    """Take readers out of a mailed cohort who are in it but not in this edition."""
    mailed = select(EditionCohort.cohort_id).where(
        EditionCohort.edition_id == edition.id, col(EditionCohort.variant_id).is_not(None)
    )
    planned = select(Delivery.subscription_id).where(
        Delivery.edition_id == edition.id, col(Delivery.state).in_(OPEN)
    )
    session.exec(
        update(Subscription)
        .where(col(Subscription.cohort_id).in_(mailed), col(Subscription.id).not_in(planned))
        .values(cohort_id=None)
    )


def lift_keys(session: Session, cohorts: Sequence[Cohort]) -> None:
    """Free the keys of cohorts that all change at once, so that none merges into another's old self."""
    for cohort in cohorts:
        cohort.key = f"advancing-{cohort.id}"
        session.add(cohort)
    session.flush()


def merge_into(session: Session, cohort: Cohort, key: str) -> bool:
    """Move a cohort's readers into the one that already has this key; False where none has."""
    other = session.exec(select(Cohort.id).where(Cohort.key == key, col(Cohort.id) != cohort.id)).first()
    if other is None:
        return False
    session.exec(update(Subscription).where(col(Subscription.cohort_id) == cohort.id).values(cohort_id=other))
    cohort.key = f"merged-{cohort.id}"
    session.add(cohort)
    session.flush()
    return True


def get_variants(session: Session, ids: Collection[int]) -> dict[int, tuple[Edition, Variant, list[Choice]]]:
    """Give variants by id, each with its edition and its articles in order."""
    query = (
        select(Edition, Variant)
        .join(Variant, col(Variant.edition_id) == col(Edition.id))
        .where(col(Variant.id).in_(ids))
    )
    found: dict[int, tuple[Edition, Variant, list[Choice]]] = {}
    for edition, variant in session.exec(query):
        found[variant.id or 0] = edition, variant, []
    rows = select(
        VariantArticle.variant_id, VariantArticle.article_id, VariantArticle.form, VariantArticle.section
    ).where(col(VariantArticle.variant_id).in_(ids))
    ordered = rows.order_by(col(VariantArticle.variant_id), col(VariantArticle.position))
    for variant_id, article_id, form, section in session.exec(ordered):
        found[variant_id][2].append(Choice(article_id, Form(form), section))
    return found


def articles_of(session: Session, variant_id: int) -> list[VariantArticle]:
    """List a variant's articles in order."""
    query = select(VariantArticle).where(VariantArticle.variant_id == variant_id)
    return list(session.exec(query.order_by(col(VariantArticle.position))))


def count_variants(session: Session) -> int:
    """Count the distinct lists of articles of all editions."""
    return session.exec(select(func.count()).select_from(Variant)).one()


def set_state(session: Session, edition: Edition, state: EditionState, reason: str = "") -> None:
    """Put an edition into a state and say why."""
    edition.state = state
    edition.reason = reason
    session.add(edition)
    session.flush()


def pause(session: Session, edition_id: int, reason: str, *, retry_at: datetime | None) -> None:
    """Pause a frozen edition and say why; `retry_at` None leaves it to the operator."""
    session.exec(
        update(Edition)
        .where(col(Edition.id) == edition_id, col(Edition.state) == EditionState.FROZEN)
        .values(state=EditionState.PAUSED, reason=reason, retry_at=retry_at)
    )


def pause_frozen(session: Session, reason: str, *, digest: str | None, retry_at: datetime) -> None:
    """Pause every frozen edition (of a digest): the fault is with us or the relay, not with a reader."""
    for edition in list_editions(session, digest=digest, states=[EditionState.FROZEN]):
        pause(session, edition.id or 0, reason, retry_at=retry_at)


def resume_retried(session: Session, now: datetime | None) -> None:
    """Let editions that a fault paused go on: those whose time has come, or all of them without `now`."""
    change = update(Edition).where(
        col(Edition.state) == EditionState.PAUSED, col(Edition.retry_at).is_not(None)
    )
    if now is not None:
        change = change.where(col(Edition.retry_at) <= now)
    session.exec(change.values(state=EditionState.FROZEN, reason="", retry_at=None))


def _readers_of(edition: Edition) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Subscription.digest) == edition.digest,
        col(Subscription.cadence) == edition.cadence,
        col(Subscription.state) == SubscriptionState.CONFIRMED,
        col(Subscription.confirmed_at) <= edition.freeze_at,
    )


def _in_range(edition: Edition, last: int) -> tuple[ColumnElement[bool], ...]:
    key = col(Subscription.id)
    return (key > edition.compiled_to, key <= last, *_readers_of(edition))
