"""Refusals during SMTP count against an address as bounces do, once the edition has finished."""

from pathlib import Path

import pytest
from sqlmodel import col, select, update

from digest.models import (
    Bounce,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Memo,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from digest.net.inbound.spool import Spool
from digest.tasks.inbound.bounces import score_finished
from digest.tasks.inbound.inbox import Inbox
from digest.tasks.readers.readers import Readers
from tests.support.compilation import DAY, NOW, Newsroom

UNKNOWN = "550 5.1.1 <r1@x.example>: user unknown"


@pytest.fixture
def inbox(newsroom: Newsroom, tmp_path: Path) -> Inbox:
    readers = Readers(
        newsroom.database, newsroom.settings, newsroom.settings.web.signing_keys, b"s" * 32,
        lambda: "a" * 26, lambda: "token",
    )  # fmt: skip
    return Inbox(readers, b"i" * 32, Spool(tmp_path / "spool"), lambda: pytest.fail("nothing is asked for"))


def refuse(newsroom: Newsroom, subscription: int, words: str = UNKNOWN) -> None:
    """Let a reader's last delivery end with a server's refusal, and its edition with it."""
    with newsroom.database.write() as session:
        latest = select(Delivery.id).where(Delivery.subscription_id == subscription)
        row = session.get_one(Delivery, max(one for one in session.exec(latest) if one))
        row.state, row.reply_code, row.reply_text = DeliveryState.FAILED, int(words[:3]), words[4:]
        ended = update(Edition).where(col(Edition.id) == row.edition_id)
        session.exec(ended.values(state=EditionState.FINISHED, finished_at=row.due_at))


def find_suppressed(newsroom: Newsroom) -> list[str]:
    with newsroom.database.read() as session:
        return [one.reason for one in session.exec(select(Suppression))]


def find_states(newsroom: Newsroom) -> dict[int | None, str]:
    with newsroom.database.read() as session:
        return {one.id: one.state for one in session.exec(select(Subscription))}


def count_bounces(newsroom: Newsroom) -> int:
    with newsroom.database.read() as session:
        return len(session.exec(select(Bounce)).all())


def test_an_unknown_user_is_suppressed_and_nobody_else(newsroom: Newsroom, inbox: Inbox) -> None:
    newsroom.publish()
    gone, other = newsroom.subscribe(), newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, [other])
    refuse(newsroom, gone)

    assert score_finished(inbox, NOW) == 1
    assert find_suppressed(newsroom) == [SuppressionReason.BOUNCE]
    assert find_states(newsroom) == {gone: SubscriptionState.ENDED, other: SubscriptionState.CONFIRMED}


@pytest.mark.parametrize(
    "words",
    [
        "554 5.7.1 Service unavailable; client host blocked using Spamhaus",
        "550 5.7.26 This mail is unauthenticated",
        "552 5.2.2 mailbox full",
        "451 4.1.1 user unknown, try again later",
    ],
)
def test_a_refusal_that_proves_nothing_about_the_address_suppresses_nobody(
    newsroom: Newsroom, inbox: Inbox, words: str
) -> None:
    newsroom.publish()
    kept = newsroom.subscribe()
    newsroom.compile()
    refuse(newsroom, kept, words)

    assert score_finished(inbox, NOW) == 1
    assert (find_suppressed(newsroom), find_states(newsroom)) == ([], {kept: SubscriptionState.CONFIRMED})


def test_an_edition_is_scored_once_and_not_before_it_has_finished(newsroom: Newsroom, inbox: Inbox) -> None:
    newsroom.publish()
    full = newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.FAILED, [full])
    assert score_finished(inbox, NOW) == 0

    refuse(newsroom, full, "552 5.2.2 mailbox full")
    assert (score_finished(inbox, NOW), score_finished(inbox, NOW)) == (1, 0)
    assert count_bounces(newsroom) == 1


def test_of_editions_that_finished_at_one_instant_none_is_passed_over(
    newsroom: Newsroom, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.tasks.inbound.bounces._AT_ONCE", 1)
    with newsroom.database.write() as session:
        other = Edition(digest="world", cadence="weekly", period="2026-W01", state=EditionState.FINISHED,
                        deadline_at=NOW, freeze_at=NOW)  # fmt: skip
        session.add(other)
    newsroom.publish()
    gone = newsroom.subscribe()
    newsroom.compile()
    refuse(newsroom, gone)
    with newsroom.database.write() as session:
        first, last = session.exec(select(Edition).order_by(col(Edition.id))).all()[:2]
        first.finished_at = last.finished_at

    assert [score_finished(inbox, NOW) for _ in range(3)] == [0, 1, 0]


def test_a_memo_of_an_earlier_version_scores_nothing_twice(newsroom: Newsroom, inbox: Inbox) -> None:
    newsroom.publish()
    gone = newsroom.subscribe()
    newsroom.compile()
    refuse(newsroom, gone)
    with newsroom.database.write() as session:
        (at,) = [one.finished_at for one in session.exec(select(Edition)) if one.finished_at]
        session.add(Memo(name="bounces scored to", value=at.isoformat()))

    assert score_finished(inbox, NOW) == 0


def test_a_page_that_a_crash_left_half_scored_counts_each_refusal_once(
    newsroom: Newsroom, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.tasks.inbound.bounces._PAGE", 1)
    newsroom.publish()
    first, second = newsroom.subscribe(), newsroom.subscribe()
    newsroom.compile()
    for one in (first, second):
        refuse(newsroom, one, "552 5.2.2 mailbox full")

    def crash(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as crashing:
        crashing.setattr("digest.tasks.inbound.bounces.keep_memo", crash)
        with pytest.raises(RuntimeError, match="killed"):
            score_finished(inbox, NOW)
    assert count_bounces(newsroom) == 2

    assert score_finished(inbox, NOW) == 2
    assert count_bounces(newsroom) == 2


def test_who_was_erased_meanwhile_is_not_looked_at(newsroom: Newsroom, inbox: Inbox) -> None:
    newsroom.publish()
    erased = newsroom.subscribe()
    newsroom.compile()
    refuse(newsroom, erased)
    with newsroom.database.write() as session:
        session.exec(update(Subscriber).values(erased_at=NOW + DAY))

    assert score_finished(inbox, NOW) == 0
    assert (find_suppressed(newsroom), count_bounces(newsroom)) == ([], 0)
