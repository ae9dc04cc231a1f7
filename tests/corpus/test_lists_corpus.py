"""Lists of readers as tools export them, in many languages: who is taken, asked, suppressed and refused.

A case is one file. Each of its addresses says what must become of it: `in`, `ask`, `gone` (suppressed) or `no`
(refused).
"""

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from digest.settings import load_settings
from digest.store.database import Database
from digest.tasks.readers.lists.csv_import import import_subscribers
from digest.tasks.readers.readers import Readers
from tests.conftest import write_config
from tests.tasks.readers.test_csv_import import NOW, TO_BASE32

CASES = sorted((Path(__file__).parent / "lists").iterdir())
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def readers(database: Database, tmp_path: Path) -> Readers:
    settings = load_settings(write_config(tmp_path, "sqlite:///digest.db"))
    ids = itertools.count()
    return Readers(
        database, settings, settings.web.signing_keys, b"the suppression key",
        lambda: f"{next(ids):026}".translate(TO_BASE32), lambda: f"token {next(ids)}",
    )  # fmt: skip


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_nobody_is_taken_who_left_and_nobody_lost_who_stayed(path: Path, readers: Readers) -> None:
    report = import_subscribers(readers, path, "world", "Agreed elsewhere", NOW)
    wanted = Counter(re.findall(r"\b(in|ask|gone|no)\d?@", path.read_text(encoding="utf-8")))
    found = Counter(
        {"in": report.added, "ask": report.asked, "gone": report.departed, "no": report.rejected_count}
    )
    assert +found == wanted, report
