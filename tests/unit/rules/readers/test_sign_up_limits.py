"""How many sign-ups one mailbox and one hour may have."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.rules.readers.sign_up_limits import exceeds, hour_of, mailbox_of

HOUR = datetime(2026, 11, 23, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "mailbox"),
    [
        ("anna@example.org", "anna@example.org"),
        ("anna+news@example.org", "anna@example.org"),
        ("an.na@example.org", "an.na@example.org"),
        ("an.na+news@gmail.com", "anna@gmail.com"),
        ("a.n.n.a@googlemail.com", "anna@gmail.com"),
        ("anna+1@pm.me", "anna@proton.me"),
        ("anna@me.com", "anna@icloud.com"),
        ("anna@ya.ru", "anna@yandex.ru"),
        ("+news@example.org", "+news@example.org"),
    ],
)
def test_tags_gmails_dots_and_second_domains_are_no_mailboxes_of_their_own(key: str, mailbox: str) -> None:
    assert mailbox_of(key) == mailbox


def test_the_limit_itself_is_allowed_and_one_more_is_not() -> None:
    assert not exceeds(5, before=0, current=5, now=HOUR + timedelta(minutes=30))
    assert exceeds(5, before=0, current=6, now=HOUR + timedelta(minutes=30))


def test_a_full_hour_does_not_double_the_limit() -> None:
    assert exceeds(5, before=5, current=1, now=HOUR)
    assert exceeds(5, before=5, current=3, now=HOUR + timedelta(minutes=30))
    assert not exceeds(5, before=5, current=2, now=HOUR + timedelta(minutes=30))
    assert not exceeds(5, before=5, current=4, now=HOUR + timedelta(minutes=59))


def test_an_hour_begins_at_the_same_moment_in_every_zone() -> None:
    assert hour_of(HOUR - timedelta(microseconds=1)) == hour_of(HOUR) - 1
    assert hour_of(HOUR.astimezone()) == hour_of(HOUR)
