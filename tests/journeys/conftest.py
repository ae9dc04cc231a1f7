"""Fixtures that journeys share: a publication that runs commands, and a desk that editors sign in to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.settings import Settings
from tests.support.desks import Clock, Newsdesk
from tests.support.newsroom import Publication


@pytest.fixture
def publication(tmp_path: Path, database_url: str) -> Publication:
    """Return a publication on each database; its relay is nowhere until a test names one."""
    return Publication(tmp_path, database_url, port=2525)


@pytest.fixture
def newsdesk(settings: Settings) -> Iterator[Newsdesk]:
    """Yield a desk on each database, its clock the test's own."""
    newsdesk = Newsdesk(settings, Clock())
    yield newsdesk
    newsdesk.close()
