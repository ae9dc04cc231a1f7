"""What failures say of an address, and when there have been enough."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.models import BounceWeight
from digest.rules.delivery.bounce_score import (
    AddressVerdict,
    Evidence,
    is_above_line,
    judge_address,
    must_pause,
    must_warn,
    weigh,
)

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
HARD, SOFT, OURS = BounceWeight.HARD, BounceWeight.SOFT, BounceWeight.OURS


def soft(*days_ago: int) -> list[Evidence]:
    return [Evidence(NOW - timedelta(days=days), SOFT) for days in days_ago]


@pytest.mark.parametrize(
    ("reason", "permanent", "delayed", "weight"),
    [
        ("unknown user", True, False, HARD),
        ("unknown user", False, False, SOFT),
        ("mailbox full", True, False, SOFT),
        ("reputation", True, False, OURS),
        ("content", True, False, OURS),
        ("policy", False, False, OURS),
        ("undetermined", True, False, SOFT),
        ("unknown user", True, True, BounceWeight.NONE),
    ],
)
def test_a_failure_weighs_by_its_reason(
    reason: str, permanent: bool, delayed: bool, weight: BounceWeight
) -> None:
    assert weigh(reason, permanent=permanent, delayed=delayed) is weight


def test_one_hard_bounce_suppresses_and_blocks_of_ours_never_do() -> None:
    assert judge_address([Evidence(NOW, HARD)], None, NOW) is AddressVerdict.SUPPRESS
    assert judge_address([Evidence(NOW, OURS)] * 50, None, NOW) is AddressVerdict.KEEP


@pytest.mark.parametrize(
    ("days", "verdict"),
    [
        ((1, 2, 3, 4, 5), AddressVerdict.KEEP),
        ((1, 5, 9, 14), AddressVerdict.KEEP),
        ((0, 4, 8, 12, 15), AddressVerdict.PROBE),
        ((90, 80, 70, 65, 1), AddressVerdict.KEEP),
    ],
)
def test_soft_bounces_bring_a_probe_once_they_are_many_and_long(
    days: tuple[int, ...], verdict: AddressVerdict
) -> None:
    assert judge_address(soft(*days), None, NOW) is verdict


def test_a_probe_that_fails_suppresses_and_one_that_does_not_clears_what_was_before() -> None:
    before = soft(30, 25, 20, 15, 10)
    probed = NOW - timedelta(days=9)
    failed = [*before, Evidence(probed + timedelta(days=1), SOFT)]

    assert judge_address(failed, probed, NOW) is AddressVerdict.SUPPRESS
    assert judge_address(before, probed, NOW) is AddressVerdict.KEEP
    assert judge_address(before, NOW - timedelta(days=1), NOW) is AddressVerdict.KEEP


def test_complaints_warn_at_a_thousandth_and_pause_at_three_and_five() -> None:
    assert (must_warn(1, 1_000), must_warn(1, 1_001), must_warn(0, 0)) == (True, False, False)
    assert (must_pause(5, 1_600), must_pause(5, 1_700), must_pause(4, 4)) == (True, False, False)


@pytest.mark.parametrize(
    ("returned", "tried", "is_above"),
    [(4, 4, False), (5, 250, False), (5, 249, True), (2_000, 100_000, False), (2_001, 100_000, True)],
)
def test_more_than_two_percent_and_at_least_five_messages_need_attention(
    returned: int, tried: int, is_above: bool
) -> None:
    assert is_above_line(returned, tried) is is_above
