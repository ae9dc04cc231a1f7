"""The ledger that tests of delivery's statements share."""

from collections.abc import Iterator

import pytest

from digest.store.database import Database
from tests.store.delivery.ledgers import Ledger, open_ledger


@pytest.fixture
def ledger(database: Database) -> Iterator[Ledger]:
    with open_ledger(database) as ledger:
        yield ledger
