"""What each SMTP outcome means."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.models import DeliveryState, Outcome, Reply, Stage
from digest.rules.delivery.reply_verdicts import describe, judge, stated_wait, wait_after

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def outcome(stage: Stage, code: int | None, *, dot_left: bool = False) -> Outcome:
    """Make an outcome with a reply, or without one."""
    return Outcome(stage, Reply(code, "", "said so") if code else None, dot_left, "" if code else "lost")


@pytest.mark.parametrize(
    ("stage", "code", "dot_left", "state", "pauses"),
    [
        (Stage.DOT, 250, True, DeliveryState.ACCEPTED, False),
        (Stage.DOT, None, True, DeliveryState.UNCERTAIN, False),
        (Stage.DOT, 451, True, DeliveryState.DEFERRED, False),
        (Stage.DOT, 554, True, DeliveryState.FAILED, False),
        (Stage.RCPT, 550, False, DeliveryState.FAILED, False),  # this reader only
        (Stage.RCPT, 450, False, DeliveryState.DEFERRED, False),
        (Stage.RCPT, 421, False, DeliveryState.DEFERRED, False),
        (Stage.DATA, None, False, DeliveryState.DEFERRED, False),
        (Stage.MAIL, 550, False, DeliveryState.PLANNED, True),  # our fault: nobody bounces
        (Stage.MAIL, 530, False, DeliveryState.PLANNED, True),
        (Stage.MAIL, 451, False, DeliveryState.DEFERRED, False),
    ],
)
def test_each_outcome_has_its_verdict(
    stage: Stage, code: int | None, dot_left: bool, state: DeliveryState, pauses: bool
) -> None:
    verdict = judge(outcome(stage, code, dot_left=dot_left), attempts=1, now=NOW)

    assert (verdict.state, bool(verdict.pause)) == (state, pauses)


def test_a_deferred_delivery_waits_longer_each_time_up_to_four_hours() -> None:
    waits = [wait_after(attempts) for attempts in range(1, 9)]

    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert waits[-1] == timedelta(hours=4)


def test_a_delivery_deferred_for_three_days_fails() -> None:
    def state(attempts: int) -> DeliveryState:
        return judge(outcome(Stage.RCPT, 450), attempts=attempts, now=NOW).state

    failed = next(attempts for attempts in range(1, 100) if state(attempts) is DeliveryState.FAILED)
    waited = sum((wait_after(number) for number in range(1, failed)), timedelta())

    assert timedelta(days=3) < waited < timedelta(days=3, hours=4)
    assert "given up after 3 days" in judge(outcome(Stage.RCPT, 450), attempts=failed, now=NOW).reason


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_deliveries_deferred_together_come_back_spread_out(spread: float) -> None:
    verdict = judge(outcome(Stage.RCPT, 450), attempts=1, now=NOW, spread=spread)

    assert verdict.due_at == NOW + timedelta(minutes=5) * (0.9 + 0.2 * spread)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("Greylisted, please try again in 300 seconds", timedelta(seconds=300)),
        ("you are graylisted for 2 minutes", timedelta(minutes=2)),
        ("grey-listed: come back in 5 s", timedelta(minutes=1)),
        ("Greylisting in action", timedelta(minutes=5)),
        ("greylisted for 9999 minutes", timedelta(hours=4)),
        ("mailbox busy for 300 seconds", None),
    ],
)
def test_a_greylisting_server_is_taken_at_its_word(text: str, wait: timedelta | None) -> None:
    assert stated_wait(Reply(451, "4.7.1", text)) == wait


@pytest.mark.parametrize("code", [250, 550])
def test_what_a_server_says_without_end_is_told_in_one_short_line(code: int) -> None:
    said = describe(Outcome(Stage.RCPT, Reply(code, "5.1.1", "x" * 70_000 + "\ny" * 70_000)))

    assert said.startswith(f"rcpt: {code} 5.1.1 xxx")
    assert len(said) < 320
    assert "\n" not in said
