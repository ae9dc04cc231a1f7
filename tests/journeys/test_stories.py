"""One story of two sources: a reader gets it once, is told where else it stands, and `why` explains it."""

from pathlib import Path

import pytest

from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TEXT = (
    "The swing bridge reopened after eleven months of repairs that cost the county fourteen million. Engineers "
    "replaced both bearings and a long part of the eastern span, which had corroded since the storm. The first "
    "vehicle across was a bus with pupils of the island school."
)
WIRE = """
[[sources]]
name = "wire"
title = "The Tide Wire"
url = "wire"
topics = ["science"]
[[digests]]"""


def write(folder: Path, title: str, url: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "bridge.md").write_text(f"---\ntitle: {title}\nurl: {url}\n---\n\n{TEXT}\n")


@pytest.fixture
def publication(publication: Publication, tmp_path: Path) -> Publication:
    publication.change_settings("[[digests]]", WIRE.strip())
    write(tmp_path / "articles", "Bridge reopens", "https://courier.example/bridge")
    publication.run("fetch", "newsroom")
    write(tmp_path / "wire", "Nobody will miss the ferry", "https://wire.example/1?a=1&b=2")
    assert "1 folded into others" in publication.run("fetch", "wire")
    return publication


def test_a_reader_gets_a_story_once_with_where_else_it_stands(
    publication: Publication, tmp_path: Path
) -> None:
    with Caught() as relay:
        publication.use_relay(relay.port)
        publication.run("subscribers", "add", "ann@readers.example", "--confirmed", "by phone")
        publication.run("preview", "world", "--as", "ann@readers.example", "--out", str(tmp_path / "look"))
        publication.run("send", "--now")
        publication.run("send", "--now")

    (message,) = relay.parsed()
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    text = text.replace("\r\n", "\n")
    assert "Bridge reopens" in text
    assert "Also at The Tide Wire\nhttps://wire.example/1?a=1&b=2" in text
    assert 'href="https://wire.example/1?a=1&amp;b=2"' in html
    assert "miss the ferry" not in text + html

    why = publication.facts("why", "ann@readers.example", "https://wire.example/1?a=1&b=2")
    assert why["included"] is True
    assert "folded into article 1 of newsroom; article 1 is number 1" in why["reason"]
    assert "stays folded" in publication.run("articles", "split", "2", code=1)


def test_an_editor_sees_where_else_a_story_stands_and_may_part_it(publication: Publication) -> None:
    root, folded = (publication.facts("articles", "show", number) for number in ("1", "2"))
    assert [place["source"] for place in root["also_at"]] == ["wire"]
    assert (root["folded_into"], folded["folded_into"]) == (None, 1)
    shown = publication.run("articles", "show", "1")
    assert "also at wire: https://wire.example/1?a=1&b=2 (article 2)" in shown
    assert "split one of those folded into it: 2" in publication.run("articles", "split", "1", code=1)

    assert "is a story of its own again" in publication.run("articles", "split", "2")
    assert publication.facts("articles", "show", "1")["also_at"] == []
    assert len(publication.facts("preview", "world", "--out", str(publication.folder))["articles"]) == 2
