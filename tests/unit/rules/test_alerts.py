"""What is wrong, who is told of it and when: once at its beginning, once at its end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from digest.models import Alert, AlertKind, Audience
from digest.rules.alerts import (
    BlockedMail,
    FailingSource,
    Watched,
    WatchedDeadline,
    WatchedEdition,
    choose_mail,
    find_conditions,
    is_forgettable,
)

NOW = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def edition(**values: Any) -> WatchedEdition:
    given: dict[str, Any] = {
        "id": 7, "name": "World Briefing, daily, 2026-11-26", "cadence_name": "World Briefing, daily",
        "path": "/desk/world/daily/2026-11-26", "state": "finished", "reason": "", "deadline_at": NOW,
        "freeze_at": NOW,
    } | values  # fmt: skip
    return WatchedEdition(**given)


def deadline(at: datetime, remind_at: datetime | None = None) -> WatchedDeadline:
    return WatchedDeadline("world daily 2026-11-26", "World Briefing, daily, 2026-11-26", "/x", at, remind_at)


def source(**values: Any) -> FailingSource:
    day_ago = NOW - timedelta(days=1)
    given: dict[str, Any] = {"failures": 3, "since": day_ago, "is_stopped": False, "error": "x"} | values
    return FailingSource(name="wire", **given)


def alert(kind: AlertKind, began: int = 0, **values: Any) -> Alert:
    return Alert(key=f"{kind} x", kind=kind, name="X", began_at=NOW - began * MINUTE, **values)


def kinds(watched: Watched, now: datetime = NOW) -> list[str]:
    return [condition.kind.value for condition in find_conditions(watched, now)]


@pytest.mark.parametrize(
    ("watched", "found"),
    [
        (Watched(editions=[edition()]), []),
        (Watched(editions=[edition(state="held", reason="nobody has approved it")]), ["held"]),
        (Watched(editions=[edition(state="paused")]), ["paused"]),
        (Watched(editions=[edition(state="compiling", freeze_at=NOW - 15 * MINUTE)]), []),
        (Watched(editions=[edition(state="compiling", freeze_at=NOW - 16 * MINUTE)]), ["late"]),
        (Watched(editions=[edition(is_latest=True, is_empty=True)]), ["empty"]),
        (Watched(editions=[edition(is_latest=False, is_empty=True)]), []),
        (Watched(deadlines=[deadline(NOW - 15 * MINUTE)]), []),
        (Watched(deadlines=[deadline(NOW - 16 * MINUTE)]), ["late", "missed"]),
        (Watched(deadlines=[deadline(NOW + 90 * MINUTE, NOW + MINUTE)]), []),
        (Watched(deadlines=[deadline(NOW + 90 * MINUTE, NOW)]), ["unapproved"]),
        (Watched(deadlines=[deadline(NOW, NOW - 90 * MINUTE)]), []),
        (Watched(sources=[source(failures=2)]), []),
        (Watched(sources=[source(since=NOW - timedelta(hours=23))]), []),
        (Watched(sources=[source()]), ["source"]),
        (Watched(sources=[source(since=None)]), ["source"]),
        (Watched(sources=[source(failures=1, since=NOW, is_stopped=True)]), ["source"]),
        (Watched(blocked=[BlockedMail("gmx.example", "policy", 4)]), []),
        (
            Watched(
                blocked=[BlockedMail("gmx.example", "policy", 3), BlockedMail("aol.example", "policy", 3)]
            ),
            [],
        ),
        (
            Watched(blocked=[BlockedMail("a.example", "policy", 3), BlockedMail("a.example", "content", 2)]),
            ["blocked"],
        ),
        (Watched(free_bytes=500_000_000), []),
        (Watched(free_bytes=499_999_999), ["disk"]),
        (Watched(free_bytes=599_999_999, disk_was_full=True), ["disk"]),
        (Watched(free_bytes=600_000_000, disk_was_full=True), []),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else(watched: Watched, found: list[str]) -> None:
    assert kinds(watched) == found


def test_a_disk_that_fills_slowly_is_told_in_steps_so_that_the_alert_is_not_rewritten_each_minute() -> None:
    details = {
        find_conditions(Watched(free_bytes=free), NOW)[0].detail for free in (430_000_000, 401_000_000)
    }

    assert details == {"Less than 500 MB are free. A full disk stops sending, though nothing is lost by it."}


def test_what_one_silence_made_late_is_one_alert_for_operators_and_one_an_edition_for_editors() -> None:
    late = [deadline(NOW - 60 * MINUTE), WatchedDeadline("b", "B", "", NOW - 30 * MINUTE)]
    found = find_conditions(Watched(deadlines=late), NOW)

    assert [one.kind.audience for one in found] == [Audience.EDITORS, Audience.EDITORS, Audience.OPERATORS]
    assert "1 more editions were due too" in found[-1].detail


def test_an_alert_is_mailed_once_and_ended_by_one_all_clear() -> None:
    one = alert(AlertKind.HELD)
    mail = choose_mail([one], Audience.EDITORS, NOW, None)
    assert mail is not None
    assert (mail.subject, mail.began, mail.over) == ("X is held", [one], [])
    assert choose_mail([one], Audience.OPERATORS, NOW, None) is None

    one.told_at = NOW
    assert choose_mail([one], Audience.EDITORS, NOW + 60 * MINUTE, NOW) is None
    one.ended_at = NOW + 60 * MINUTE
    mail = choose_mail([one], Audience.EDITORS, NOW + 60 * MINUTE, NOW)
    assert mail is not None
    assert (mail.subject, mail.began, mail.over) == ("All clear: X is no longer held", [], [one])
    one.cleared_at = NOW + 60 * MINUTE
    assert choose_mail([one], Audience.EDITORS, NOW + 120 * MINUTE, NOW) is None


def test_two_mails_to_the_same_people_are_ten_minutes_apart_and_the_second_has_all() -> None:
    waiting = [alert(AlertKind.HELD), alert(AlertKind.EMPTY)]

    assert choose_mail(waiting, Audience.EDITORS, NOW, NOW - 9 * MINUTE) is None
    mail = choose_mail(waiting, Audience.EDITORS, NOW, NOW - 10 * MINUTE)
    assert mail is not None
    assert mail.subject == "X is held, and 1 more"


def test_a_relay_that_restarts_is_no_news_and_one_that_comes_and_goes_sends_no_all_clear_each_time() -> None:
    assert choose_mail([alert(AlertKind.RELAY, 9)], Audience.OPERATORS, NOW, None) is None
    assert choose_mail([alert(AlertKind.RELAY, 10)], Audience.OPERATORS, NOW, None) is not None
    told = alert(AlertKind.RELAY, 60, told_at=NOW - 50 * MINUTE, ended_at=NOW - 19 * MINUTE)
    assert choose_mail([told], Audience.OPERATORS, NOW, None) is None
    assert choose_mail([told], Audience.OPERATORS, NOW + MINUTE, None) is not None


def test_what_was_over_before_anybody_could_be_told_is_told_only_if_it_was_tried_or_is_an_event() -> None:
    over: dict[str, Any] = {"ended_at": NOW}
    assert is_forgettable(alert(AlertKind.RELAY, 3, **over), NOW)
    assert not is_forgettable(alert(AlertKind.RELAY, 30, claimed_at=NOW - 20 * MINUTE, **over), NOW)
    late = alert(AlertKind.LATE, 30, **over)
    mail = choose_mail([late], Audience.EDITORS, NOW, None)
    assert mail is not None
    assert mail.subject == "X was late"
