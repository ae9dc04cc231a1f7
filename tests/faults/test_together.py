"""Cron's runs and daemons at once: two rounds of what `python -m tests.faults.together` repeats."""

import random
from pathlib import Path

import pytest

from tests.faults.together import newsstand, race


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_runs_and_daemons_at_once_make_one_edition_and_one_message_a_reader(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    with newsstand(tmp_path, url, readers=40) as stand, stand.edition(connections=2) as edition:
        assert race(edition, random.Random(3)) == ""
