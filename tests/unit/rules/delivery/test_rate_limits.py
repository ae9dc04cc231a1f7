"""How fast messages may begin: stated and learned limits, and a warm-up's days."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from digest.models import Outcome, Reply, Stage
from digest.rules.delivery.rate_limits import (
    Allowance,
    Domains,
    Limit,
    Pace,
    allowance_of,
    domain_of,
    is_too_fast,
)


def begun(pace: Pace, until: float, step: float = 0.01) -> int:
    """Begin whenever it may be, from 0 to `until`; give how often."""
    count, now = 0, 0.0
    while now < until:
        if pace.may_begin(now):
            pace.begin(now)
            pace.end()
            count += 1
        now += step
    return count


def test_a_rate_is_kept_and_never_made_up_for_in_a_burst() -> None:
    pace = Pace(Limit(rate=10))
    assert begun(pace, 10, 0.001) in range(98, 102)
    assert pace.may_begin(1_000)
    pace.begin(1_000)
    assert not pace.may_begin(1_000.05)


def test_no_more_go_at_once_than_is_allowed() -> None:
    pace = Pace(Limit(at_once=2))
    pace.begin(0)
    pace.begin(0)
    assert not pace.may_begin(0)
    pace.end()
    assert pace.may_begin(0)


def test_a_request_to_slow_down_halves_what_was_tried() -> None:
    pace = Pace()
    for tenth in range(50):
        pace.begin(tenth / 10)
    pace.slow_down(5.0)
    assert pace.learned == pytest.approx(5, rel=0.1)
    assert not pace.may_begin(5.1)


def test_requests_from_the_same_spell_count_once() -> None:
    pace = Pace()
    for tenth in range(50):
        pace.begin(tenth / 10)
    for _ in range(10):
        pace.slow_down(5.0)
    assert pace.learned == pytest.approx(5, rel=0.1)
    pace.slow_down(9.0)
    assert pace.learned == pytest.approx(2.5, rel=0.1)


def test_it_never_stops_altogether() -> None:
    pace = Pace()
    pace.begin(0)
    for minute in range(1, 60):
        pace.slow_down(minute * 100.0)
    assert pace.learned >= 1 / 60


def test_a_learned_limit_is_given_back_slowly_and_forgotten() -> None:
    pace = Pace()
    for tenth in range(50):
        pace.begin(tenth / 10)
    pace.slow_down(5.0)
    halved = pace.learned
    pace.speed_up(20.0)
    assert pace.learned == halved
    pace.speed_up(36.0)
    assert pace.learned == halved * 1.25
    for step in range(1, 40):
        pace.speed_up(36.0 + 31 * step)
    assert pace.learned == 0


def test_a_stated_limit_holds_whatever_was_learned() -> None:
    pace = Pace(Limit(rate=2))
    pace.learned = 5
    assert pace.rate == 2


def test_domains_that_nothing_is_known_of_are_forgotten_and_others_are_not() -> None:
    domains = Domains({"stated.example": Limit(rate=1)})
    slowed = domains.of("slowed.example")
    slowed.learned = 3
    stated = domains.of("stated.example")
    for number in range(3_000):
        domains.of(f"d{number}.example")
    assert domains.of("slowed.example") is slowed
    assert domains.of("stated.example") is stated
    assert domains.slowed() == {"slowed.example": 3}
    assert len(domains._paces) <= 1_001


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "text", "expected"),
    [
        (Stage.RCPT, 450, "4.7.1", "rate limit exceeded", True),
        (Stage.DOT, 421, "4.7.28", "unusual rate of mail", True),
        (Stage.MAIL, 454, "4.7.0", "Throttling failure", False),  # no code for it
        (Stage.RCPT, 451, "", "too many messages, slow down", True),
        (Stage.RCPT, 452, "4.4.5", "congested", True),
        (Stage.RCPT, 450, "4.2.0", "greylisted", False),
        (Stage.RCPT, 452, "4.2.2", "mailbox full", False),
        (Stage.RCPT, 550, "5.7.1", "rate", False),
        (Stage.CONNECT, 421, "", "too many connections", False),
    ],
)
def test_what_asks_to_slow_down(stage: Stage, code: int, enhanced: str, text: str, expected: bool) -> None:
    assert is_too_fast(Outcome(stage, Reply(code, enhanced, text))) is expected


def test_no_reply_does_not_ask_to_slow_down() -> None:
    assert not is_too_fast(Outcome(Stage.DOT, None, fault="lost"))


@pytest.mark.parametrize(
    ("now", "messages"),
    [
        (datetime(2026, 11, 30, 22, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 30, 23, 0, tzinfo=UTC), 50),  # it is the first of December in Paris
        (datetime(2026, 12, 2, 12, tzinfo=UTC), 100),
        (datetime(2026, 12, 3, 12, tzinfo=UTC), None),
    ],
)
def test_a_warm_up_allows_what_its_day_says(now: datetime, messages: int | None) -> None:
    zone = ZoneInfo("Europe/Paris")
    found = allowance_of([50, 100], date(2026, 12, 1), now, zone)
    assert (found and found.messages) == messages
    if found:
        assert found == Allowance(
            found.messages, datetime(*now.astimezone(zone).timetuple()[:3], tzinfo=zone)
        )


def test_an_addresses_domain_is_compared_in_lower_case() -> None:
    assert domain_of("Ann@Example.COM") == "example.com"
