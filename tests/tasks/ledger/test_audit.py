"""Editions by their names, and the sentences about what slows delivery, on both databases."""

from datetime import timedelta

import pytest

from digest.errors import UsageError
from digest.models import Delivery, DeliveryState, EditionState
from digest.settings import Settings
from digest.settings.smtp import DomainSettings
from digest.store.database import Database
from digest.store.editions import editions
from digest.tasks.ledger.audit import Account, audit, count_earlier, find_named, slowed_by, status
from tests.support.compilation import NOW, Newsroom


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    """Return a newsroom that has compiled its daily edition for two readers."""
    newsroom.publish()
    newsroom.subscribe()
    newsroom.subscribe()
    newsroom.compile()
    return newsroom


def test_an_edition_is_found_by_each_way_to_write_its_name(newsroom: Newsroom) -> None:
    names = ("world daily", "world/daily", "world daily 2026-11-23", "world/daily/2026-11-23")
    with newsroom.database.read() as session:
        found = {name: [str(one.name) for one in find_named(session, name)] for name in names}
        every = [str(one.name) for one in find_named(session, None)]

    assert found == {name: ["world daily 2026-11-23"] for name in names}
    assert "world daily 2026-11-23" in every


def test_an_edition_that_is_not_there_is_told_with_the_latest_that_are(newsroom: Newsroom) -> None:
    with newsroom.database.read() as session:
        with pytest.raises(UsageError, match=r'"world/hourly"; the latest are: .*world daily 2026'):
            find_named(session, "world/hourly")
        assert find_named(session, "world/daily", states=[EditionState.PAUSED]) == []


def test_where_no_edition_was_made_none_is_named(database: Database) -> None:
    with database.read() as session:
        assert find_named(session, None) == []
        with pytest.raises(UsageError, match="the latest are: none yet"):
            find_named(session, "world")


def test_the_audit_holds_an_edition_open_until_each_delivery_has_ended(newsroom: Newsroom) -> None:
    def result() -> tuple[bool, int, int, int]:
        with newsroom.database.read() as session:
            told = audit(session, "world/daily")
        (row,) = told["editions"]
        return told["ok"], row["total"], row["open"], row["accepted"]

    before = result()
    newsroom.set_states(DeliveryState.ACCEPTED, [one.subscription_id for one in newsroom.deliveries()])
    accepted = result()
    _finish(newsroom)

    assert before == (False, 2, 2, 0)
    assert accepted == (False, 2, 0, 2), "it is not finished yet"
    assert result() == (True, 2, 0, 2)


def test_a_finished_edition_with_an_open_delivery_fails_the_audit(newsroom: Newsroom) -> None:
    _finish(newsroom)

    with newsroom.database.read() as session:
        assert not audit(session)["ok"]


@pytest.mark.parametrize(
    ("state", "total", "open_", "ok"),
    [
        ("finished", 10, 0, True), ("finished", 11, 1, False), ("frozen", 11, 1, True), ("frozen", 12, 1, False),
    ],
)  # fmt: skip
def test_a_sum_is_complete_if_it_adds_up_and_nothing_of_a_finished_edition_is_open(
    state: str, total: int, open_: int, ok: bool
) -> None:
    one = Account("w", "d", "p", state, total, accepted=4, failed=3, withheld=2, uncertain=1, open=open_)

    assert one.ok is ok


def test_status_tells_why_deliveries_wait_and_when_the_next_is_tried(newsroom: Newsroom) -> None:
    due = NOW + timedelta(minutes=30)
    with newsroom.database.write() as session:
        row = session.get_one(Delivery, 1)
        row.state, row.reason, row.due_at = DeliveryState.DEFERRED, "450 greylisted", due
        session.add(row)
        other = session.get_one(Delivery, 2)
        other.state = DeliveryState.ACCEPTED
        session.add(other)

    with newsroom.database.read() as session:
        (told,) = status(session, newsroom.settings, "world/daily")
        assert count_earlier(session, [told], "world/daily") == 0

    assert (told["deferred"], told["open"], told["next_due_at"]) == (1, 1, due.isoformat())
    assert {"state": "deferred", "reason": "450 greylisted", "count": 1} in told["reasons"]

    with newsroom.database.write() as session:
        editions.pause(session, 1, "by command", retry_at=None)
    with newsroom.database.read() as session:
        (told,) = status(session, newsroom.settings, "world/daily")
    assert (told["deferred"], told["next_due_at"]) == (1, None), "nothing is tried before `digest resume`"


def test_each_limit_that_slows_delivery_is_told_in_a_sentence(database: Database, settings: Settings) -> None:
    limits = {
        "slow.example": DomainSettings(rate=1, connections=1),
        "fast.example": DomainSettings(rate=20, connections=3),
        "free.example": DomainSettings(),
    }
    slow = settings.smtp.model_copy(update={"domains": limits, "rate": 0.5})
    limited = settings.model_copy(update={"smtp": slow})

    with database.read() as session:
        assert slowed_by(session, settings, NOW) == []
        assert sorted(slowed_by(session, limited, NOW)) == [
            "all relays: limited to 0.5 messages per second",
            "fast.example: limited to 20 messages per second and 3 connections",
            "free.example: not limited",
            "slow.example: limited to 1 message per second and 1 connection",
        ]


def _finish(newsroom: Newsroom) -> None:
    with newsroom.database.write() as session:
        for edition in find_named(session, None):
            edition.state, edition.finished_at = EditionState.FINISHED, NOW
            session.add(edition)
