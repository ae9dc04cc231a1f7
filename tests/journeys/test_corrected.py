"""A correction goes to those who have the article, once, in a message that says so."""

from pathlib import Path

from tests.support.newsroom import Caught, Publication

ARTICLE = "https://courier.example/bridge-reopens"
TEXT = "The bridge has **two** lanes, not three. <script>alert(1)</script>"


def test_those_who_have_it_are_told_once_and_it_can_be_proven(tmp_path: Path, database_url: str) -> None:
    with Caught() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.begin(3)
        publication.run("send", "--now")
        first = len(server.messages)
        publication.run("subscribers", "add", "late@readers.example", "--confirmed", "on paper")

        done = publication.facts("articles", "correct", ARTICLE, "--text", TEXT)
        publication.run("send")
        publication.run("articles", "correct", ARTICLE, "--text", TEXT)
        publication.run("send")

        told = server.parsed()[first:]
    assert done["told"] == 3
    assert sorted(str(message["To"]) for message in told) == [f"r{n}@readers.example" for n in range(3)]
    message = told[0]
    assert message["Subject"] == "Correction: Bridge reopens"
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "<strong>two</strong> lanes" in html.get_content()
    assert "<script" not in html.get_content()
    assert f'href="{ARTICLE}"' in html.get_content()
    assert ARTICLE in text.get_content()
    assert "two lanes, not three" in " ".join(text.get_content().replace("*", "").split())
    assert "/archive/world/correction" not in html.get_content()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len({str(one["Message-ID"]) for one in server.parsed()}) == first + 3

    audit = publication.facts("audit")
    assert audit["ok"] is True
    (row,) = [row for row in audit["editions"] if row["cadence"] == "correction"]
    assert (row["state"], row["total"], row["accepted"]) == ("finished", 3, 3)
    why = publication.facts("why", "r0@readers.example", ARTICLE)
    assert "a correction of it is accepted" in why["reason"]


def test_a_notice_needs_a_text_from_one_place(tmp_path: Path, database_url: str) -> None:
    publication = Publication(tmp_path, database_url, port=1)
    publication.begin(1)
    publication.run("fetch")
    assert "--text or with --file" in publication.run("articles", "correct", ARTICLE, code=2)
    missing = str(tmp_path / "none.md")
    assert "cannot be read" in publication.run("articles", "correct", ARTICLE, "--file", missing, code=1)
    (tmp_path / "notice.md").write_text("It has two lanes.")
    said = publication.run("articles", "correct", ARTICLE, "--file", str(tmp_path / "notice.md"))
    assert "0 messages planned" in said
