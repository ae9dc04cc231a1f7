"""When a webhook is tried again, and when its receiver is given up."""

from datetime import UTC, datetime, timedelta

from digest.rules.webhooks.retries import PATIENCE, judge_failure, read_wait

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def test_a_failure_is_tried_again_ten_times_over_three_days_with_growing_pauses() -> None:
    delays = []
    for attempts in range(1, 10):
        due_at = judge_failure(attempts, 500, "", NOW, NOW).due_at
        assert due_at is not None
        delays.append(due_at - NOW)

    assert delays == sorted(delays)
    assert delays[0] == timedelta(seconds=5)
    assert PATIENCE < sum(delays, timedelta()) < timedelta(days=4)
    assert judge_failure(10, 500, "", NOW, NOW).due_at is None


def test_a_receiver_that_failed_for_days_or_is_gone_is_disabled_and_its_message_kept() -> None:
    assert judge_failure(3, 500, "", NOW - PATIENCE + timedelta(minutes=1), NOW).disable == ""
    for verdict in (judge_failure(10, 500, "", NOW - PATIENCE, NOW), judge_failure(10, 410, "", None, NOW)):
        assert verdict.disable
        assert verdict.due_at is not None


def test_what_a_receiver_asks_to_wait_is_waited_but_a_day_at_most() -> None:
    assert judge_failure(1, 429, "120", None, NOW).due_at == NOW + timedelta(seconds=120)
    assert judge_failure(2, 503, "1", None, NOW).due_at == NOW + timedelta(minutes=5)
    for text, wait in (
        ("Mon, 23 Nov 2026 08:00:00 GMT", timedelta(hours=1)),
        ("Mon, 23 Nov 2020 08:00:00 GMT", timedelta()),
        ("999999999", timedelta(days=1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=1)),
        ("soon", timedelta()), ("-5", timedelta()), ("", timedelta()), ("²", timedelta()),
        ("Mon, 23 Nov 2026 08:00:00 -0000", timedelta()),
    ):  # fmt: skip
        assert read_wait(text, NOW) == wait, text
