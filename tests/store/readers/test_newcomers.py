"""Newcomers in bulk: what stands in the tables, and what happens when somebody was faster."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from digest.models import ConsentEvent, Subscriber, Subscription
from digest.store.database import Database
from digest.store.readers.newcomers import AddressTakenError, Joining, Newcomer, add_newcomers

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)


def newcomer(number: int, name: str = "", language: str | None = None) -> Newcomer:
    """Return somebody whose address is made of a number."""
    address = f"r{number}@x.example"
    return Newcomer(f"{number:026}", address, address, name, language, None)


def joining(*, confirmed: bool = True) -> Joining:
    """Return what people of a list have in common."""
    number = 1 if confirmed else None
    return Joining("world", "daily", {"*": NOW.isoformat()}, confirmed, number, {"import": "list.csv"}, NOW)


def test_names_that_look_like_the_format_come_back_as_they_were(database: Database) -> None:
    names = ["a\\tb", "\\N", "tab\there", "O’Neill \U0001f600", "", "\\"]
    people = [newcomer(number, name, "sv" if number else None) for number, name in enumerate(names)]
    with database.write() as session:
        add_newcomers(session, [(joining(), people)])
    with database.read() as session:
        rows = session.exec(select(Subscriber).order_by(Subscriber.id)).all()  # type: ignore[arg-type]
    assert [row.name for row in rows] == names
    assert [row.language for row in rows] == [None, "sv", "sv", "sv", "sv", "sv"]
    assert {row.created_at for row in rows} == {NOW}


def test_each_has_a_subscription_and_an_event_as_their_group_joined(database: Database) -> None:
    with database.write() as session:
        add_newcomers(
            session, [(joining(), [newcomer(1)]), (joining(confirmed=False), [newcomer(2), newcomer(3)])]
        )
    with database.read() as session:
        rows = session.exec(select(Subscription).order_by(Subscription.subscriber_id)).all()  # type: ignore[arg-type]
        events = session.exec(select(ConsentEvent).order_by(ConsentEvent.subscriber_id)).all()  # type: ignore[arg-type]
    assert [(row.state, row.confirmed_at, row.mail_form) for row in rows] == [
        ("confirmed", NOW, "pictures"), ("pending", None, "pictures"), ("pending", None, "pictures"),
    ]  # fmt: skip
    assert [(event.act, event.wording_id, event.origin["import"]) for event in events] == [
        ("confirmed", 1, "list.csv"), ("asked", None, "list.csv"), ("asked", None, "list.csv"),
    ]  # fmt: skip


def test_an_address_that_somebody_else_entered_is_told_on_postgresql(database: Database) -> None:
    with database.write() as session:
        add_newcomers(session, [(joining(), [newcomer(1)])])
    if database.is_sqlite:  # whoever writes is alone, and has looked before
        return
    again = newcomer(2)._replace(address_key="r1@x.example")
    with database.write() as session, pytest.raises(AddressTakenError), session.begin_nested():
        add_newcomers(session, [(joining(), [newcomer(3), again])])
    with database.read() as session:
        assert [row.address for row in session.exec(select(Subscriber))] == ["r1@x.example"]
