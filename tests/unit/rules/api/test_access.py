"""What a token may do, and how often."""

from datetime import UTC, datetime, timedelta

from digest.models import ApiScope, Role
from digest.rules.api.access import PURPOSES, admit, role_for, scopes_within

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def test_every_scope_has_a_purpose_and_what_is_about_readers_needs_an_operator() -> None:
    assert set(PURPOSES) == set(ApiScope)
    for scope in ApiScope:
        if scope.startswith("readers:"):
            assert role_for(scope) == Role.OPERATOR


def test_a_role_hands_on_no_more_than_it_has() -> None:
    assert scopes_within(ApiScope, Role.OPERATOR) == set(ApiScope)
    assert ApiScope.ARTICLES_WITHDRAW not in scopes_within(ApiScope, Role.EDITOR)
    assert scopes_within(["articles:read", "made-up"], Role.EDITOR) == {ApiScope.ARTICLES_READ}


def test_an_allowance_is_whole_at_first_refills_evenly_and_is_no_larger_after_a_rest() -> None:
    full_at, allowed = None, 0
    for _ in range(15):
        decided = admit(full_at, NOW, 10)
        full_at, allowed = decided.full_at, allowed + decided.allowed
    assert allowed == 10
    assert admit(full_at, NOW, 10).wait == timedelta(seconds=6)
    assert admit(full_at, NOW + timedelta(seconds=6), 10).allowed
    full_at, allowed = full_at, 0
    for _ in range(15):
        decided = admit(full_at, NOW + timedelta(days=1), 10)
        full_at, allowed = decided.full_at, allowed + decided.allowed
    assert allowed == 10


def test_a_clock_that_was_set_back_blocks_for_a_minute_at_most() -> None:
    refused = admit(NOW + timedelta(days=7), NOW, 10)

    assert not refused.allowed
    assert refused.wait <= timedelta(minutes=1)
    assert admit(refused.full_at, NOW + timedelta(minutes=1), 10).allowed
