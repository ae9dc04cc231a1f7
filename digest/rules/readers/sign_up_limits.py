"""Limits on sign-ups: what counts as the same mailbox, and how many an hour are let through."""

from datetime import UTC, datetime

_IGNORES_DOTS = frozenset({"gmail.com", "googlemail.com"})
_SAME_DOMAIN = {"googlemail.com": "gmail.com"}


def mailbox_of(key: str) -> str:
    """Return what stands for the mailbox of an address key: the part after "+" is dropped.

    Most hosts deliver name+anything@ to name@ (RFC 5233), so whoever signs up with many tags would mail one
    person many times. Gmail ignores dots as well. Where a host takes the tag for a part of the name, the
    limit is only stricter. Example: an.na+news@googlemail.com gives anna@gmail.com.
    """
    local, _, domain = key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _IGNORES_DOTS:
        local = local.replace(".", "")
    return f"{local}@{_SAME_DOMAIN.get(domain, domain)}"


def hour_of(now: datetime) -> int:
    """Return the number of the hour since 1970."""
    return int(now.astimezone(UTC).timestamp()) // 3600


def exceeds(limit: int, before: int, current: int, now: datetime) -> bool:
    """Decide whether a count passes an hourly limit.

    `current` counts the running hour with this event, `before` the hour before it, of which the share within
    the last sixty minutes counts. So no moment lets twice the limit through at the turn of an hour.
    """
    elapsed = (now.timestamp() % 3600) / 3600
    return current + before * (1 - elapsed) > limit
