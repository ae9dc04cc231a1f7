"""Fixtures that journeys share: commands of a publication, a desk that editors sign in to, readers, a relay."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.readers.readers import Readers
from tests.support.desks import Clock as DeskClock
from tests.support.desks import Newsdesk
from tests.support.newsroom import Caught, Publication
from tests.support.readers import Clock, make_readers


@pytest.fixture
def publication(tmp_path: Path, database_url: str) -> Publication:
    """Return a publication on each database; its relay is nowhere until a test names one."""
    return Publication(tmp_path, database_url)


@pytest.fixture
def newsdesk(settings: Settings) -> Iterator[Newsdesk]:
    """Yield a desk on each database, its clock the test's own."""
    newsdesk = Newsdesk(settings, DeskClock())
    yield newsdesk
    newsdesk.close()


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still until a test moves it."""
    return Clock()


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    """Return the use cases of readers, on each database."""
    return make_readers(database, settings)


@pytest.fixture
def caught() -> Iterator[Caught]:
    """Yield a relay that keeps the mail it accepts."""
    with Caught() as server:
        yield server
