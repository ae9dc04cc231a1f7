"""A small ledger for tests of its statements: one frozen edition, four readers, two workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import select

from digest.models import (
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Variant,
    Withheld,
)
from digest.rules.delivery.reply_verdicts import Verdict
from digest.store.database import Database
from digest.store.delivery import claims, deliveries
from digest.store.delivery.deliveries import Job
from digest.store.workers import WorkerLock

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)


@dataclass
class Ledger:
    """A frozen edition with planned deliveries, and two workers."""

    database: Database
    one: WorkerLock
    other: WorkerLock

    def claim(self, owner: int, size: int = 10) -> list[Job]:
        with self.database.write() as session:
            return claims.claim(session.connection(), owner=owner, now=NOW, size=size)

    def mark(self, job: Job, owner: int) -> None:
        with self.database.write() as session:
            ready = {job.delivery_id: (job, job.composed_at or NOW)}
            claims.mark_in_flight(session.connection(), ready, owner=owner, now=NOW)

    def record(self, job: Job, owner: int, state: DeliveryState) -> None:
        with self.database.write() as session:
            verdict = Verdict(state, "because")
            deliveries.record(session, job, verdict, code=250, dot_left=True, owner=owner, now=NOW)

    def reap(self, owner: int, *, resend: bool = True) -> tuple[int, int]:
        with self.database.write() as session:
            return deliveries.reap(session, owner, resend=resend, now=NOW)

    def may_still_go(self, job: Job, owner: int) -> Withheld | bool:
        with self.database.write() as session:
            ready = {job.delivery_id: (job, NOW)}
            kept_back = claims.mark_in_flight(session.connection(), ready, owner=owner, now=NOW)
        return kept_back.get(job.delivery_id, True)

    def set_subscription(self, job: Job, state: SubscriptionState) -> None:
        with self.database.write() as session:
            row = session.get_one(Subscription, job.subscription_id)
            row.state = state
            session.add(row)

    def delivery(self, job: Job) -> Delivery:
        with self.database.read() as session:
            return session.get_one(Delivery, job.delivery_id)

    def states(self) -> list[str]:
        with self.database.read() as session:
            return sorted(session.exec(select(Delivery.state)))


@contextmanager
def open_ledger(database: Database) -> Iterator[Ledger]:
    """Yield the ledger, its deliveries planned."""
    with database.write() as session:
        edition = Edition(
            digest="world", cadence="daily", period="2026-11-23", state=EditionState.FROZEN,
            deadline_at=NOW, freeze_at=NOW,
        )  # fmt: skip
        session.add(edition)
        session.flush()
        variant = Variant(edition_id=edition.id or 0, key="k", language="en")
        session.add(variant)
        session.flush()
        for n in range(4):
            person = Subscriber(
                public_id=f"p{n}", address=f"r{n}@x.example", address_key=f"r{n}@x.example", created_at=NOW
            )
            session.add(person)
            session.flush()
            subscription = Subscription(
                subscriber_id=person.id or 0, digest="world", cadence="daily", created_at=NOW,
                state=SubscriptionState.CONFIRMED, topics={"*": NOW.isoformat()},
            )  # fmt: skip
            session.add(subscription)
            session.flush()
            session.add(Delivery(
                edition_id=edition.id or 0, subscription_id=subscription.id or 0, variant_id=variant.id,
                due_at=NOW - timedelta(minutes=n), changed_at=NOW,
            ))  # fmt: skip
    one, other = (WorkerLock.acquire(database, host="test", pid=n, now=NOW) for n in (1, 2))
    yield Ledger(database, one, other)
    one.die()
    other.die()
