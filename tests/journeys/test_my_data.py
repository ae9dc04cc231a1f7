"""A reader's copy of their data has a place for every table that refers to them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import SQLModel

from digest.models import Answer, Bounce, Complaint, Delivery, Edition, Letter
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.journeys.test_reader_page import own_page
from tests.support.readers import NOW, Clock, find_row, sign_up_and_confirm

SHOWN_AS = {
    "subscription": "subscriptions", "consent_event": "consent", "letter": "letters", "delivery": "editions",
    "confirmation": "confirmation_requests", "reader_notice": "notices", "bounce": "bounces",
    "complaint": "complaints", "answer": "answers",
}  # fmt: skip


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(readers, readers.settings, now=clock), follow_redirects=False) as client:
        sign_up_and_confirm(client, readers, clock())
        yield client


def enter_mail(readers: Readers) -> None:
    row = find_row(readers)
    anna = row.subscriber_id
    made: Any = {"deadline_at": NOW, "freeze_at": NOW, "frozen_at": NOW}
    with readers.database.write() as session:
        edition = Edition(digest="world", cadence="daily", period="2026-03-02", state="frozen", **made)
        session.add(edition)
        session.flush()
        session.add_all(
            [
                Delivery(
                    edition_id=edition.id or 0, subscription_id=row.id or 0, state="failed", due_at=NOW,
                    changed_at=NOW + timedelta(minutes=1), reply_code=550, reply_text="mailbox is full",
                ),
                Bounce(at=NOW, subscriber_id=anna, receiver="example.org", reason="full", weight="soft"),
                Complaint(at=NOW, subscriber_id=anna, receiver="example.org", feedback_type="abuse"),
                Letter(at=NOW, subscriber_id=anna, sender="anna@example.org", subject="Bells", text="Too loud."),
                Answer(created_at=NOW, kind="reply", subscriber_id=anna, address="anna@example.org",
                       subject="Re: help", due_at=NOW),
            ]
        )  # fmt: skip


def test_every_table_that_refers_to_a_reader_is_in_the_copy_of_their_data(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    referring = {
        table.name
        for table in SQLModel.metadata.sorted_tables
        for key in table.foreign_keys
        if key.target_fullname in ("subscriber.id", "subscription.id")
    }
    assert referring == SHOWN_AS.keys()
    enter_mail(readers)

    data = client.get(f"{own_page(client, readers, clock)}/data.json").json()

    assert [name for name in SHOWN_AS.values() if not data[name]] == []
    assert data["editions"] == [
        {"edition": "world/daily/2026-03-02", "state": "failed", "reason": "", "reply": "mailbox is full",
         "at": "2026-03-02T12:01:00+00:00"}
    ]  # fmt: skip
    assert "token" not in str(data)
