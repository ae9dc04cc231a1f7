"""Every family of server's reports, complaints, automatic answers and letters is told apart (own inputs)."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from digest.mail.reports.classification import read

FOLDER = Path(__file__).parent / "bounces"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "expected.toml").read_text())


def test_every_message_of_the_corpus_has_an_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(EXPECTED)
    assert sum(one["kind"] == "bounce" for one in EXPECTED.values()) >= 80


@pytest.mark.parametrize("name", EXPECTED)
def test_a_message_is_told_for_what_it_is(name: str) -> None:
    report = read((FOLDER / f"{name}.eml").read_bytes())
    expected = EXPECTED[name].get("failures", [])

    assert report.kind == EXPECTED[name]["kind"], report.why
    assert [one.address for one in report.failures] == [one["address"] for one in expected]
    for failure, wanted in zip(report.failures, expected, strict=True):
        assert failure.permanent == wanted["permanent"]
        assert wanted["reason"] == "*" or failure.reason in wanted["reason"].split("|"), failure
        assert failure.status == wanted["status"]


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in EXPECTED
        if n.startswith(
            ("postfix-", "arf-", "x-arf-02-headers", "spamcop", "jmrp", "qmail-no", "exim-remote")
        )
    ],
)
def test_the_headers_of_the_returned_message_are_found(name: str) -> None:
    report = read((FOLDER / f"{name}.eml").read_bytes())

    assert report.original.get("message-id") == "<8ed9f3e1a5d01b7708c1e0f1d6a4b2c95a3c7e10@courier.example>"
