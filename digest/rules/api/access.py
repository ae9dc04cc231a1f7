"""Which scopes a role may hand on to a token, what each is for, and how many requests a token may make."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.models import ApiScope, Role

PURPOSES: dict[ApiScope, str] = {
    ApiScope.ARTICLES_READ: "read the article store",
    ApiScope.ARTICLES_WRITE: "send in articles, and change those that were sent in",
    ApiScope.ARTICLES_WITHDRAW: "withdraw articles",
    ApiScope.EDITIONS_READ: "read drafts, editions and their deliveries by state",
    ApiScope.FIGURES_READ: "read the daily figures",
    ApiScope.READERS_READ: "read readers' choices and states, without names and addresses",
    ApiScope.READERS_ADDRESSES: "read readers' names and addresses too",
    ApiScope.READERS_WRITE: "sign readers up, change their choices, end their subscriptions",
}
"""What a scope allows, as the desk and the documentation say it."""

_NEEDS: dict[ApiScope, Role] = {
    ApiScope.ARTICLES_WITHDRAW: Role.PUBLISHER,
    ApiScope.READERS_READ: Role.OPERATOR,
    ApiScope.READERS_ADDRESSES: Role.OPERATOR,
    ApiScope.READERS_WRITE: Role.OPERATOR,
}
_SPAN = timedelta(minutes=1)


def role_for(scope: ApiScope) -> Role:
    """Return the role that may hand a scope on: the one that may do the same at the desk."""
    return _NEEDS.get(scope, Role.EDITOR)


def scopes_within(scopes: Iterable[str], role: Role) -> frozenset[ApiScope]:
    """Return which of some scopes a role may hand on."""
    known = {ApiScope(scope) for scope in scopes if scope in list(ApiScope)}
    return frozenset(scope for scope in known if role.includes(role_for(scope)))


@dataclass(frozen=True, slots=True)
class Admittance:
    """The decision on a request; `full_at` is to be stored, `wait` is how long to wait if it is refused."""

    allowed: bool
    full_at: datetime
    wait: timedelta = timedelta()


def admit(full_at: datetime | None, now: datetime, per_minute: int) -> Admittance:
    """Decide about one request: `per_minute` may come at once, and as many in each minute after that.

    The allowance is a bucket that refills evenly; `full_at` is when it is full again (the generic cell rate
    algorithm), so that one instant is all that is kept of a token's requests. A clock that was set back
    blocks nobody for longer than a minute.
    """
    before = min(max(full_at or now, now), now + _SPAN)
    after = before + _SPAN / per_minute
    if after - now > _SPAN:
        return Admittance(False, before, after - now - _SPAN)
    return Admittance(True, after)
