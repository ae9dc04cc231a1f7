"""While an edition is being delivered, mail that comes in takes a tenth of a processor at most."""

import pytest

from digest.net.inbound.lmtp import FloodPace


def test_a_flood_waits_nine_times_as_long_as_it_works_while_an_edition_is_delivered() -> None:
    now, worked, is_delivering = 100.0, 0.0, True
    pace = FloodPace(lambda: is_delivering, lambda: now, lambda: worked)

    worked = 0.002
    assert pace.pause() == pytest.approx(0.018)
    worked = 0.004  # another connection, at the same time: it waits behind the first
    assert pace.pause() == pytest.approx(0.036)

    now, worked = 101.0, 0.005
    assert pace.pause() == pytest.approx(0.009)
    is_delivering, worked = False, 0.5
    assert pace.pause() == 0.0


def test_no_answer_waits_longer_than_a_mail_server_does() -> None:
    worked = 0.0
    pace = FloodPace(lambda: True, lambda: 0.0, lambda: worked)

    worked = 1_000.0
    assert pace.pause() == 60.0
