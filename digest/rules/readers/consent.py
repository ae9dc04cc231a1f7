"""What a reader may be asked, and what follows from each act."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from digest.models import SubscriptionState, SuppressionReason

CONFIRMATION_LIFE = timedelta(days=7)
EVERY_TOPIC = "*"

_DAY, _QUARTER = timedelta(hours=24), timedelta(days=90)
_MOST_IN_QUARTER = 3

_PENDING, _CONFIRMED = SubscriptionState.PENDING, SubscriptionState.CONFIRMED
_PAUSED, _ENDED = SubscriptionState.PAUSED, SubscriptionState.ENDED


_SUPPRESSED: dict[str, str] = {
    SuppressionReason.LEFT: "unsubscribed in another tool before",
    SuppressionReason.BOUNCE: "mail to it bounced",
    SuppressionReason.COMPLAINT: "complained about spam",
    SuppressionReason.ERASED: "erased on request",
    SuppressionReason.OPERATOR: "suppressed by the operator",
    SuppressionReason.LIFTED: "was suppressed until the operator lifted that",
}


class Deed(StrEnum):
    """An act on a subscription."""

    ASK = "ask"
    CONFIRM = "confirm"
    PAUSE = "pause"
    RESUME = "resume"
    LEAVE = "leave"


_FOLLOWS = {
    (None, Deed.ASK): _PENDING,
    (_PENDING, Deed.ASK): _PENDING,
    (_ENDED, Deed.ASK): _PENDING,
    (_PENDING, Deed.CONFIRM): _CONFIRMED,
    (_CONFIRMED, Deed.PAUSE): _PAUSED,
    (_PAUSED, Deed.PAUSE): _PAUSED,
    (_PAUSED, Deed.RESUME): _CONFIRMED,
    (_PENDING, Deed.LEAVE): _ENDED,
    (_CONFIRMED, Deed.LEAVE): _ENDED,
    (_PAUSED, Deed.LEAVE): _ENDED,
}


def next_state(state: str | None, deed: Deed) -> SubscriptionState | None:
    """Return the state that an act leads to; None if it changes nothing.

    Only a confirmation makes a subscription active (confirmed opt-in, M3AAWG).
    """
    return _FOLLOWS.get((None if state is None else SubscriptionState(state), deed))


def may_ask(state: str | None, asked: Iterable[datetime], now: datetime) -> bool:
    """Decide whether a confirmation may be mailed to an address, from when it was asked before.

    At most one in 24 hours and three in 90 days, whoever types the address into a form; none if there is
    nothing to confirm.
    """
    if next_state(state, Deed.ASK) is None:
        return False
    recent = [at for at in asked if now - at < _QUARTER]
    return len(recent) < _MOST_IN_QUARTER and all(now - at >= _DAY for at in recent)


def lifted_by_confirming(reason: str) -> bool:
    """Decide whether the address's holder can lift a suppression by confirming again.

    The holder may revoke leaving, a bounce, a complaint and an erasure, but not an operator's ban.
    """
    return reason != SuppressionReason.OPERATOR


def explain_suppression(reason: str, since: datetime) -> str:
    """Explain why an address is suppressed, since when, and what would lift that."""
    how = (
        "a confirmed sign-up by the reader ends that"
        if lifted_by_confirming(reason)
        else "no sign-up ends that, `digest subscribers unsuppress` does"
    )
    return f"{_SUPPRESSED.get(reason, reason)} ({since:%Y-%m-%d}); {how}"


def explain_departure(since: datetime | None) -> str:
    """Explain when a reader left, and what would bring the reader back."""
    when = f" on {since:%Y-%m-%d}" if since else ""
    return f"unsubscribed here{when}; only a confirmed sign-up by the reader ends that"


def has_expired(expires_at: datetime, now: datetime) -> bool:
    """Decide whether a confirmation came too late."""
    return now >= expires_at


def list_topics(kept: Iterable[str]) -> tuple[str, ...]:
    """Return the topics that a subscription names; none means every topic."""
    return tuple(topic for topic in kept if topic != EVERY_TOPIC)


def choose_topics(current: Mapping[str, str], chosen: Sequence[str], now: datetime) -> dict[str, str]:
    """Return each chosen topic with the ISO time when it was added; no choice means every topic.

    A topic that was chosen before, by itself or by `*`, keeps its time: its older articles stay candidates.
    """
    stamp = now.isoformat()
    if not chosen or EVERY_TOPIC in chosen:
        return {EVERY_TOPIC: current.get(EVERY_TOPIC, stamp)}
    before = current.get(EVERY_TOPIC, stamp)
    return {topic: current.get(topic, before) for topic in sorted(set(chosen))}
