"""Count what happened in a span of time, by the database, in flat memory."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast
from sqlalchemy import func as sql
from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select

from digest.models import (
    Article,
    Bounce,
    Complaint,
    ConsentEvent,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Letter,
    Subscriber,
    Subscription,
    SubscriptionState,
    VariantArticle,
)
from digest.models.cadence import REQUEST, WELCOME
from digest.models.ledger import DailyFigures

_AT_ONCE = 5_000
_OWN = (REQUEST, WELCOME)
_ARTICLES, _ANSWERED = 10, 50
_RECEIVERS = 12
_FEWEST = 5
"""A domain with fewer readers is among the others: it might be one person's own."""

OTHERS = "others"


def list_days(session: Session, since: str) -> list[DailyFigures]:
    """List the figures from a day on, the oldest first."""
    query = select(DailyFigures).where(DailyFigures.day >= since)
    return list(session.exec(query.order_by(col(DailyFigures.day))))


def known_days(session: Session, since: str) -> set[str]:
    """Return the days from one on that have figures."""
    return set(session.exec(select(DailyFigures.day).where(DailyFigures.day >= since)))


def count_acts(session: Session, begin: datetime, end: datetime) -> dict[str, int]:
    """Count what readers did (asked, confirmed, changed, left), their bounces, complaints and letters."""

    def within(at: Any) -> tuple[Any, Any]:
        return at >= begin, at < end

    events = (
        columns(ConsentEvent.act, func.count())  # type: ignore[call-overload]
        .where(*within(col(ConsentEvent.at)))
        .group_by(col(ConsentEvent.act))
    )
    found: dict[str, int] = {}
    for act, number in session.execute(events):
        found[act] = number
    for table, name in ((Bounce, "bounced"), (Complaint, "complained"), (Letter, "letters")):
        number = session.exec(select(func.count()).where(*within(col(table.at)))).one()
        if number:
            found[name] = number
    return found


def count_letters(session: Session, begin: datetime, end: datetime) -> list[list[Any]]:
    """List the articles that letters of a span answer, as [id, title, letters], those with most first.

    Letters that answer no article, such as those that answer a whole edition, are not in it.
    """
    letters = func.count()
    query = (
        columns(Article.id, Article.title, letters)  # type: ignore[call-overload]
        .select_from(Letter)
        .join(Article, col(Article.id) == col(Letter.article_id))
        .where(col(Letter.at) >= begin, col(Letter.at) < end)
        .group_by(col(Article.id), col(Article.title))
        .order_by(letters.desc(), col(Article.id))
        .limit(_ANSWERED)
    )
    return [[number, title, count] for number, title, count in session.execute(query)]


def count_readers(session: Session) -> dict[str, Any]:
    """Count subscriptions as they stand: by digest and state, and the confirmed ones by cadence and topic."""
    states = session.execute(
        columns(Subscription.digest, Subscription.state, func.count()).group_by(  # type: ignore[call-overload]
            col(Subscription.digest), col(Subscription.state)
        )
    )
    confirmed = col(Subscription.state) == SubscriptionState.CONFIRMED
    written = cast(col(Subscription.topics), String)  # PostgreSQL cannot group by JSON
    chosen = session.execute(
        columns(Subscription.digest, Subscription.cadence, written, func.count())  # type: ignore[call-overload]
        .where(confirmed)
        .group_by(col(Subscription.digest), col(Subscription.cadence), written)
        .execution_options(yield_per=_AT_ONCE)
    )
    readers: dict[str, dict[str, int]] = {}
    for digest, state, number in states:
        readers.setdefault(digest, {})[state] = number
    cadences: dict[str, Counter[str]] = {}
    topics: dict[str, Counter[str]] = {}
    for digest, cadence, chosen_topics, number in chosen:
        cadences.setdefault(digest, Counter())[cadence] += number
        for topic in json.loads(chosen_topics):
            topics.setdefault(digest, Counter())[topic] += number
    return {"readers": readers, "cadences": cadences, "topics": topics}


def describe_finished(session: Session, begin: datetime, end: datetime) -> list[dict[str, Any]]:
    """Describe the editions that finished in a span: deliveries by state, by receiver, readers by article.

    Editions for one reader, and first editions, are left out: they would tell who got what.
    """
    query = select(Edition).where(
        col(Edition.finished_at) >= begin,
        col(Edition.finished_at) < end,
        Edition.state == EditionState.FINISHED,
        col(Edition.cadence).not_in(_OWN),
    )
    return [_describe(session, one) for one in session.exec(query.order_by(col(Edition.finished_at)))]


def _describe(session: Session, edition: Edition) -> dict[str, Any]:
    states: Counter[str] = Counter()
    domains: dict[str, Counter[str]] = {}
    for domain, state, number in session.execute(_by_domain(session, edition)):
        states[state] += number
        domains.setdefault(domain, Counter())[state] += number
    return {
        "name": str(edition.name),
        "path": edition.name.path,
        "minutes": _minutes(edition),
        "states": states,
        "receivers": _largest(domains),
        **_describe_articles(session, edition),
    }


def _by_domain(session: Session, edition: Edition) -> Any:
    key = col(Subscriber.address_key)
    domain = (
        sql.substr(key, sql.instr(key, "@") + 1)
        if session.get_bind().dialect.name == "sqlite"
        else sql.split_part(key, "@", 2)
    ).label("domain")
    return (
        columns(domain, Delivery.state, func.count())  # type: ignore[call-overload]
        .select_from(Delivery)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(col(Delivery.edition_id) == edition.id)
        .group_by(domain, col(Delivery.state))
        .execution_options(yield_per=_AT_ONCE)
    )


def _largest(domains: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Keep the largest domains by name; the small ones, and who was erased, are among the others."""
    ordered = sorted(domains, key=lambda name: (-domains[name].total(), name))
    named = [name for name in ordered if "." in name and domains[name].total() >= _FEWEST][:_RECEIVERS]
    found = {name: domains[name] for name in named}
    others: Counter[str] = Counter()
    for name in ordered:
        if name not in found:
            others += domains[name]
    return found | ({OTHERS: others} if others else {})


def _describe_articles(session: Session, edition: Edition) -> dict[str, list[list[Any]]]:
    """Return the articles that most readers got, as [title, topics, readers], and all of them by topic.

    A topic is [topic, articles, how often one of them reached a reader].
    """
    accepted = (
        columns(Delivery.variant_id, func.count().label("readers"))  # type: ignore[call-overload]
        .where(col(Delivery.edition_id) == edition.id, col(Delivery.state) == DeliveryState.ACCEPTED)
        .group_by(col(Delivery.variant_id))
        .subquery()
    )
    readers = sql.sum(accepted.c.readers)
    query = (
        columns(Article.title, Article.topics, readers)  # type: ignore[call-overload]
        .select_from(VariantArticle)
        .join(accepted, accepted.c.variant_id == col(VariantArticle.variant_id))
        .join(Article, col(Article.id) == col(VariantArticle.article_id))
        .group_by(col(Article.id))
        .order_by(readers.desc(), col(Article.id))
    )
    most: list[list[Any]] = []
    topics: dict[str, list[int]] = {}
    for title, own, number in session.execute(query):
        if len(most) < _ARTICLES:
            most.append([title, own, int(number)])
        for topic in own:
            counts = topics.setdefault(topic, [0, 0])
            counts[0] += 1
            counts[1] += int(number)
    return {"articles": most, "topics": [[topic, *counts] for topic, counts in topics.items()]}


def _minutes(edition: Edition) -> int | None:
    """Return the minutes from the deadline to the last reply; None where an editor published earlier."""
    if edition.finished_at is None or edition.finished_at < edition.deadline_at:
        return None
    return int((edition.finished_at - edition.deadline_at).total_seconds() // 60)
