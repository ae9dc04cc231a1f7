"""Documents made to break their reader: refused or read at once and in little memory, measured in a child."""

import json
import subprocess
import sys
from typing import Any

from tests.support.measured import BOMBS, SHAPES, WAYS


def measured(kind: str) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.measured", kind],
        capture_output=True,
        text=True,
        timeout=550,
        check=True,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_bomb_is_refused_within_a_second_and_fifty_megabytes() -> None:
    found = measured("bombs")
    assert [one["name"] for one in found] == list(BOMBS)
    assert [one for one in found if one["seconds"] > 1 or one["megabytes"] > 50] == []
    read = {one["name"] for one in found if not one["came"].startswith("refused")}
    # These are read as the text they are: their entities stay unread.
    assert read <= {
        "external dtd",
        "billion laughs in utf-7",
        "billion laughs in ebcdic",
        "comments that never end",
    }


def test_no_shape_of_a_document_holds_its_reader() -> None:
    """A document of 20 to 300 kB takes seconds at most: what takes the square of its length takes minutes."""
    found = measured("shapes")
    assert len(found) == len(SHAPES) * len(WAYS)
    assert [one for one in found if one["seconds"] > 6] == []
