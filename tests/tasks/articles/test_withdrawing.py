"""Withdrawing: nothing that has not left carries the article; the ledger goes on telling what each reader has."""

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from digest.errors import InputError
from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Fold,
    Subscription,
    Withdrawal,
    Withheld,
)
from digest.store.articles import withdrawals
from digest.store.database import Database
from digest.store.delivery import claims, deliveries
from digest.store.editions import variants
from digest.tasks.articles import withdrawing
from digest.tasks.composing.variants import Variants
from tests.support.compilation import DAY, NOW, Newsroom
from tests.support.editions import list_articles

LATER = NOW + timedelta(minutes=5)


def withdraw(newsroom: Newsroom, article: int, reason: str = "") -> withdrawing.Withdrawn:
    return withdrawing.withdraw(newsroom.database, str(article), reason, lambda: LATER)


def held_by(newsroom: Newsroom, delivery: Delivery) -> list[int]:
    with newsroom.database.read() as session:
        return [row.article_id for row in list_articles(session, delivery.variant_id or 0)]


def test_what_waits_loses_the_article_and_what_is_gone_keeps_it_in_the_ledger(newsroom: Newsroom) -> None:
    wrong, right = newsroom.publish(), newsroom.publish()
    readers = [newsroom.subscribe() for _ in range(6)]
    newsroom.compile()
    gone = [DeliveryState.ACCEPTED, DeliveryState.IN_FLIGHT, DeliveryState.UNCERTAIN]
    waiting = [DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.DEFERRED]
    for reader, state in zip(readers, [*gone, *waiting], strict=True):
        newsroom.set_states(state, [reader])

    done = withdraw(newsroom, wrong, "not ours to tell")

    held = [held_by(newsroom, delivery) for delivery in newsroom.deliveries()]
    assert held == [[right, wrong]] * 3 + [[right]] * 3
    assert [delivery.state for delivery in newsroom.deliveries()] == [*gone, *waiting]
    assert (done.changed, done.withheld, done.gone) == (3, 0, 3)
    with newsroom.database.read() as session:
        act = session.exec(select(Withdrawal)).one()
        histories = [deliveries.history_of(session, reader) for reader in readers]
    assert (act.article_id, act.reason, act.at, act.done_at) == (wrong, "not ours to tell", LATER, LATER)
    assert histories == [frozenset({right, wrong})] * 3 + [frozenset({right})] * 3


def test_a_delivery_that_is_left_with_nothing_is_withheld_with_its_reason(newsroom: Newsroom) -> None:
    wrong = newsroom.publish("science")
    newsroom.publish("world")
    newsroom.subscribe("science")
    newsroom.subscribe("science", "world")
    newsroom.compile()

    done = withdraw(newsroom, wrong)

    only, both = newsroom.deliveries()
    assert (only.state, only.reason) == (DeliveryState.WITHHELD, Withheld.WITHDRAWN)
    assert both.state == DeliveryState.PLANNED
    assert (done.changed, done.withheld) == (2, 1)


def test_one_that_may_have_arrived_is_not_repeated_and_stays_uncertain(newsroom: Newsroom) -> None:
    wrong = newsroom.publish()
    newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.UNCERTAIN, [1, 2, 3, 4])
    with newsroom.database.write() as session:
        deliveries.plan_repeats(session, NOW)

    withdraw(newsroom, wrong)

    (delivery,) = newsroom.deliveries()
    assert (delivery.state, delivery.owner) == (DeliveryState.UNCERTAIN, None)
    assert delivery.reason == "not repeated: an article of it was withdrawn"
    assert wrong in held_by(newsroom, delivery)


def test_a_claim_composed_before_is_composed_anew(newsroom: Newsroom) -> None:
    wrong, right = newsroom.publish(), newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()
    owner = newsroom.worker.id
    with newsroom.database.write() as session:
        (job,) = claims.claim(session.connection(), owner=owner, now=NOW, size=1)

    withdraw(newsroom, wrong)

    with newsroom.database.write() as session:
        connection = session.connection()
        kept_back = claims.mark_in_flight(connection, {job.delivery_id: (job, NOW)}, owner=owner, now=NOW)
        assert kept_back == {job.delivery_id: False}
        deliveries.release(session, [job], owner=owner, now=NOW)
    with newsroom.database.write() as session:
        connection = session.connection()
        (again,) = claims.claim(connection, owner=owner, now=NOW, size=1)
        assert not claims.mark_in_flight(connection, {again.delivery_id: (again, NOW)}, owner=owner, now=NOW)
    assert list(Variants(newsroom.database).take(again.variant_id).articles) == [right]


def test_an_edition_that_is_being_compiled_freezes_without_it(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = newsroom.publish(), newsroom.publish()
    for _ in range(6):
        newsroom.subscribe()
    write, acts = Database.write, [withdraw]

    def write_after_the_act(database: Database) -> AbstractContextManager[Session]:
        if acts and len(newsroom.deliveries()) == 2:  # the first of three ranges is planned
            acts.pop()(newsroom, wrong)
        return write(database)

    monkeypatch.setattr(Database, "write", write_after_the_act)
    newsroom.compile()

    assert acts == []
    assert [held_by(newsroom, delivery) for delivery in newsroom.deliveries()] == [[right]] * 6
    newsroom.publish()
    newsroom.set_states(DeliveryState.ACCEPTED, list(newsroom.lists()))
    newsroom.compile(NOW + DAY)
    assert all(wrong not in held for lists in newsroom.lists().values() for held in lists)


def test_an_act_that_a_crash_cut_short_is_carried_out_by_the_next_run(newsroom: Newsroom) -> None:
    wrong, right = newsroom.publish(), newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()
    with newsroom.database.write() as session:
        withdrawals.enter(session, session.get_one(Article, wrong), LATER, "")

    withdrawing.finish_withdrawals(newsroom.database, lambda: LATER)

    assert [held_by(newsroom, delivery) for delivery in newsroom.deliveries()] == [[right]]
    with newsroom.database.read() as session:
        assert withdrawals.list_begun(session) == []


def test_done_twice_and_for_several_articles_each_delivery_has_what_is_left(newsroom: Newsroom) -> None:
    first, second, right = (newsroom.publish() for _ in range(3))
    newsroom.subscribe()
    newsroom.compile()

    withdraw(newsroom, first)
    withdraw(newsroom, second)
    again = withdraw(newsroom, first)

    (delivery,) = newsroom.deliveries()
    assert held_by(newsroom, delivery) == [right]
    assert again.changed == 0
    with newsroom.database.read() as session:
        rows = list_articles(session, delivery.variant_id or 0)
        assert [row.position for row in rows] == [0]
        assert len(list(session.exec(select(Withdrawal)))) == 2


def test_a_story_told_elsewhere_no_longer_names_the_source_that_is_withdrawn(newsroom: Newsroom) -> None:
    root, other = newsroom.publish(), newsroom.publish()
    with newsroom.database.write() as session:
        session.add(Fold(article_id=other, root_id=root, folded_at=NOW - DAY))
    newsroom.subscribe()
    newsroom.compile()
    (before,) = newsroom.deliveries()
    assert [
        one.article_id for one in Variants(newsroom.database).take(before.variant_id or 0).other_sources[root]
    ] == [other]

    withdraw(newsroom, other)

    (after,) = newsroom.deliveries()
    assert after.variant_id != before.variant_id
    listing = Variants(newsroom.database).take(after.variant_id or 0)
    assert (list(listing.articles), listing.other_sources) == ([root], {root: ()})


def test_readers_who_lost_it_are_placed_anew_and_its_neighbours_are_left_alone(newsroom: Newsroom) -> None:
    wrong = newsroom.publish("science")
    newsroom.publish("world")
    loses, other = newsroom.subscribe("science", "world"), newsroom.subscribe("world")
    newsroom.compile()

    withdraw(newsroom, wrong)

    with newsroom.database.read() as session:
        assert session.get_one(Subscription, loses).cohort_id is None
        assert session.get_one(Subscription, other).cohort_id is not None


def test_a_finished_edition_is_not_touched(newsroom: Newsroom) -> None:
    wrong = newsroom.publish()
    reader = newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, [reader])
    with newsroom.database.write() as session:
        deliveries.finish_editions(session, NOW)

    done = withdraw(newsroom, wrong)

    assert (done.changed, done.gone) == (0, 1)
    with newsroom.database.read() as session:
        assert {edition.state for edition in session.exec(select(Edition))} == {EditionState.FINISHED}
        assert variants.count_variants(session) == 1


def test_an_article_that_does_not_exist_is_named(newsroom: Newsroom) -> None:
    with pytest.raises(InputError, match="there is no article 99"):
        withdraw(newsroom, 99)
