"""How often somebody may try to sign in: counted in the database, so it holds for all processes and restarts.

Attempts count by address and network together, so nobody elsewhere can lock an editor out. What is tried from
networks where an editor never signed in counts by address alone as well, so many networks together cannot
guess for long.
"""

from datetime import datetime

from sqlmodel import Session

from digest.rules.readers.sign_up_limits import hour_of
from digest.rules.tokens.tokens import keyed_hash
from digest.store.readers import sign_up_counts
from digest.tasks.desk.desk import Desk

FROM_A_NETWORK, FOR_AN_ADDRESS_THERE, FOR_AN_ADDRESS_ELSEWHERE = 60, 10, 100
"""Attempts in an hour by the clock: from a network, for one address there, and from all unknown networks."""


def count_attempt(desk: Desk, key: str, network: str, now: datetime) -> bool:
    """Count one attempt to sign in; return False, counting nothing, where one of the limits is reached."""
    hour = hour_of(now)
    with desk.database.write() as session:
        limits = {
            _hash(desk, "network", network): FROM_A_NETWORK,
            _hash(desk, "address there", key, network): FOR_AN_ADDRESS_THERE,
        }
        if not _is_known(session, desk, key, network):
            limits[_hash(desk, "address", key)] = FOR_AN_ADDRESS_ELSEWHERE
        if any(sign_up_counts.find_count(session, one, hour) >= most for one, most in limits.items()):
            return False
        for one in limits:
            sign_up_counts.count_sign_up(session, one, hour)
    return True


def note_network(desk: Desk, key: str, network: str, now: datetime) -> None:
    """Remember for 90 days that an editor signed in from a network."""
    with desk.database.write() as session:
        sign_up_counts.note_signed_in(session, _hash(desk, "signed in", key, network), hour_of(now))


def _is_known(session: Session, desk: Desk, key: str, network: str) -> bool:
    return any(
        sign_up_counts.has_signed_in(session, _hash(desk, "signed in", key, network, ring=ring))
        for ring in range(len(desk.keys))
    )


def _hash(desk: Desk, *parts: str, ring: int = 0) -> str:
    return keyed_hash(desk.keys[ring], "\0".join(("sign-in", *parts)))
