"""Attempts to sign in are counted for all processes, and nobody elsewhere can lock an editor out."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from digest.settings import Settings
from digest.tasks.desk.sign_in_limits import (
    FOR_AN_ADDRESS_ELSEWHERE,
    FOR_AN_ADDRESS_THERE,
    FROM_A_NETWORK,
    count_attempt,
    note_network,
    write_browser,
)
from digest.tasks.readers.expiry import keep_house
from tests.support.desks import Clock, Newsdesk

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
KEY, HOME, AWAY = "mara@courier.example", "192.0.2.0", "198.51.100.0"


@pytest.fixture
def newsdesk(settings: Settings) -> Iterator[Newsdesk]:
    newsdesk = Newsdesk(settings, Clock())
    yield newsdesk
    newsdesk.close()


def test_a_stranger_elsewhere_locks_no_editor_out(newsdesk: Newsdesk) -> None:
    note_network(newsdesk.app.desk, KEY, HOME, NOW)
    tried = [
        count_attempt(newsdesk.app.desk, KEY, f"203.0.{number // 8}.0", NOW)
        for number in range(FOR_AN_ADDRESS_ELSEWHERE + 1)
    ]
    assert tried == [True] * FOR_AN_ADDRESS_ELSEWHERE + [False]

    assert not count_attempt(newsdesk.app.desk, KEY, AWAY, NOW)
    assert count_attempt(newsdesk.app.desk, KEY, HOME, NOW)
    assert count_attempt(newsdesk.app.desk, "ben@courier.example", AWAY, NOW)


def test_limits_are_kept_in_the_database_and_end_with_the_hour(newsdesk: Newsdesk) -> None:
    tried = [count_attempt(newsdesk.app.desk, KEY, AWAY, NOW) for _ in range(FOR_AN_ADDRESS_THERE + 1)]
    assert tried == [True] * FOR_AN_ADDRESS_THERE + [False]
    assert count_attempt(newsdesk.app.desk, KEY, HOME, NOW)
    assert count_attempt(newsdesk.app.desk, KEY, AWAY, NOW + timedelta(hours=1))


def test_a_network_is_limited_whatever_addresses_it_tries(newsdesk: Newsdesk) -> None:
    tried = [count_attempt(newsdesk.app.desk, f"{n}@x.example", AWAY, NOW) for n in range(FROM_A_NETWORK + 1)]
    assert tried == [True] * FROM_A_NETWORK + [False]


def test_a_known_network_outlives_housekeeping_for_ninety_days(newsdesk: Newsdesk) -> None:
    note_network(newsdesk.app.desk, KEY, HOME, NOW)
    for days, known in ((80, True), (100, False)):
        later = NOW + timedelta(days=days)
        keep_house(newsdesk.app.desk.database, later)
        for number in range(FOR_AN_ADDRESS_ELSEWHERE):
            count_attempt(newsdesk.app.desk, KEY, f"203.0.{number // 8}.0", later)
        assert count_attempt(newsdesk.app.desk, KEY, HOME, later) == known


def test_a_stranger_in_an_editors_own_network_locks_nobody_out(newsdesk: Newsdesk) -> None:
    desk = newsdesk.app.desk
    note_network(desk, KEY, "192.0.2.7", NOW)
    browser = write_browser(desk, KEY, NOW)
    tried = [count_attempt(desk, KEY, "192.0.2.66", NOW) for _ in range(FOR_AN_ADDRESS_THERE + 1)]
    assert tried == [True] * FOR_AN_ADDRESS_THERE + [False]

    assert count_attempt(desk, KEY, "192.0.2.7", NOW)
    for number in range(FROM_A_NETWORK):  # ... who then uses up the whole network's attempts
        count_attempt(desk, f"{number}@x.example", "192.0.2.66", NOW)
    assert not count_attempt(desk, KEY, "192.0.2.7", NOW)
    assert count_attempt(desk, KEY, "192.0.2.66", NOW, browser=browser)


def test_a_known_browser_is_one_editors_for_ninety_days_and_has_a_limit_too(newsdesk: Newsdesk) -> None:
    desk, most = newsdesk.app.desk, FOR_AN_ADDRESS_THERE
    for _ in range(most):
        count_attempt(desk, KEY, AWAY, NOW)
    browser, others = write_browser(desk, KEY, NOW), write_browser(desk, "ben@courier.example", NOW)

    for cookie in (others, browser[:-4] + "AAAA", "", "nonsense"):
        assert not count_attempt(desk, KEY, AWAY, NOW, browser=cookie)
    tried = [count_attempt(desk, KEY, AWAY, NOW, browser=browser) for _ in range(most + 1)]
    assert tried == [True] * most + [False]
    later = NOW + timedelta(days=90)
    for _ in range(most):
        count_attempt(desk, KEY, AWAY, later)
    assert not count_attempt(desk, KEY, AWAY, later, browser=browser)
