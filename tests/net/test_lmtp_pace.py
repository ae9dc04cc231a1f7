"""While an edition is being delivered, mail that comes in takes a twentieth of the time at most."""

import pytest

from digest.net.inbound.pace import FloodPace


def test_a_flood_waits_nineteen_times_as_long_as_it_works_while_an_edition_is_delivered() -> None:
    now, worked, is_delivering = 100.0, 0.0, True
    pace = FloodPace(lambda: is_delivering, lambda: now, lambda: worked)

    worked = 0.002
    assert pace.pause() == pytest.approx(0.038)
    worked = 0.004  # another connection, at the same time: it waits behind the first
    assert pace.pause() == pytest.approx(0.076)

    now, worked = 101.0, 0.005
    assert pace.pause() == pytest.approx(0.019)
    now = 102.0
    assert pace.pause(elsewhere=0.01) == pytest.approx(0.19)  # a thread that stores, and its disk
    is_delivering, worked = False, 0.5
    assert pace.pause() == 0.0


def test_no_answer_waits_longer_than_a_mail_server_does() -> None:
    worked = 0.0
    pace = FloodPace(lambda: True, lambda: 0.0, lambda: worked)

    worked = 1_000.0
    assert pace.pause() == 60.0
