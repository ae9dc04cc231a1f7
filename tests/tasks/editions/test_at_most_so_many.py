"""Readers who want few articles get few; what did not fit comes with the next edition."""

from email.message import EmailMessage
from pathlib import Path

from tests.support.newsroom import Caught, Publication


def titles(message: EmailMessage, named: list[str]) -> list[str]:
    body = message.get_body(("plain",))
    assert body is not None
    return [title for title in named if title in body.get_content()]


def test_a_reader_gets_at_most_what_they_want_and_the_rest_later(tmp_path: Path, database_url: str) -> None:
    folder = tmp_path
    named = ["Alps open", "Baltic freezes", "Crete votes", "Delta floods"]
    with Caught() as relay:
        publication = Publication(folder, database_url, port=relay.port)
        for title in named:
            publication.write_article(title)
        for name in ("few", "all", "few.too"):
            publication.run("subscribers", "add", f"{name}@readers.example", "--confirmed", "by phone")
        for name in ("few", "few.too"):
            publication.run("subscribers", "set", f"{name}@readers.example", "--articles", "3")
        publication.run("fetch")
        out = str(folder / "look")
        publication.run("preview", "world", "--as", "few@readers.example", "--out", out)
        publication.run("send", "--now")
        got = {str(one["To"]): titles(one, named) for one in relay.parsed()}

    assert len(got["all@readers.example"]) == 4
    assert len(got["few@readers.example"]) == 3
    assert got["few@readers.example"] == got["few.too@readers.example"]
    previewed = next(Path(out).glob("*.txt")).read_text()
    assert [title for title in named if title in previewed] == got["few@readers.example"]
    (left,) = set(named) - set(got["few@readers.example"])
    article = next(one for one in publication.facts("articles", "list") if one["title"] == left)
    why = publication.facts("why", "few@readers.example", str(article["id"]))
    assert why["included"] is False
    assert "is in the reader's next edition" in why["reason"]
    assert publication.facts("audit")["ok"] is True
    assert (
        publication.facts("subscribers", "show", "few@readers.example")["subscriptions"][0]["max_articles"]
        == 3
    )


def test_more_than_the_digest_gives_is_refused_and_none_is_as_many_as_fit(
    tmp_path: Path, database_url: str
) -> None:
    publication = Publication(tmp_path, database_url)
    publication.run("subscribers", "add", "few@readers.example", "--confirmed", "by phone")
    said = publication.run("subscribers", "set", "few@readers.example", "--articles", "6", code=1)
    assert '"6" articles are not what world gives: pick 1 to 5' in said
    publication.run("subscribers", "set", "few@readers.example", "--articles", "3")
    publication.run("subscribers", "set", "few@readers.example", "--articles", "0")
    shown = publication.facts("subscribers", "show", "few@readers.example")
    assert shown["subscriptions"][0]["max_articles"] is None
