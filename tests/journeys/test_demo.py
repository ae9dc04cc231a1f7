"""The first hour: `digest demo` in an empty folder ends with each due reader's own digest in the outbox."""

import csv
import json
from pathlib import Path

import pytest

from digest.rules.readers.address import normalise
from tests.support.newsroom import run_command
from tests.support.standards import check_digest, parse

POSTAL = "The Harbour Courier, 1 Quay Street, Harbourtown"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "x"
    out, _ = run_command("demo", "--no-serve", "--dir", str(folder))
    return folder, out


@pytest.fixture(scope="module")
def messages(demo: tuple[Path, str]) -> dict[str, bytes]:
    """Give each reader's one message."""
    found = [path.read_bytes() for path in (demo[0] / "outbox").glob("*.eml")]
    by_reader = {str(parse(raw)["To"].addresses[0].addr_spec): raw for raw in found}
    assert len(by_reader) == len(found), "one message a reader"
    return by_reader


def sample(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "newsroom" / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        return {normalise(row["email"]).address: row for row in csv.DictReader(file)}


def facts(folder: Path, *arguments: str) -> object:
    out, _ = run_command(*arguments, "--json", "--config", str(folder / "config.toml"))
    return json.loads(out)


def test_each_sample_reader_has_one_message(demo: tuple[Path, str], messages: dict[str, bytes]) -> None:
    readers = sample(demo[0])
    assert len(readers) >= 25
    assert set(messages) == set(readers)


def test_each_message_keeps_the_standards(messages: dict[str, bytes]) -> None:
    for raw in messages.values():
        check_digest(raw, POSTAL)


def test_no_reader_gets_an_article_outside_their_topics(
    demo: tuple[Path, str], messages: dict[str, bytes]
) -> None:
    stored = facts(demo[0], "articles", "list")
    assert isinstance(stored, list)
    assert len(stored) >= 36
    for address, row in sample(demo[0]).items():
        text, _ = check_digest(messages[address], POSTAL)
        inside = [article for article in stored if article["url"] in text.split()]
        assert inside, address
        if row["topics"]:
            wanted = set(row["topics"].split(";"))
            assert all(wanted & set(article["topics"]) for article in inside), address


def test_each_name_stands_in_its_message_as_it_is_written(
    demo: tuple[Path, str], messages: dict[str, bytes]
) -> None:
    for address, row in sample(demo[0]).items():
        assert parse(messages[address])["To"].addresses[0].display_name == row["name"]


def test_the_summary_says_how_many_and_where(demo: tuple[Path, str]) -> None:
    folder, out = demo
    assert "articles from 2 sources, 25 readers" in out
    assert "25 messages accepted, 0 failed" in out
    assert str(folder / "outbox") in out


def test_the_demo_is_accounted_for_and_run_again_it_goes_on(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    report = facts(folder, "audit")
    assert isinstance(report, dict)
    assert report["ok"] is True
    before = len(list((folder / "outbox").glob("*.eml")))

    run_command("demo", "--no-serve", "--dir", str(folder))

    assert len(list((folder / "outbox").glob("*.eml"))) == before
