"""Each of the thirty SMTP faults, met by a whole edition: nobody lost, nobody twice without need, the books whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cases import CASES, ELSEWHERE, Case
from tests.faults.killing import Newsstand
from tests.faults.suffering import BEFORE, suffer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def newsstands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Newsstand]]:
    folder = tmp_path_factory.mktemp("newsstands")
    stands = {readers: Newsstand(folder, readers, at=BEFORE) for readers in {case.readers for case in CASES}}
    yield stands
    for stand in stands.values():
        stand.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_edition_outlives_the_fault(newsstands: dict[int, Newsstand], case: Case) -> None:
    with newsstands[case.readers].edition(1) as edition:
        found = suffer(case, edition)

    assert found.trouble == [], found.said


def test_every_number_of_the_list_has_its_case_or_names_its_test() -> None:
    assert {case.number for case in CASES} | ELSEWHERE.keys() == set(range(1, 31))
    for where in ELSEWHERE.values():
        path, _, said = where.partition(": ")
        assert said.replace(" ", "_") in (ROOT / path).read_text() or path.startswith("tests/journeys")
