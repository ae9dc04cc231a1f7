"""A newsroom to compile editions in: articles, readers, and the lists that came of it."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    Edition,
    Subscriber,
    Subscription,
    SubscriptionState,
    VariantArticle,
)
from digest.settings import Settings
from digest.store.database import Database
from digest.store.workers import WorkerLock
from digest.tasks.editions.compiling import Compiled, Compiler

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)  # 07:05 in Paris, a Monday
DAY = timedelta(days=1)


class Newsroom:
    """A database to compile from, and what came of it."""

    def __init__(
        self, database: Database, settings: Settings, workers: list[WorkerLock], range_size: int = 2
    ) -> None:
        self.database, self.settings, self.workers = database, settings, workers
        self.digest = settings.digest("world")
        self.worker = WorkerLock.acquire(database, host="test", pid=1, now=NOW)
        workers.append(self.worker)
        self.compiler = Compiler(database, settings, self.worker.id, range_size)
        self._numbers = itertools.count(1)

    def publish(self, *topics: str, at: datetime = NOW - timedelta(hours=5)) -> int:
        """Store an article and return its id."""
        number = next(self._numbers)
        row = Article(
            source="newsroom", canonical_url=f"https://x.example/{number}", url=f"https://x.example/{number}",
            content_hash=str(number), title=f"Story {number}", topics=list(topics) or ["world"],
            first_seen_at=at,
        )  # fmt: skip
        with self.database.write() as session:
            session.add(row)
            session.flush()
            assert row.id is not None
            return row.id

    def subscribe(
        self, *topics: str, cadence: str = "daily", at: datetime = NOW - DAY, zone: str | None = None
    ) -> int:
        """Enter a confirmed reader and return the subscription's id."""
        number = next(self._numbers)
        with self.database.write() as session:
            person = Subscriber(
                public_id=f"p{number}", address=f"r{number}@x.example", address_key=f"r{number}@x.example",
                timezone=zone, created_at=at,
            )  # fmt: skip
            session.add(person)
            session.flush()
            row = Subscription(
                subscriber_id=person.id or 0, digest="world", cadence=cadence, created_at=at,
                state=SubscriptionState.CONFIRMED, confirmed_at=at,
                topics={topic: at.isoformat() for topic in topics or ("*",)},
            )  # fmt: skip
            session.add(row)
            session.flush()
            assert row.id is not None
            return row.id

    def compile(self, now: datetime = NOW, *, at_once: bool = True) -> list[Compiled]:
        """Compile what is due."""
        return self.compiler.compile_due(self.digest, now, at_once=at_once)

    def lists(self, cadence: str = "daily") -> dict[int, list[list[int]]]:
        """Return each subscription's lists of article ids, edition by edition."""
        query = (
            select(Delivery.subscription_id, Delivery.edition_id, VariantArticle.article_id)
            .join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
            .join(Edition, col(Edition.id) == col(Delivery.edition_id))
            .where(Edition.cadence == cadence)
            .order_by(col(Delivery.id), col(VariantArticle.position))
        )
        found: dict[int, dict[int, list[int]]] = {}
        with self.database.read() as session:
            for subscription, edition, article in session.exec(query):
                found.setdefault(subscription, {}).setdefault(edition, []).append(article)
        return {subscription: list(editions.values()) for subscription, editions in found.items()}

    def set_states(self, state: DeliveryState, subscriptions: Sequence[int]) -> None:
        """Let deliveries end, with what failing does to the cohort."""
        with self.database.write() as session:
            for row in session.exec(select(Delivery).where(col(Delivery.subscription_id).in_(subscriptions))):
                row.state = state
                session.add(row)
            if state is DeliveryState.FAILED:
                for one in session.exec(select(Subscription).where(col(Subscription.id).in_(subscriptions))):
                    one.cohort_id = None
                    session.add(one)

    def deliveries(self) -> list[Delivery]:
        """Return all deliveries."""
        with self.database.read() as session:
            return list(session.exec(select(Delivery).order_by(col(Delivery.id))))
