"""Limits hold for all workers together: each takes its part."""

import pytest

from digest.rules.delivery.rate_limits import Domains, Limit


@pytest.mark.parametrize(
    ("workers", "rate", "at_once"), [(0, 12.0, 6), (1, 12.0, 6), (2, 6.0, 3), (4, 3.0, 1), (50, 0.24, 1)]
)
def test_workers_share_a_limit(workers: int, rate: float, at_once: int) -> None:
    assert Limit(12.0, 6).shared_by(workers) == Limit(rate, at_once)


def test_what_has_no_limit_has_none_for_several_workers_either() -> None:
    assert Limit().shared_by(8) == Limit()


def test_a_domain_keeps_its_part_whether_it_was_met_before_or_after_others_came() -> None:
    domains = Domains({"mail.example": Limit(8.0), "late.example": Limit(4.0)})
    before = domains.of("mail.example")

    domains.share(4)

    assert before.rate == 2.0
    assert domains.of("late.example").rate == 1.0
    domains.share(1)
    assert before.rate == 8.0
    assert domains.of("late.example").rate == 4.0
