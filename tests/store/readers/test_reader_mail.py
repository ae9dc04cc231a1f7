"""Notices and answers to readers: claimed once, recorded by who claimed them, released when that worker dies."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from digest.models import Answer, MailState, NoticeKind, ReaderNotice, Subscriber
from digest.models.row import row_id
from digest.store.database import Database
from digest.store.readers import answers, notices, subscribers
from digest.store.readers.reader_mail import record_mail
from digest.store.readers.used_tokens import use_token

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OURS, DEAD = 1, 2


@pytest.fixture
def reader(database: Database) -> Subscriber:
    """Return a reader whose notices and answers are mailed."""
    with database.write() as session:
        row = Subscriber(public_id="a" * 26, address="a@x.example", address_key="a@x.example", created_at=NOW)
        return subscribers.add_subscriber(session, row)


def plan_notices(session: Session, reader: Subscriber, dues: Sequence[datetime]) -> list[int]:
    """Plan notices that are due at these times; return their ids."""
    rows = [
        ReaderNotice(
            subscriber_id=row_id(reader), kind=NoticeKind.LINK, address=reader.address, requested_at=due, due_at=due
        )
        for due in dues
    ]  # fmt: skip
    for row in rows:
        notices.add_notice(session, row)
    return [row_id(row) for row in rows]


def plan_answers(
    session: Session, reader: Subscriber, dues: Sequence[datetime], kind: str = "answer"
) -> list[int]:
    """Plan answers that are due at these times; return their ids."""
    return [
        row_id(
            answers.add_answer(
                session,
                Answer(
                    created_at=due, kind=kind, subscriber_id=row_id(reader), address=reader.address, due_at=due,
                    subject="Re: topics", values={"text": "x"}, reply_to="news@x.example",
                ),
            )
        )
        for due in dues
    ]  # fmt: skip


def states(session: Session) -> list[tuple[str, int | None]]:
    """Return the state and owner of each notice, in order."""
    rows = session.exec(select(ReaderNotice).order_by(col(ReaderNotice.id)))
    return [(row.mail_state, row.owner) for row in rows]


def test_the_notice_that_has_been_due_longest_is_claimed_first_and_once(
    database: Database, reader: Subscriber
) -> None:
    with database.write() as session:
        later, first, _ = plan_notices(session, reader, [NOW, NOW - MINUTE, NOW + MINUTE])
        claimed = [notices.claim_notice(session, OURS, NOW) for _ in range(3)]

    assert [one.id if one else None for one in claimed] == [first, later, None]


def test_a_notice_is_recorded_only_by_who_claimed_it(database: Database, reader: Subscriber) -> None:
    with database.write() as session:
        (number,) = plan_notices(session, reader, [NOW])
        notices.claim_notice(session, OURS, NOW)
        record_mail(session, ReaderNotice, number, DEAD, MailState.FAILED, reply="550 no")
        assert states(session) == [(MailState.CLAIMED, OURS)]
        record_mail(session, ReaderNotice, number, OURS, MailState.IN_FLIGHT)
        record_mail(
            session, ReaderNotice, number, OURS, MailState.PLANNED, reply="450 wait", due_at=NOW + MINUTE
        )

    with database.write() as session:
        row = session.get_one(ReaderNotice, number)
        assert (row.mail_state, row.owner, row.attempts, row.reply) == (
            MailState.PLANNED,
            None,
            1,
            "450 wait",
        )
        assert row.due_at == NOW + MINUTE
        assert notices.claim_notice(session, OURS, NOW) is None, "it is not due yet"


def test_what_a_dead_worker_held_is_planned_again_and_one_in_flight_twice_is_uncertain(
    database: Database, reader: Subscriber
) -> None:
    with database.write() as session:
        numbers = plan_notices(session, reader, [NOW - 4 * MINUTE, NOW - 3 * MINUTE, NOW - 2 * MINUTE, NOW])
        for owner in (DEAD, DEAD, DEAD, OURS):
            notices.claim_notice(session, owner, NOW)
        for _ in range(2):
            record_mail(session, ReaderNotice, numbers[1], DEAD, MailState.IN_FLIGHT)
        record_mail(session, ReaderNotice, numbers[2], DEAD, MailState.IN_FLIGHT)

        notices.release_notices(session, DEAD)

        assert states(session) == [
            (MailState.PLANNED, None),
            (MailState.UNCERTAIN, None),
            (MailState.PLANNED, None),
            (MailState.CLAIMED, OURS),
        ]


def test_a_link_opens_once_whoever_asks_at_the_same_time(database: Database, reader: Subscriber) -> None:
    with database.write() as session:
        (number,) = plan_notices(session, reader, [NOW])
        notices.set_token(session, number, "hash", NOW + MINUTE)
    with database.write() as session:
        mine, theirs = notices.find_notice(session, "hash"), notices.find_notice(session, "hash")
        assert mine is not None
        assert theirs is not None
        assert [use_token(session, mine, NOW), use_token(session, theirs, NOW)] == [True, False]
        assert notices.find_notice(session, "another hash") is None


def test_notices_are_forgotten_by_reader_or_by_age(database: Database, reader: Subscriber) -> None:
    with database.write() as session:
        plan_notices(session, reader, [NOW - MINUTE, NOW])
        notices.forget_notices(session, subscriber_id=row_id(reader) + 1)
        assert len(states(session)) == 2
        notices.forget_notices(session, before=NOW)
        assert notices.list_requested(session, row_id(reader), NoticeKind.LINK, NOW - MINUTE) == [NOW]
        notices.forget_notices(session, subscriber_id=row_id(reader))
        assert states(session) == []


def test_an_answer_is_claimed_once_and_recorded_by_who_claimed_it(
    database: Database, reader: Subscriber
) -> None:
    with database.write() as session:
        second, first = plan_answers(session, reader, [NOW, NOW - MINUTE])
        claimed = [answers.claim_answer(session, OURS, NOW) for _ in range(3)]
        assert [one.id if one else None for one in claimed] == [first, second, None]
        answers.record_answer(session, first, DEAD, MailState.FAILED, "550 no", None)
        answers.record_answer(session, second, OURS, MailState.PLANNED, "4" * 900, NOW + MINUTE)

    with database.read() as session:
        kept, again = session.get_one(Answer, first), session.get_one(Answer, second)
    assert (kept.state, kept.owner, kept.attempts) == (MailState.IN_FLIGHT, OURS, 1)
    assert (again.state, again.owner, again.due_at, len(again.reply)) == (
        MailState.PLANNED, None, NOW + MINUTE, 500,
    )  # fmt: skip


def test_an_answer_that_a_dead_worker_had_in_flight_is_not_repeated(
    database: Database, reader: Subscriber
) -> None:
    with database.write() as session:
        first, second = plan_answers(session, reader, [NOW - MINUTE, NOW])
        for owner in (DEAD, OURS):
            answers.claim_answer(session, owner, NOW)
        answers.release_answers(session, DEAD)
        assert answers.claim_answer(session, OURS, NOW) is None

    with database.read() as session:
        assert session.get_one(Answer, first).state == MailState.UNCERTAIN
        assert session.get_one(Answer, second).owner == OURS


def test_one_address_is_answered_once_in_a_time_and_letters_do_not_count(
    database: Database, reader: Subscriber
) -> None:
    with database.write() as session:
        plan_answers(session, reader, [NOW], kind="letter")
        assert not answers.was_answered(session, reader.address, NOW - MINUTE)
        plan_answers(session, reader, [NOW - MINUTE], kind="ask")
        assert answers.was_answered(session, reader.address, NOW - 2 * MINUTE)
        assert not answers.was_answered(session, reader.address, NOW - MINUTE)
        assert not answers.was_answered(session, "b@x.example", NOW - 2 * MINUTE)
        assert [one.kind for one in answers.list_asked(session, row_id(reader))] == ["ask"]


def test_what_was_written_to_an_erased_reader_is_deleted_and_what_waits_is_never_sent(
    database: Database, reader: Subscriber
) -> None:
    with database.write() as session:
        sent, planned = plan_answers(session, reader, [NOW - MINUTE, NOW])
        answers.claim_answer(session, OURS, NOW)
        answers.record_answer(session, sent, OURS, MailState.ACCEPTED, "250 ok", None)
        answers.erase_answers(session, row_id(reader))
        assert answers.claim_answer(session, OURS, NOW) is None

    with database.read() as session:
        rows = [session.get_one(Answer, number) for number in (sent, planned)]
    assert [row.state for row in rows] == [MailState.ACCEPTED, MailState.FAILED]
    assert {(row.address, row.subject, row.reply_to, row.reply, len(row.values)) for row in rows} == {
        ("", "", "", "", 0)
    }
