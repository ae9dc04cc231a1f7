"""Which names are time zones."""

import pytest

from digest.clock import is_time_zone, time_zones


def test_every_zone_of_the_list_is_one() -> None:
    assert len(time_zones()) > 400
    assert all(map(is_time_zone, time_zones()))


@pytest.mark.parametrize(
    "name",
    [
        "", "Europe", "Europe/Pariss", "Europe/Paris/", "Europe//Paris", "./UTC", "../zoneinfo/UTC", "/etc/passwd",
        "posix/Europe/Paris", "right/UTC", "posixrules", "zone.tab", "a\0b", "\ud800", "é", "x" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_none(name: str) -> None:
    assert not is_time_zone(name)
    assert name not in time_zones()
