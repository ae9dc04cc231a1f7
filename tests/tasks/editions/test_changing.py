"""Readers who change cadence, hour or zone at any moment: a sample of what `python -m tests.faults.changing` plays."""

import random

import pytest

from tests.faults.changing import faults_of, live, play
from tests.support.compilation import DAY, NOW, Newsroom


@pytest.mark.parametrize("seed", [1, 2])
def test_a_change_at_any_moment_neither_loses_nor_repeats_an_article(newsroom: Newsroom, seed: int) -> None:
    assert play(newsroom, seed, histories=12) == []


def test_the_histories_notice_an_article_that_never_came(newsroom: Newsroom) -> None:
    readers = [newsroom.subscribe()]
    published = live(newsroom, readers, random.Random(3))
    late = newsroom.publish(at=NOW + 100 * DAY)

    assert list(faults_of(newsroom, readers, published | {late})) == [
        f"reader {readers[0]} never got: [{late}]"
    ]
