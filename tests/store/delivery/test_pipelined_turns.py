"""A turn that PostgreSQL takes whole does what the statements do one by one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from digest.models import Delivery, DeliveryState, Subscriber, SubscriptionState
from digest.store.delivery.claims import FROM_THE_START, Ready
from digest.store.delivery.deliveries import Job
from digest.store.delivery.turns import Order, Turn
from tests.store.delivery.ledgers import NOW, Ledger

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def turn(
    ledger: Ledger,
    ready: Ready | None = None,
    accepted: dict[int, int] | None = None,
    order: Order | None = None,
    marked: Callable[[set[int]], None] = lambda _ids: None,
) -> list[Job]:
    transactions = ledger.database.transactions()
    try:
        with transactions.pipelined() as pipelined:
            sent = Turn(pipelined, ready or {}, accepted or {}, order, owner=ledger.one.id, now=NOW)
            marked(sent.read_marks())
            return sent.finish()
    finally:
        transactions.close()


def test_it_claims_what_the_statement_claims(ledger: Ledger) -> None:
    with ledger.database.write() as session:
        for person in session.exec(select(Subscriber)):
            person.name = "Zoë O'Neil, \\ {1}"
            session.add(person)
    expected = ledger.claim(ledger.one.id, 3)
    with ledger.database.write() as session:
        for row in session.exec(select(Delivery)):
            row.state, row.owner = DeliveryState.PLANNED, None
            session.add(row)

    assert turn(ledger, order=Order(3, FROM_THE_START, "")) == expected
    assert turn(ledger, order=Order(3, FROM_THE_START, "sport")) == []
    assert len(turn(ledger, order=Order(3, FROM_THE_START, "world"))) == 1


def test_it_claims_beyond_a_position_only(ledger: Ledger) -> None:
    first, second, *_ = ledger.claim(ledger.other.id)
    ledger.reap(ledger.other.id)

    found = turn(ledger, order=Order(9, (first.due_at, first.delivery_id), ""))

    assert found[0].delivery_id == second.delivery_id
    assert len(found) == 3


def test_a_repeat_keeps_its_date(ledger: Ledger) -> None:
    (job,) = ledger.claim(ledger.one.id, 1)
    at = NOW + timedelta(microseconds=17)
    turn(ledger, {job.delivery_id: (job, at)})
    ledger.reap(ledger.one.id)

    (again, *_) = turn(ledger, order=Order(1, FROM_THE_START, ""))

    assert (again.composed_at, again.resends) == (at, 1)


def test_it_marks_who_may_still_get_theirs_and_records_the_replies(ledger: Ledger) -> None:
    before, left, stays = ledger.claim(ledger.one.id, 3)
    turn(ledger, {before.delivery_id: (before, NOW)})
    ledger.set_subscription(left, SubscriptionState.ENDED)
    marked: list[set[int]] = []

    ready = {job.delivery_id: (job, NOW) for job in (left, stays)}
    turn(ledger, ready, {before.delivery_id: 250}, marked=marked.append)

    assert marked == [{stays.delivery_id}]
    with ledger.database.read() as session:
        rows = {row.id: row for row in session.exec(select(Delivery))}
    assert rows[before.delivery_id].state == DeliveryState.ACCEPTED
    assert rows[before.delivery_id].reply_code == 250
    assert rows[left.delivery_id].state == DeliveryState.CLAIMED
    assert rows[stays.delivery_id].state == DeliveryState.IN_FLIGHT


def test_the_marks_of_another_worker_or_variant_are_not_made(ledger: Ledger) -> None:
    (theirs,) = ledger.claim(ledger.other.id, 1)
    (ours,) = ledger.claim(ledger.one.id, 1)
    other = ours._replace(variant_id=ours.variant_id + 1)
    marked: list[set[int]] = []

    turn(ledger, {theirs.delivery_id: (theirs, NOW), ours.delivery_id: (other, NOW)}, marked=marked.append)

    assert marked == [set()]
