from datetime import UTC, datetime, timedelta

import pytest

from digest.models import SuppressionReason
from digest.rules.readers.consent import (
    Deed,
    choose_topics,
    explain_departure,
    explain_suppression,
    has_expired,
    lifted_by_confirming,
    may_ask,
    next_state,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "deed", "becomes"),
    [
        (None, Deed.ASK, "pending"),
        ("ended", Deed.ASK, "pending"),
        ("confirmed", Deed.ASK, None),
        ("paused", Deed.ASK, None),
        ("pending", Deed.CONFIRM, "confirmed"),
        ("ended", Deed.CONFIRM, None),
        ("confirmed", Deed.PAUSE, "paused"),
        ("pending", Deed.PAUSE, None),
        ("paused", Deed.RESUME, "confirmed"),
        ("ended", Deed.RESUME, None),
        ("paused", Deed.LEAVE, "ended"),
        ("ended", Deed.LEAVE, None),
    ],
)
def test_each_deed_leads_to_one_state(state: str | None, deed: Deed, becomes: str | None) -> None:
    assert next_state(state, deed) == becomes


@pytest.mark.parametrize(
    ("hours_ago", "allowed"),
    [
        ([], True),
        ([23.99], False),
        ([24], True),
        ([24, 48], True),
        ([24, 48, 72], False),
        ([24, 48, 90 * 24], True),
    ],
)
def test_an_address_is_asked_once_a_day_and_three_times_in_ninety_days(
    hours_ago: list[float], allowed: bool
) -> None:
    asked = [NOW - timedelta(hours=hours) for hours in hours_ago]
    assert may_ask("pending", asked, NOW) is allowed


def test_who_is_confirmed_is_not_asked() -> None:
    assert not may_ask("confirmed", [], NOW)


def test_a_confirmation_expires_at_its_very_instant() -> None:
    assert has_expired(NOW, NOW)
    assert not has_expired(NOW + timedelta(seconds=1), NOW)


def test_only_an_operators_ban_outlives_a_confirmation() -> None:
    lifted = {reason for reason in SuppressionReason if lifted_by_confirming(reason)}
    assert lifted == set(SuppressionReason) - {SuppressionReason.OPERATOR}


def test_topics_that_are_kept_keep_their_time() -> None:
    chosen = choose_topics({"science": "2026-01-01T00:00:00+00:00"}, ["science", "world"], NOW)
    assert chosen == {"science": "2026-01-01T00:00:00+00:00", "world": NOW.isoformat()}


def test_no_topic_means_every_topic_since_it_was_chosen() -> None:
    assert choose_topics({}, [], NOW) == {"*": NOW.isoformat()}
    assert choose_topics({"*": "2026-01-01T00:00:00+00:00"}, ["*"], NOW) == {"*": "2026-01-01T00:00:00+00:00"}


def test_a_topic_out_of_every_topic_keeps_the_time_of_all() -> None:
    before = {"*": "2026-01-01T00:00:00+00:00"}
    assert choose_topics(before, ["world"], NOW) == {"world": "2026-01-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("reason", "ends_by"),
    [
        (SuppressionReason.COMPLAINT, "a confirmed sign-up by the reader ends that"),
        (SuppressionReason.BOUNCE, "a confirmed sign-up by the reader ends that"),
        (SuppressionReason.OPERATOR, "no sign-up ends that, `digest subscribers unsuppress` does"),
    ],
)
def test_why_an_address_is_suppressed_says_what_lifts_that(reason: SuppressionReason, ends_by: str) -> None:
    said = explain_suppression(reason, NOW)

    assert said.endswith(f"(2026-03-02); {ends_by}")
    assert lifted_by_confirming(reason) == ("confirmed sign-up" in said)


def test_only_the_reader_ends_their_departure() -> None:
    assert explain_departure(NOW).startswith("unsubscribed here on 2026-03-02; only a confirmed sign-up")
    assert explain_departure(None).startswith("unsubscribed here; only a confirmed sign-up")
