"""Explain why a reader has an article, or why not."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.errors import InputError
from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    Draft,
    Edition,
    EditionState,
    Subscription,
    SubscriptionState,
    counts,
)
from digest.models.row import row_id
from digest.rules.editions.selection import since
from digest.rules.readers.address import normalise
from digest.settings import Settings
from digest.store.articles import articles, duplicates
from digest.store.delivery import deliveries
from digest.store.editions import corrections, drafts
from digest.store.readers import subscribers
from digest.tasks.editions.candidates import Selection, candidate
from digest.tasks.editions.coming import next_occurrence, next_open


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
    best = _best(reasons) or _NOTHING | {"reason": "no subscription"}
    if best["included"]:
        skipped = [one["reason"] for one in reasons if _LEFT_OUT in one["reason"]]
        best["reason"] = "; ".join((best["reason"], *skipped))
    return {"address": subscriber.address, "article": found.id, "title": found.title} | best


_LEFT_OUT = " leaves it out: it skips "

_NOTHING: dict[str, Any] = {
    "included": False, "reason": "", "edition": None, "state": None, "reply": None, "next_try_at": None,
}  # fmt: skip


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
        stopped = _find_stop(delivery, edition, subscription)
        return {
            "included": counted,
            "reason": by_fold + reason + (f"; {stopped}" if stopped else ""),
            "edition": name,
            "state": delivery.state,
        } | _next(delivery, is_stopped=bool(stopped))
    reason = _why_not_yet(session, settings, subscription, root, now)
    return _NOTHING | {"reason": by_fold + reason}


_WAITS = (DeliveryState.PLANNED, DeliveryState.DEFERRED)


def _find_stop(delivery: Delivery, edition: Edition, subscription: Subscription) -> str:
    """Return why a message that waits is not tried when it is due; "" if it is."""
    if delivery.state not in _WAITS:
        return ""
    if subscription.state == SubscriptionState.PAUSED:
        return "the reader has paused: it is not sent"
    if subscription.state != SubscriptionState.CONFIRMED:
        return "the reader has left: it is not sent"
    if edition.state == EditionState.PAUSED and edition.retry_at is None:
        return "the edition is paused until `digest resume`"
    return ""


def _next(delivery: Delivery, *, is_stopped: bool) -> dict[str, Any]:
    """Return the server's last reply about a message that waits, and when it is tried next."""
    waits = delivery.state in _WAITS
    return {
        "reply": (delivery.reason or delivery.reply_text or None) if waits else None,
        "next_try_at": delivery.due_at.isoformat() if waits and not is_stopped else None,
    }


def _corrected(session: Session, subscription: Subscription, article: Article) -> str:
    """Return which corrections of an article the reader got."""
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
    topics = since(subscription.topics, digest.lookback_of(subscription.cadence))
    own = deliveries.history_of(session, row_id(subscription))
    history = own | deliveries.history_of(session, row_id(subscription), digest.skip)
    draft = _coming_draft(session, settings, subscription, now)
    selection = Selection.read(session, digest, now, draft)
    if article.held_back and article.id not in selection.shape.added:
        return f"it is held back: {article.held_back}"
    found = candidate(session, article, now)
    if article.id not in own and not history.isdisjoint((found.id, *found.folded)):
        return f"{digest.name}{_LEFT_OUT}{' and '.join(digest.skip)}, which brought it"
    refusal = selection.why_not(found, topics, history)
    if refusal:
        return refusal
    fewest = digest.fewest(subscription.min_articles)
    chosen = selection.choose(topics, history, subscription.max_articles, fewest)
    if chosen.waits:
        days = f"{digest.max_wait.total_seconds() / 86_400:g} days"
        return (
            f"it waits for more: {chosen.left_out} of {fewest} articles are new for the reader;"
            f" what has waited for {days} is sent all the same"
        )
    if article.id in {choice.article_id for choice in chosen.choices}:
        return f"it is in the reader's next edition of {digest.name}, which is not made yet"
    most = min(digest.max_articles, subscription.max_articles or digest.max_articles)
    return f"{most} newer or pinned articles come first; it rolls over until it is too old"


def _coming_draft(
    session: Session, settings: Settings, subscription: Subscription, now: datetime
) -> Draft | None:
    """Find the draft of the reader's next edition."""
    digest, cadence = settings.digest(subscription.digest), subscription.cadence
    if cadence not in digest.cadences:
        return None
    for find in (next_open, next_occurrence):
        coming = find(session, settings, digest, cadence, now)
        draft = drafts.find_draft(session, digest.name, cadence, coming.period)
        if draft is not None:
            return draft
    return None
