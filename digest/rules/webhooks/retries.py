"""When a webhook that was not taken is tried again, and when its receiver is given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The schedule that Standard Webhooks recommends: ten attempts in three days."""

PATIENCE = timedelta(days=3)
"""A receiver that has taken nothing for so long is disabled."""

_LONGEST_WAIT = timedelta(days=1)
GONE = 410


@dataclass(frozen=True, slots=True)
class WebhookVerdict:
    """What follows from a failure: the next attempt, None to give the message up; whether to disable."""

    due_at: datetime | None
    disable: str = ""


def judge_failure(
    attempts: int, status: int | None, retry_after: str, failing_since: datetime | None, now: datetime
) -> WebhookVerdict:
    """Decide about a message after its `attempts`-th failure; `status` is None without an answer.

    410 says that the receiver wants no more. Whoever disables keeps the message: it waits to be replayed.
    """
    delay = _DELAYS[attempts - 1] if attempts <= len(_DELAYS) else None
    due_at = now + max(delay, read_wait(retry_after, now)) if delay is not None else None
    if status == GONE:
        return WebhookVerdict(due_at or now, "it answers 410: it wants no more webhooks")
    if failing_since is not None and now - failing_since >= PATIENCE:
        return WebhookVerdict(due_at or now, f"it has accepted nothing for {PATIENCE.days} days")
    return WebhookVerdict(due_at)


def read_wait(retry_after: str, now: datetime) -> timedelta:
    """Return how long a receiver asks to wait (RFC 9110, section 10.2.3), a day at most."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return min(timedelta(seconds=int(retry_after)), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError, IndexError, OverflowError):
        return timedelta()
    if at.tzinfo is None:
        return timedelta()
    return min(max(at - now, timedelta()), _LONGEST_WAIT)
