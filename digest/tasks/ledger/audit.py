"""Prove it: the sums of every edition, and why a reader has an article or not."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.errors import InputError, UsageError
from digest.models import (
    OPEN,
    Article,
    DeliveryState,
    Edition,
    EditionState,
    Subscription,
    SubscriptionState,
    counts,
)
from digest.models.row import row_id
from digest.rules.delivery.rate_limits import LEARNED_FOR, allowance_of
from digest.rules.editions import cadence as calendar
from digest.rules.editions.arrangement import UNSHAPED, Arrangement
from digest.rules.editions.selection import choose, since, why_not
from digest.rules.readers.address import normalise
from digest.settings import Settings
from digest.store.articles import articles, corrections, duplicates
from digest.store.delivery import deliveries, hot_path, learned_limits
from digest.store.editions import drafts, editions
from digest.store.readers import subscribers
from digest.tasks.editions.candidates import candidate, candidates, limits_of, shape_of


@dataclass(frozen=True, slots=True)
class Account:
    """An edition's sum: total = accepted + failed + withheld + uncertain + open."""

    digest: str
    cadence: str
    period: str
    state: str
    total: int
    accepted: int
    failed: int
    withheld: int
    uncertain: int
    open: int

    @property
    def ok(self) -> bool:
        """Tell whether the sum is whole: a finished edition has nothing open, any other may be under way."""
        settled = self.accepted + self.failed + self.withheld + self.uncertain
        whole = self.total == settled + self.open
        return whole and (self.state != EditionState.FINISHED or self.open == 0)


def audit(session: Session, edition: str | None = None) -> dict[str, Any]:
    """Give {ok, editions}; ok only where every edition is finished or skipped and its sum is whole."""
    accounts = [account(session, row) for row in find_named(session, edition)]
    closed = (EditionState.FINISHED, EditionState.SKIPPED)
    ok = all(item.ok and item.state in closed for item in accounts)
    return {"ok": ok, "editions": [asdict(item) for item in accounts]}


def account(session: Session, edition: Edition) -> Account:
    """Sum up an edition's deliveries, each counted once by its state."""
    counts = deliveries.count_states(session, row_id(edition))
    return Account(
        edition.digest,
        edition.cadence,
        edition.period,
        edition.state,
        total=sum(counts.values()),
        accepted=counts.get(DeliveryState.ACCEPTED, 0),
        failed=counts.get(DeliveryState.FAILED, 0),
        withheld=counts.get(DeliveryState.WITHHELD, 0),
        uncertain=counts.get(DeliveryState.UNCERTAIN, 0),
        open=sum(counts.get(state, 0) for state in OPEN),
    )


def status(session: Session, edition: str | None = None) -> list[dict[str, Any]]:
    """Give each edition's sum with its times, what is next, and why deliveries failed or were withheld."""
    report = []
    for row in find_named(session, edition):
        reasons = [
            {"state": state, "reason": reason, "count": count}
            for state, reason, count in deliveries.count_reasons(session, row_id(row))
        ]
        next_due = deliveries.next_due_at(session, row_id(row))
        report.append(
            asdict(account(session, row))
            | {
                "deadline_at": row.deadline_at.isoformat(),
                "frozen_at": row.frozen_at.isoformat() if row.frozen_at else None,
                "finished_at": row.finished_at.isoformat() if row.finished_at else None,
                "next_due_at": next_due.isoformat() if next_due else None,
                "reason": row.reason,
                "reasons": reasons,
            }
        )
    return report


def slowed_by(session: Session, settings: Settings, now: datetime) -> list[str]:
    """Say what keeps deliveries from going faster: limits that are stated or learned, and a warm-up."""
    told = []
    plan = settings.smtp.warm_up
    today = plan and allowance_of(plan.messages, plan.begins_on, now, settings.zone)
    if today:
        begun = hot_path.count_begun(session.connection(), today.day_began_at)
        if begun >= today.messages:
            told.append(f"warm-up: {begun} of the {today.messages} messages that today allows have gone")
    for row in learned_limits.list_slowed(session, now - LEARNED_FOR):
        at = row.slowed_at.astimezone(settings.zone)
        told.append(f"{row.name}: asked to slow down at {at:%H:%M}; {row.rate:.2g} messages a second")
    for name, limit in settings.smtp.domains.items():
        stated = [f"{limit.rate:g} messages a second"] if limit.rate else []
        stated += [f"{limit.connections} at once"] if limit.connections else []
        told.append(f"{name}: the settings allow {' and '.join(stated) or 'anything'}")
    if settings.smtp.rate:
        told.append(f"the settings allow {settings.smtp.rate:g} messages a second")
    return told


def find_named(session: Session, name: str | None) -> list[Edition]:
    """Find editions by "DIGEST", "DIGEST CADENCE" or "DIGEST CADENCE PERIOD" (also joined by "/")."""
    every = editions.list_editions(session)
    if not name:
        return every
    wanted = name.replace("/", " ").split()
    found = [e for e in every if [e.digest, e.cadence, e.period][: len(wanted)] == wanted]
    if not found:
        known = "; ".join(str(e.name) for e in every[-3:]) or "none yet"
        raise UsageError(f'there is no edition "{name}"; the latest are: {known}')
    return found


def why(session: Session, settings: Settings, address: str, article: str, now: datetime) -> dict[str, Any]:
    """Explain from the ledger why a reader has an article, or by the rules why not."""
    key = normalise(address).key
    subscriber = subscribers.find_subscriber(session, key)
    if subscriber is None:
        raise InputError(f'there is no subscriber "{address}"; "digest subscribers list" shows them')
    found = articles.find_article_named(session, article)
    if found is None:
        raise InputError(f'there is no article "{article}"; "digest articles list" shows their ids and URLs')
    reasons = [
        _why(session, settings, subscription, found, now)
        for subscription in subscribers.list_subscriptions(session, row_id(subscriber))
    ]
    best = _best(reasons) or {"included": False, "reason": "no subscription", "edition": None, "state": None}
    return {"address": subscriber.address, "article": found.id, "title": found.title} | best


def _best(reasons: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    return next(iter(sorted(reasons, key=lambda reason: not reason["included"])), None)


def _why(
    session: Session, settings: Settings, subscription: Subscription, article: Article, now: datetime
) -> dict[str, Any]:
    story = duplicates.story_of(session, row_id(article))
    held = [item for one in story for item in deliveries.find_holding(session, row_id(subscription), one)]
    root = session.get_one(Article, story[0])
    by_fold = "" if root.id == article.id else f"it is folded into article {root.id} of {root.source}; "
    for delivery, edition, row in sorted(held, key=lambda item: not counts(item[0].state, item[0].reason)):
        name = str(edition.name)
        counted = counts(delivery.state, delivery.reason)
        which = "it is" if row.article_id == article.id else f"article {row.article_id} is"
        reason = f"{which} number {row.position + 1} of the reader's variant" + (
            f", under {row.section}" if row.section else ""
        )
        if not counted:
            again = "it was withdrawn" if article.withdrawn_at else "it comes again"
            reason = f"the delivery that held it is {delivery.state} ({delivery.reason}): {again}"
        elif article.withdrawn_at:
            reason += f"; it was withdrawn at {article.withdrawn_at.isoformat(timespec='seconds')}"
        reason += _corrected(session, subscription, article)
        return {"included": counted, "reason": by_fold + reason, "edition": name, "state": delivery.state}
    reason = _why_not_yet(session, settings, subscription, root, now)
    return {"included": False, "reason": by_fold + reason, "edition": None, "state": None}


def _corrected(session: Session, subscription: Subscription, article: Article) -> str:
    """Say what the reader was told of an article afterwards."""
    told = ""
    for notice in corrections.list_of(session, [row_id(article)]).get(row_id(article), []):
        delivery = corrections.find_delivery(session, notice, row_id(subscription))
        if delivery is not None:
            why_so = f" ({delivery.reason})" if delivery.reason else ""
            told += f"; a correction of it is {delivery.state}{why_so}"
    return told


def _why_not_yet(
    session: Session, settings: Settings, subscription: Subscription, article: Article, now: datetime
) -> str:
    if subscription.state != SubscriptionState.CONFIRMED:
        return f"the subscription to {subscription.digest} is {subscription.state}"
    if article.withdrawn_at or article.hidden_at:
        return "an editor has withdrawn it" if article.withdrawn_at else "an editor has hidden it"
    digest = settings.digest(subscription.digest)
    limits = limits_of(digest)
    topics = since(subscription.topics, digest.lookback)
    history = deliveries.history_of(session, row_id(subscription))
    shape = _coming_shape(session, settings, subscription, now)
    if article.held_back and article.id not in shape.added:
        return f"it is held back: {article.held_back}"
    refusal = why_not(candidate(session, article, now), topics, history, now, limits, shape)
    if refusal:
        return refusal
    found = candidates(session, seen_from=now - digest.carry, seen_to=now, shape=shape)
    chosen = choose(found, topics, history, now, limits, shape)
    if article.id in {choice.article_id for choice in chosen.choices}:
        return f"it is in the reader's next edition of {digest.name}, which is not made yet"
    return f"{limits.max_articles} newer or pinned articles come first; it rolls over until it is too old"


def _coming_shape(
    session: Session, settings: Settings, subscription: Subscription, now: datetime
) -> Arrangement:
    """Give what editors decided so far about the reader's next edition."""
    digest, cadence = settings.digest(subscription.digest), subscription.cadence
    if cadence not in digest.cadences:
        return UNSHAPED
    coming = calendar.following(digest.cadence(cadence), now, settings.zone)
    return shape_of(drafts.find_draft(session, digest.name, cadence, coming.period))


def schedule(session: Session, settings: Settings, now: datetime) -> list[dict[str, Any]]:
    """Give the next deadline of each digest's cadence, and the latest edition made."""
    rows = []
    for digest in settings.digests:
        for name in digest.cadences:
            coming = calendar.following(digest.cadence(name), now, settings.zone)
            made = [e for e in editions.list_editions(session, digest=digest.name) if e.cadence == name]
            rows.append(
                {
                    "digest": digest.name,
                    "cadence": name,
                    "written": digest.cadences[name],
                    "period": coming.period,
                    "deadline_at": coming.deadline_at.astimezone(settings.zone).isoformat(),
                    "latest": made[-1].period if made else None,
                }
            )
    return rows
