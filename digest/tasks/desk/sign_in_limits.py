"""Limits on attempts to sign in, counted in the database: they hold across processes and restarts.

Attempts are counted by address and client together, and by network, so that nobody elsewhere can lock an
editor out. Attempts from networks where an editor never signed in are also counted by address alone, so that
many networks together cannot guess for long. A browser in which the editor signed in before is counted on its
own, so that nobody in the same network can lock it out either.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from digest.rules.readers.origins import find_block
from digest.rules.readers.sign_up_limits import hour_of
from digest.rules.tokens.sealed_values import seal, unseal
from digest.rules.tokens.tokens import keyed_hash
from digest.store.readers import sign_up_counts
from digest.tasks.desk.desk import Desk

FROM_A_NETWORK, FOR_AN_ADDRESS_THERE, FOR_AN_ADDRESS_ELSEWHERE = 60, 10, 100
"""Attempts in an hour by the clock: from a network, for one address from one client or known browser, and for
one address from all unknown networks."""

BROWSER_LIFE = timedelta(days=90)
"""How long a browser is known after its editor signed in."""

_BROWSER = "desk browser"


def count_attempt(desk: Desk, key: str, origin: str, now: datetime, *, browser: str = "") -> bool:
    """Count an attempt to sign in; return False, counting nothing, if a limit is reached.

    `origin` is the client's address, `browser` the cookie made by `write_browser`.
    """
    hour, known = hour_of(now), _find_browser(desk, key, browser, now)
    with desk.database.write() as session:
        if known:
            limits = {_hash(desk, "browser", key, known): FOR_AN_ADDRESS_THERE}
        else:
            limits = _limits_of(session, desk, key, origin)
        if any(sign_up_counts.find_count(session, one, hour) >= most for one, most in limits.items()):
            return False
        for one in limits:
            sign_up_counts.count_sign_up(session, one, hour)
    return True


def _limits_of(session: Session, desk: Desk, key: str, origin: str) -> dict[str, int]:
    """Return the counts of an attempt from an unknown browser, each with its limit."""
    network = find_block(origin)
    limits = {
        _hash(desk, "network", network): FROM_A_NETWORK,
        _hash(desk, "address there", key, origin): FOR_AN_ADDRESS_THERE,
    }
    if not _is_known(session, desk, key, network):
        limits[_hash(desk, "address", key)] = FOR_AN_ADDRESS_ELSEWHERE
    return limits


def write_browser(desk: Desk, key: str, now: datetime) -> str:
    """Return the cookie that marks a browser in which an editor has signed in."""
    return seal(desk.keys, _BROWSER, _hash(desk, "known", key), desk.new_token(), now.isoformat())


def _find_browser(desk: Desk, key: str, cookie: str, now: datetime) -> str:
    """Return the random name of an editor's known browser; "" for any other."""
    values = unseal(desk.keys, _BROWSER, cookie) if cookie else None
    if values is None or now - datetime.fromisoformat(values[2]) >= BROWSER_LIFE:
        return ""
    owners = (_hash(desk, "known", key, ring=ring) for ring in range(len(desk.keys)))
    return values[1] if values[0] in owners else ""


def note_network(desk: Desk, key: str, origin: str, now: datetime) -> None:
    """Store for 90 days that an editor signed in from a client's network."""
    network = find_block(origin)
    with desk.database.write() as session:
        sign_up_counts.note_signed_in(session, _hash(desk, "signed in", key, network), hour_of(now))


def _is_known(session: Session, desk: Desk, key: str, network: str) -> bool:
    return any(
        sign_up_counts.has_signed_in(session, _hash(desk, "signed in", key, network, ring=ring))
        for ring in range(len(desk.keys))
    )


def _hash(desk: Desk, *parts: str, ring: int = 0) -> str:
    return keyed_hash(desk.keys[ring], "\0".join(("sign-in", *parts)))
