"""Fixtures that tests of use cases share."""

from collections.abc import Iterator

import pytest

from digest.settings import Settings
from digest.store.database import Database
from digest.store.workers import WorkerLock
from tests.support.compilation import Newsroom


@pytest.fixture
def newsroom(database: Database, settings: Settings) -> Iterator[Newsroom]:
    """Yield a newsroom on each database; its workers end with the test."""
    workers: list[WorkerLock] = []
    yield Newsroom(database, settings, workers)
    for worker in workers:
        worker.die()
