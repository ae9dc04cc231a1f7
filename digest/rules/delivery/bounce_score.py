"""What failures prove about an address: the weight of each, and when they are enough (M3AAWG, RFC 3463)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.models import BounceWeight

WINDOW = timedelta(days=60)
LEAST_SOFT = 5
LEAST_SPAN = timedelta(days=14)
PROBE_WAIT = timedelta(days=7)
"""How long a probe may take to come back: servers try for five days (RFC 5321 4.5.4.1)."""

WARN_RATE, PAUSE_RATE, LEAST_COMPLAINTS = 0.001, 0.003, 5
"""Shares of an edition's accepted messages: Gmail and Yahoo ask senders to stay below the first and never
to reach the second."""

BOUNCE_RATE, LEAST_RETURNED = 0.02, 5
"""Mailing services ask senders to clean their list before a fiftieth of its messages comes back."""

HARD_REASONS = frozenset({"unknown user", "unknown host", "mailbox disabled", "moved"})
"""Permanent reasons: nobody reads mail at that address."""

SENDER_REASONS = frozenset({
    "authentication", "reputation", "content", "policy", "rate limited", "greylisted", "relaying denied",
    "message too big",
})  # fmt: skip
"""What a server holds against the sender or the message: it says nothing about the reader."""


class AddressVerdict(StrEnum):
    """What to do about an address."""

    KEEP = "keep"
    PROBE = "probe"
    SUPPRESS = "suppress"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One bounce, as the score uses it."""

    at: datetime
    weight: BounceWeight


def is_above_line(returned: int, tried: int) -> bool:
    """Return whether so many of the messages were refused or came back that somebody has to look."""
    return returned >= LEAST_RETURNED and returned > BOUNCE_RATE * tried


def weigh(reason: str, *, permanent: bool, delayed: bool) -> BounceWeight:
    """Decide how much one failure counts.

    A full mailbox is soft whatever its class, because it may be emptied. What a server holds against the
    sender or the message never counts against the reader. A warning about a delay counts nothing.
    """
    if delayed:
        return BounceWeight.NONE
    if reason in SENDER_REASONS:
        return BounceWeight.OURS
    if reason in HARD_REASONS:
        return BounceWeight.HARD if permanent else BounceWeight.SOFT
    return BounceWeight.SOFT


def judge_address(evidence: Sequence[Evidence], probed_at: datetime | None, now: datetime) -> AddressVerdict:
    """Decide about an address from its bounces.

    A hard bounce suppresses at once. Soft ones do so only through a probe: five within 60 days that span two
    weeks or more cause one, and a failure after it suppresses. If no failure follows within a week, earlier
    bounces no longer count.
    """
    recent = [one for one in evidence if now - one.at <= WINDOW]
    if any(one.weight is BounceWeight.HARD for one in recent):
        return AddressVerdict.SUPPRESS
    soft = [one.at for one in recent if one.weight is BounceWeight.SOFT]
    if probed_at is not None:
        after = [at for at in soft if at > probed_at]
        if any(at - probed_at <= PROBE_WAIT for at in after):
            return AddressVerdict.SUPPRESS
        soft = after
        if now - probed_at <= PROBE_WAIT:
            return AddressVerdict.KEEP
    enough = len(soft) >= LEAST_SOFT and max(soft) - min(soft) >= LEAST_SPAN
    return AddressVerdict.PROBE if enough else AddressVerdict.KEEP


def must_pause(complaints: int, accepted: int) -> bool:
    """Decide whether complaints pause an edition: 0.3 % of what was accepted, and at least five."""
    return complaints >= LEAST_COMPLAINTS and complaints >= PAUSE_RATE * max(accepted, 1)


def must_warn(complaints: int, accepted: int) -> bool:
    """Decide whether the desk warns: from 0.1 % on."""
    return complaints > 0 and complaints >= WARN_RATE * max(accepted, 1)
