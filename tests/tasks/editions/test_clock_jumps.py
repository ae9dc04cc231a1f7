"""A clock that jumps, back or forth: no article comes twice, and none is lost."""

import random
from datetime import timedelta

import pytest

from tests.faults.changing import faults_of
from tests.support.compilation import DAY, NOW, Newsroom

FURTHEST = NOW + 10 * DAY


@pytest.mark.parametrize("seed", range(4))
def test_a_clock_that_jumps_repeats_and_loses_nothing(newsroom: Newsroom, seed: int) -> None:
    chance = random.Random(seed)
    readers = [newsroom.subscribe(zone=zone) for zone in (None, "Pacific/Auckland", "Pacific/Honolulu")]
    newsroom.compile(NOW - DAY, at_once=False)
    published = set()
    for _ in range(25):
        now = NOW + timedelta(minutes=chance.randrange(0, 10 * 24 * 60))
        if chance.random() < 0.4:
            published.add(newsroom.publish(at=now))
        newsroom.compile(now, at_once=chance.random() < 0.2)
    for day in range(6):
        newsroom.compile(FURTHEST + day * DAY, at_once=False)

    assert list(faults_of(newsroom, readers, published)) == []


def test_a_clock_put_back_makes_no_edition_again(newsroom: Newsroom) -> None:
    newsroom.subscribe()
    newsroom.compile(NOW - DAY, at_once=False)
    newsroom.publish()
    newsroom.compile(NOW + DAY, at_once=False)
    made = len(newsroom.deliveries())

    for back in (timedelta(minutes=1), timedelta(hours=3), DAY, 7 * DAY):
        assert [one for one in newsroom.compile(NOW + DAY - back, at_once=False) if one.made] == []
    assert len(newsroom.deliveries()) == made == 1
