"""The id of a stored row."""

import pytest

from digest.models import Worker
from digest.models.row import row_id
from tests.support.samples import NOW


def test_a_row_that_is_stored_has_an_id() -> None:
    assert row_id(Worker(id=7, host="here", pid=1, started_at=NOW)) == 7


def test_a_row_that_is_not_stored_raises_in_place_of_being_row_0() -> None:
    with pytest.raises(ValueError, match="this Worker is not stored"):
        row_id(Worker(host="here", pid=1, started_at=NOW))
