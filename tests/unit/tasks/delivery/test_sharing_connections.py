"""How many connections one worker of several may open to a relay."""

import time

import pytest

from digest.models import Outcome, Stage
from digest.net.smtp import Relay
from digest.tasks.delivery.relays import RelayConnections
from digest.tasks.delivery.run import RelayLimits


def relay(connections: int, *, is_stated: bool = True) -> RelayConnections:
    return RelayConnections(RelayLimits(Relay("mail.example", 25), connections, is_stated=is_stated))


@pytest.mark.parametrize(("workers", "share"), [(1, 10), (2, 5), (3, 3), (4, 2), (10, 1), (11, 1)])
def test_workers_share_what_is_stated_and_each_may_have_one(workers: int, share: int) -> None:
    found = relay(10)
    found.share(workers)
    assert found.allowed(time.monotonic()) == share


def test_a_default_is_each_workers_own() -> None:
    found = relay(10, is_stated=False)
    found.share(4)
    assert found.allowed(time.monotonic()) == 10


def test_a_share_grows_again_when_other_workers_end() -> None:
    found = relay(10)
    found.share(4)
    found.share(1)
    assert found.allowed(time.monotonic()) == 10


def test_after_a_refusal_neither_limit_is_exceeded() -> None:
    found, now = relay(10), time.monotonic()
    found.couriers = {object(), object(), object()}  # type: ignore[arg-type]
    assert found.note_refusal(Outcome(Stage.CONNECT, None, fault="refused"), now)
    assert found.allowed(now) == 3
    found.share(5)
    assert found.allowed(now) == 2
    assert found.has_too_many()
