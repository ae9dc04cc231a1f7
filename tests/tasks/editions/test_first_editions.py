"""`welcome = "edition"`: a reader's own first edition at once, in the ledger like every other."""

import itertools
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from digest.models import Cohort, DeliveryState, Edition, EditionState, ReaderNotice, Subscription, Withheld
from digest.models.cadence import WELCOME
from digest.store.delivery.deliveries import finish_editions
from digest.store.editions.planning import KeyRange
from digest.tasks.editions.planning import Plan
from digest.tasks.ledger.audit import audit
from tests.support.compilation import DAY, NOW, Newsroom


@pytest.fixture
def welcoming(newsroom: Newsroom) -> Newsroom:
    """Return a newsroom that welcomes with an edition."""
    newsroom.digest = newsroom.digest.model_copy(
        update={"welcome": "edition", "welcome_text": "Good to have you."}
    )
    return newsroom


def join(newsroom: Newsroom, *topics: str, **values: str) -> int:
    """Enter a reader who has just confirmed."""
    number = newsroom.subscribe(*topics, at=NOW, **values)
    with newsroom.database.write() as session:
        row = session.get_one(Subscription, number)
        row.welcome_at = NOW
        session.add(row)
    return number


def waiting(newsroom: Newsroom) -> list[int | None]:
    """Return the subscriptions that wait for a first edition."""
    query = select(Subscription.id).where(col(Subscription.welcome_at).is_not(None))
    with newsroom.database.read() as session:
        return list(session.exec(query.order_by(col(Subscription.id))))


def test_a_new_reader_gets_what_lies_within_the_lookback_and_the_next_edition_repeats_none_of_it(
    welcoming: Newsroom,
) -> None:
    old, recent = welcoming.publish(at=NOW - 8 * DAY), welcoming.publish(at=NOW - 2 * DAY)
    regular, new = welcoming.subscribe(), join(welcoming)

    made = welcoming.compile()

    assert next(one.name.cadence for one in made) == WELCOME
    assert welcoming.lists(WELCOME) == {new: [[recent]]}
    assert welcoming.lists() == {regular: [[recent]]}
    later = welcoming.publish(at=NOW + timedelta(hours=1))
    welcoming.compile(NOW + DAY)
    assert welcoming.lists()[new] == [[later]]
    assert old not in welcoming.lists()[new][0]
    assert waiting(welcoming) == []
    welcoming.set_states(DeliveryState.ACCEPTED, [regular, new])
    with welcoming.database.write() as session:
        finish_editions(session, NOW + DAY)
    with welcoming.database.read() as session:
        assert audit(session)["ok"]
        assert not session.exec(select(Cohort).where(Cohort.cadence == WELCOME)).all()
        edition = session.exec(select(Edition).where(Edition.cadence == WELCOME)).one()
    assert (edition.period, edition.state) == ("2026-11-23-1", EditionState.FINISHED)
    assert edition.introduction == "Good to have you."


def test_first_editions_follow_topics_and_come_again_only_for_those_who_are_new(welcoming: Newsroom) -> None:
    world, science = welcoming.publish("world"), welcoming.publish("science")
    one = join(welcoming, "science")
    welcoming.compile(NOW)
    two = join(welcoming, "world")
    welcoming.compile(NOW + timedelta(minutes=1))
    welcoming.compile(NOW + timedelta(minutes=2))

    assert welcoming.lists(WELCOME) == {one: [[science]], two: [[world]]}
    with welcoming.database.read() as session:
        periods = session.exec(select(Edition.period).where(Edition.cadence == WELCOME)).all()
    assert sorted(periods) == ["2026-11-23-1", "2026-11-23-2"]


def test_whom_nothing_could_be_sent_is_greeted_by_mail(welcoming: Newsroom) -> None:
    join(welcoming)
    welcoming.compile()
    with welcoming.database.read() as session:
        notice = session.exec(select(ReaderNotice)).one()
    assert (notice.kind, notice.origin) == ("welcome", {"digest": "world"})
    assert [(row.state, row.reason) for row in welcoming.deliveries()] == [
        (DeliveryState.WITHHELD, Withheld.NOTHING_NEW)
    ] * len(welcoming.deliveries())


def test_who_leaves_and_comes_back_is_greeted_once_a_day(welcoming: Newsroom) -> None:
    first, second = join(welcoming), join(welcoming)
    greeted = []
    for at in (NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=25)):
        with welcoming.database.write() as session:
            for number in (first, second) if at == NOW else (first,):
                row = session.get_one(Subscription, number)
                row.welcome_at = at
                session.add(row)
        welcoming.compile(at)
        with welcoming.database.read() as session:
            greeted.append(len(session.exec(select(ReaderNotice)).all()))

    assert greeted == [2, 2, 3]


def test_a_crash_while_first_editions_are_planned_loses_and_repeats_nothing(
    welcoming: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = welcoming.publish()
    new = [join(welcoming) for _ in range(5)]
    calls, whole = itertools.count(1), Plan.plan_range

    def dying(self: Plan, session: Session, edition: Edition, found: KeyRange) -> int | None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return whole(self, session, edition, found)

    monkeypatch.setattr(Plan, "plan_range", dying)
    with pytest.raises(KeyboardInterrupt):
        welcoming.compile()
    assert waiting(welcoming) == new
    welcoming.compile(NOW + timedelta(minutes=5))

    assert welcoming.lists(WELCOME) == {number: [[article]] for number in new}
    assert welcoming.lists() == {}
    assert waiting(welcoming) == []


def test_who_confirms_while_first_editions_are_planned_gets_the_next_one(
    welcoming: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = welcoming.publish()
    late, early = join(welcoming), join(welcoming)
    with welcoming.database.write() as session:
        row = session.get_one(Subscription, late)
        row.welcome_at = None
        session.add(row)
    whole = Plan.plan_range

    def then_confirming(self: Plan, session: Session, edition: Edition, found: KeyRange) -> int | None:
        planned = whole(self, session, edition, found)
        if planned:  # its clock was read before, its commit came after
            row = session.get_one(Subscription, late)
            row.welcome_at = NOW
            session.add(row)
        return planned

    with monkeypatch.context() as patch:
        patch.setattr(Plan, "plan_range", then_confirming)
        welcoming.compile()
    assert welcoming.lists(WELCOME) == {early: [[article]]}
    assert waiting(welcoming) == [late]

    welcoming.compile(NOW + timedelta(minutes=1))

    assert welcoming.lists(WELCOME) == {early: [[article]], late: [[article]]}
    assert waiting(welcoming) == []


def test_who_waits_is_in_no_other_edition_meanwhile(welcoming: Newsroom) -> None:
    article = welcoming.publish()
    new = join(welcoming)
    with welcoming.database.write() as session:  # as if another worker were just making theirs
        session.add(
            Edition(
                digest="world", cadence=WELCOME, period="2026-11-23-1", deadline_at=NOW, freeze_at=NOW, at_once=True,
                compiler=welcoming.worker.id,
            )
        )  # fmt: skip
    other = Newsroom(welcoming.database, welcoming.settings, welcoming.workers)
    other.digest = welcoming.digest
    other.compile()
    assert other.lists() == {}
    assert waiting(welcoming) == [new]
    welcoming.compile()
    assert welcoming.lists(WELCOME) == {new: [[article]]}


def test_nobody_waits_for_ever_where_the_setting_is_taken_back(welcoming: Newsroom) -> None:
    article = welcoming.publish()
    new = join(welcoming)
    welcoming.digest = welcoming.digest.model_copy(update={"welcome": "none"})
    welcoming.compile()
    assert welcoming.lists() == {new: [[article]]}


def test_where_editors_must_approve_a_first_edition_holds_only_what_an_edition_had(
    welcoming: Newsroom,
) -> None:
    printed = welcoming.publish(at=NOW - 2 * DAY)
    welcoming.subscribe(at=NOW - 3 * DAY)
    welcoming.compile(NOW - DAY)
    welcoming.publish(at=NOW - timedelta(hours=1))
    new = join(welcoming)
    welcoming.digest = welcoming.digest.model_copy(update={"approval": "require-approval"})
    welcoming.compile()
    assert welcoming.lists(WELCOME) == {new: [[printed]]}
