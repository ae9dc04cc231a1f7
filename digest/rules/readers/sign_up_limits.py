"""Limits on sign-ups: what counts as the same mailbox, and how many are allowed in an hour."""

from datetime import UTC, datetime

_IGNORES_DOTS = frozenset({"gmail.com", "googlemail.com"})
_SAME_DOMAIN = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
    "yandex.by": "yandex.ru",
    "yandex.kz": "yandex.ru",
}


def mailbox_of(key: str) -> str:
    """Return the key of the mailbox behind an address key: the part after "+" is dropped.

    Most hosts deliver name+anything@ to name@ (RFC 5233), so signing up with many tags would mail one person
    many times. Gmail ignores dots as well, and some providers have several domains for each mailbox. If a
    host treats the tag as part of the name, the limit is only stricter. Example:
    an.na+news@googlemail.com becomes anna@gmail.com.
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
    """Decide whether a count exceeds an hourly limit.

    `current` counts the running hour with this event, `before` the previous hour, weighted by its share of
    the last sixty minutes, so that no more than the limit passes around the full hour.
    """
    elapsed = (now.timestamp() % 3600) / 3600
    return current + before * (1 - elapsed) > limit
