"""Corrections: one short notice to exactly those whose counted delivery held the article."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import col, select

from digest.errors import InputError
from digest.models import (
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Fold,
    Form,
    Subscriber,
    Subscription,
    SubscriptionState,
    Withheld,
)
from digest.rules.editions.selection import Choice, Chosen
from digest.store.delivery import deliveries
from digest.store.editions.variants import find_or_add_variant
from digest.tasks.articles import withdrawing
from digest.tasks.editions import correcting
from digest.tasks.editions.correcting import Corrected, correct
from digest.tasks.ledger.audit import audit
from tests.support.compilation import DAY, NOW, Newsroom

HOUR = timedelta(hours=1)
TEXT = "The bridge has two lanes, not three."


def tell(newsroom: Newsroom, article: int, text: str = TEXT) -> Corrected:
    return correct(
        newsroom.database, newsroom.settings, str(article), text, NOW + HOUR,
        speaks=lambda language: language == "de",
    )  # fmt: skip


class _CrashError(Exception):
    pass


def states(newsroom: Newsroom) -> set[str]:
    with newsroom.database.read() as session:
        return set(session.exec(select(Edition.state).where(Edition.cadence == "correction")))


def notices(newsroom: Newsroom) -> list[Delivery]:
    query = select(Delivery).join(Edition, col(Edition.id) == col(Delivery.edition_id))
    with newsroom.database.read() as session:
        return list(session.exec(query.where(Edition.cadence == "correction").order_by(col(Delivery.id))))


def test_exactly_those_who_have_it_are_told_and_who_left_or_paused_is_not(newsroom: Newsroom) -> None:
    wrong = newsroom.publish("world")
    newsroom.publish("science")
    has, failed, left, paused = (newsroom.subscribe("world") for _ in range(4))
    newsroom.subscribe("science")
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, [has, left, paused])
    newsroom.set_states(DeliveryState.FAILED, [failed])
    with newsroom.database.write() as session:
        for reader, state in ((left, SubscriptionState.ENDED), (paused, SubscriptionState.PAUSED)):
            session.get_one(Subscription, reader).state = state

    done = tell(newsroom, wrong)

    told = {one.subscription_id: (one.state, one.reason) for one in notices(newsroom)}
    assert told == {
        has: (DeliveryState.PLANNED, ""),
        left: (DeliveryState.WITHHELD, Withheld.LEFT),
        paused: (DeliveryState.WITHHELD, Withheld.PAUSED),
    }
    assert (done.told, done.withheld, done.editions) == (1, 2, ("world correction 2026-11-23-1",))


def test_the_same_correction_is_sent_once_and_another_one_is_another(newsroom: Newsroom) -> None:
    wrong = newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()

    first, again, other = (
        tell(newsroom, wrong),
        tell(newsroom, wrong),
        tell(newsroom, wrong, "And it is red."),
    )

    assert (first.is_new, again.is_new, again.told) == (True, False, 0)
    assert other.editions == ("world correction 2026-11-23-2",)
    assert len(notices(newsroom)) == 2


def test_a_notice_is_not_due_before_the_message_that_it_corrects(newsroom: Newsroom) -> None:
    wrong = newsroom.publish()
    gone, waits = newsroom.subscribe(), newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, [gone])
    with newsroom.database.write() as session:
        for row in session.exec(select(Delivery).where(Delivery.subscription_id == waits)):
            row.due_at = NOW + 5 * HOUR
            session.add(row)

    tell(newsroom, wrong)

    assert {one.subscription_id: one.due_at for one in notices(newsroom)} == {
        gone: NOW + HOUR, waits: NOW + 5 * HOUR,
    }  # fmt: skip


def test_withdrawn_before_it_left_there_is_nothing_to_correct(newsroom: Newsroom) -> None:
    wrong = newsroom.publish()
    newsroom.publish()
    gone, waits = newsroom.subscribe(), newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, [gone])
    tell(newsroom, wrong)

    withdrawing.withdraw(newsroom.database, str(wrong), "", lambda: NOW + HOUR)
    later = tell(newsroom, wrong, "It is withdrawn.")

    told = Counter((one.subscription_id, one.state, one.reason) for one in notices(newsroom))
    assert told == {
        (gone, DeliveryState.PLANNED, ""): 2,
        (waits, DeliveryState.WITHHELD, Withheld.NEVER_HAD): 1,
    }
    assert later.told == 1


def test_each_reader_is_written_to_in_their_language_and_once_however_many_digests_they_have(
    newsroom: Newsroom,
) -> None:
    wrong = newsroom.publish()
    one, other = newsroom.subscribe(), newsroom.subscribe()
    newsroom.compile()
    with newsroom.database.write() as session:
        for reader, language in ((one, "de"), (other, "tlh")):
            found = session.get_one(Subscription, reader)
            session.get_one(Subscriber, found.subscriber_id).language = language
        second = Subscription(
            subscriber_id=session.get_one(Subscription, one).subscriber_id, digest="zebra", cadence="daily",
            created_at=NOW, confirmed_at=NOW, state=SubscriptionState.CONFIRMED,
        )  # fmt: skip
        edition = Edition(
            digest="zebra", cadence="daily", period="2026-11-23", deadline_at=NOW, freeze_at=NOW, frozen_at=NOW,
            state=EditionState.FROZEN,
        )  # fmt: skip
        session.add_all([second, edition])
        session.flush()
        chosen = Chosen((Choice(wrong, Form.SUMMARY, ""),))
        variant_id = find_or_add_variant(session, edition.id or 0, "en", chosen)
        session.add(Delivery(
            edition_id=edition.id or 0, subscription_id=second.id or 0, variant_id=variant_id,
            state=DeliveryState.ACCEPTED, due_at=NOW, changed_at=NOW,
        ))  # fmt: skip

    done = tell(newsroom, wrong)

    assert done.told == 2
    assert Counter(notice.subscription_id for notice in notices(newsroom)) == {one: 1, other: 1}
    with newsroom.database.read() as session:
        editions = session.exec(select(Edition).where(Edition.cadence == "correction")).all()
    assert {edition.digest for edition in editions} == {"world", "zebra"}
    assert len({notice.variant_id for notice in notices(newsroom)}) == 2


def crash_after(newsroom: Newsroom, commits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process end between two commits of planning, each for two readers."""
    monkeypatch.setattr(correcting, "RANGE_SIZE", 2)
    left = iter(range(commits - 1))

    def give_way() -> None:
        if next(left, None) is None:
            raise _CrashError

    monkeypatch.setattr(newsroom.database, "give_way", give_way)


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_a_crash_between_two_ranges_tells_everybody_once_and_nobody_before_the_freeze(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    wrong = newsroom.publish()
    readers = [newsroom.subscribe() for _ in range(5)]
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, readers)
    with monkeypatch.context() as crashing:
        crash_after(newsroom, commits, crashing)
        with pytest.raises(_CrashError):
            tell(newsroom, wrong)

    assert [one.subscription_id for one in notices(newsroom)] == readers[: 2 * commits]
    with newsroom.database.read() as session:
        assert deliveries.count_due(session, NOW + DAY) == 0
        assert not audit(session)["ok"]
    assert not tell(newsroom, wrong).is_new, "the command given again begins no second notice"
    newsroom.compile(NOW + 2 * HOUR, at_once=False)

    told = [(one.subscription_id, one.state) for one in notices(newsroom)]
    assert told == [(reader, DeliveryState.PLANNED) for reader in readers]
    assert states(newsroom) == {EditionState.FROZEN}
    newsroom.set_states(DeliveryState.ACCEPTED, readers)
    with newsroom.database.write() as session:
        deliveries.finish_editions(session, NOW + 2 * HOUR)
        assert audit(session)["ok"]
    assert states(newsroom) == {EditionState.FINISHED}


def test_who_leaves_between_two_ranges_is_not_told(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = newsroom.publish()
    readers = [newsroom.subscribe() for _ in range(4)]
    newsroom.compile()
    monkeypatch.setattr(correcting, "RANGE_SIZE", 2)

    def leave() -> None:
        with newsroom.database.write() as session:
            session.get_one(Subscription, readers[3]).state = SubscriptionState.ENDED

    monkeypatch.setattr(newsroom.database, "give_way", leave)
    tell(newsroom, wrong)

    assert [one.reason for one in notices(newsroom)] == ["", "", "", Withheld.LEFT]


def test_a_run_that_takes_the_notice_over_meanwhile_tells_the_rest(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = newsroom.publish()
    readers = [newsroom.subscribe() for _ in range(5)]
    newsroom.compile()
    other = Newsroom(newsroom.database, newsroom.settings, newsroom.workers)
    monkeypatch.setattr(correcting, "RANGE_SIZE", 2)

    def take_over() -> None:
        monkeypatch.setattr(newsroom.database, "give_way", lambda: None)
        other.compile(NOW + HOUR, at_once=False)

    monkeypatch.setattr(newsroom.database, "give_way", take_over)
    done = tell(newsroom, wrong)

    assert done.told == 5
    assert [one.subscription_id for one in notices(newsroom)] == readers
    assert states(newsroom) == {EditionState.FROZEN}


def test_a_notice_is_no_article_and_changes_no_history(newsroom: Newsroom) -> None:
    wrong = newsroom.publish()
    reader = newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, [reader])
    tell(newsroom, wrong)
    newsroom.set_states(DeliveryState.ACCEPTED, [reader])

    with newsroom.database.write() as session:
        assert deliveries.history_of(session, reader) == {wrong}
        assert [edition.cadence for edition in deliveries.finish_editions(session, NOW)].count(
            "correction"
        ) == 1
    new = newsroom.publish(at=NOW + HOUR)
    newsroom.compile(NOW + DAY)
    assert newsroom.lists()[reader] == [[wrong], [new]]


def test_what_says_nothing_too_much_or_is_about_a_folded_article_is_refused(newsroom: Newsroom) -> None:
    root, other = newsroom.publish(), newsroom.publish()
    with newsroom.database.write() as session:
        session.add(Fold(article_id=other, root_id=root, folded_at=NOW))
    for article, text, says in ((root, " \n", "is empty"), (root, "x" * 5_001, "5,001"),
                                (other, TEXT, f"folded into article {root}"), (99, TEXT, "no article 99")):  # fmt: skip
        with pytest.raises(InputError, match=says):
            tell(newsroom, article, text)
    assert tell(newsroom, root).editions == ()
