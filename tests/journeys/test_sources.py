"""Sources from another feed reader and back, and what an operator sees of their health."""

import os

import pytest

from digest.articles.feeds.opml import OpmlFeed, parse_opml, write_opml
from digest.errors import InputError
from digest.settings import load_settings
from tests.support.newsroom import Publication
from tests.support.websites import Website, page

LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0"><head><title>Mine</title></head><body>
<outline text="World &amp; Trade"><outline text="Deep">
  <outline type="rss" text="Harbour News" xmlUrl="https://harbour.example/feed"/></outline></outline>
<outline text="Sea"><outline type="rss" text="Harbour News" xmlUrl="https://harbour.example/feed"/></outline>
<outline text="Harbour News" xmlurl="https://other.example/feed" category="/Places/Ports,sea"/>
<outline text="Twice" xmlUrl="http://www.harbour.example/feed/"/>
<outline text="No address" type="rss"/>
<outline text="Script" xmlUrl="javascript:alert(1)"/>
<outline text="" xmlUrl="feed://unnamed.example/rss"/>
<outline text="\xd0\x9c\xd0\xb8\xd1\x80" xmlUrl="https://mir.example/rss"/>
</body></opml>"""


def test_a_list_is_taken_over_and_what_stood_in_the_settings_is_kept(publication: Publication) -> None:
    path = publication.folder / "feeds.opml"
    path.write_bytes(LIST)
    publication.config.chmod(0o600)
    before = publication.config.read_text() + "# the last line, a remark"
    publication.config.write_text(before)
    said = publication.run("sources", "import", str(path), code=1)

    assert publication.config.read_text().startswith(before + "\n")
    assert publication.config.stat().st_mode & 0o777 == 0o600
    sources = load_settings(publication.config).sources
    assert [(source.name, source.url, source.topics) for source in sources[1:]] == [
        ("harbour-news", "https://harbour.example/feed", ("world-trade", "deep", "sea")),
        ("harbour-news-2", "https://other.example/feed", ("ports", "sea")),
        ("unnamed-example", "http://unnamed.example/rss", ()),
        ("mir", "https://mir.example/rss", ()),
    ]
    assert "4 added to" in said
    assert 'Twice: it is the source "harbour-news" already' in said
    assert "No address: it has no xmlUrl" in said
    assert 'Script: "javascript:alert(1)" is not an http(s) address' in said


def test_taking_the_same_list_over_again_adds_nothing(publication: Publication) -> None:
    path = publication.folder / "feeds.opml"
    path.write_bytes(write_opml("Mine", [OpmlFeed("Paper", "https://paper.example/feed", ("world",))]))
    assert "1 added" in publication.run("sources", "import", str(path))
    once = publication.config.read_bytes()
    assert "nothing to add" in publication.run("sources", "import", str(path), code=1)
    assert publication.config.read_bytes() == once


def test_what_is_exported_is_imported_as_it_was(publication: Publication) -> None:
    with publication.config.open("a") as file:
        file.write(
            '[[sources]]\nname = "paper"\nurl = "https://ann:hush@paper.example/f?a=1&b=2"\ntopics = ["x"]\n'
        )
    out = publication.folder / "out.opml"
    said = publication.run("sources", "export", str(out))
    outlines, rejected = parse_opml(out.read_bytes(), name="out")

    assert outlines == [OpmlFeed("paper", "https://paper.example/f?a=1&b=2", ("x",))]
    assert rejected == []
    assert "newsroom: it is a path of this machine" in said
    assert "hush" not in publication.run("sources")


def test_settings_that_list_sources_in_one_line_are_left_as_they_are(publication: Publication) -> None:
    text = publication.config.read_text()
    start, end = text.index("[[sources]]"), text.index("[[digests]]")
    text = 'sources = [{name = "a", url = "articles"}]\n' + text[:start] + text[end:]
    publication.config.write_text(text)
    path = publication.folder / "feeds.opml"
    path.write_bytes(LIST)

    assert "is unchanged:" in publication.run("sources", "import", str(path), code=2)
    assert publication.config.read_text() == text
    assert sorted(item.name for item in publication.folder.glob(".*.new")) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not OPML"),
        (b"<rss/>", "is not OPML"),
        (b"\x00\x01", "is not OPML"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml><body><outline text="&a;"/></body></opml>', "declares XML entities"),
        (b"<opml>" + b" " * 10_000_000, "larger than 10 MB"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_one_clear_line(content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_opml(content, name="feeds.opml")


def test_a_list_that_breaks_off_gives_what_came_before() -> None:
    outlines, _ = parse_opml(LIST[: LIST.index(b'<outline text="Twice"') + 10], name="feeds.opml")
    assert [outline.title for outline in outlines][:2] == ["Harbour News", "Harbour News"]


def test_the_health_of_a_source_is_listed(publication: Publication) -> None:
    (row,) = publication.facts("sources")
    assert (row["state"], row["failures"]) == ("new", 0)
    publication.run("fetch")
    folder = publication.folder / "articles"
    folder.rename(folder.with_name("away"))
    publication.run("fetch", "newsroom", code=1)
    (row,) = publication.facts("sources", "list")

    assert (row["name"], row["state"], row["failures"]) == ("newsroom", "failing", 1)
    assert "articles cannot be read" in row["last_error"]
    assert row["last_success_at"] is not None
    assert row["next_fetch_at"] is not None


def test_a_source_is_added_and_removed_by_commands_and_stands_beside_the_files(
    publication: Publication,
) -> None:
    feed = b'<rss version="2.0"><channel><title>Harbour</title><item><title>Tide</title>\
<link>https://h.example/1</link></item></channel></rss>'
    named = b'<html><head><link rel="alternate" type="application/rss+xml" href="/news.xml">\
<link rel="alternate" type="application/rss+xml" href="/sport.xml"></head><body>Harbour</body></html>'
    with Website() as site:
        site.pages |= {"/": page(named, Content_Type="text/html"), "/news.xml": page(feed)}
        refused = publication.run("sources", "add", f"{site.url}/", code=1)
        publication.change_settings("[fetch]\n", f'[fetch]\nprivate_sources = ["{site.url}"]\n')
        before = publication.config.read_bytes()
        added = publication.facts(
            "sources", "add", f"{site.url}/", "--name", "harbour", "--topic", "world", "--every", "15m"
        )
        assert "harbour: 1 new" in publication.run("fetch", "harbour")
        again = publication.run("sources", "add", f"{site.url}/news.xml", "--name", "port", code=1)

    assert "public" in refused
    assert added == {"name": "harbour", "url": f"{site.url}/news.xml", "articles": 1,
                     "other_feeds": [f"{site.url}/sport.xml"]}  # fmt: skip
    assert 'the desk has this address, as "harbour"' in again
    assert publication.config.read_bytes() == before
    configured, own = publication.facts("sources", "list")
    assert (configured["lives_in"], own["lives_in"]) == ("config.toml", "desk")
    line = publication.config.read_text().splitlines()[configured["line"] - 1]
    assert line == 'name = "newsroom"'
    assert own["added_by"].endswith(" by command")
    out = publication.folder / "out.opml"
    publication.run("sources", "export", str(out))
    assert parse_opml(out.read_bytes(), name="out")[0] == [
        OpmlFeed("harbour", f"{site.url}/news.xml", ("world",))
    ]
    assert out.stat().st_mode & 0o777 == 0o600
    imported = publication.run("sources", "import", str(out), code=1)
    assert 'it is the source "harbour" already' in imported

    changed = publication.run("sources", "change", "harbour", "--every", "2h", "--topic", "")
    assert "harbour: changed its topics from “world” to none; its fetch interval from 15m to 2h" in changed
    assert "it stands so already" in publication.run("sources", "change", "harbour", "--every", "2h")
    assert "name what to change" in publication.run("sources", "change", "harbour", code=2)
    assert 'the fetch interval "soon"' in publication.run(
        "sources", "change", "harbour", "--every", "soon", code=1
    )
    assert "is no source of the desk" in publication.run(
        "sources", "change", "newsroom", "--every", "2h", code=1
    )
    for name in ("newsroom", "harbour"):
        assert f"digest sources resume {name}" in publication.run("sources", "pause", name)
    assert {row["state"] for row in publication.facts("sources")} == {"paused"}
    assert publication.run("fetch").strip() in ("", "nothing is due")
    publication.run("sources", "resume", "harbour")
    assert [row["state"] for row in publication.facts("sources")] == ["paused", "fine"]
    assert 'there is no source "wire"' in publication.run("sources", "pause", "wire", code=1)

    publication.run("sources", "remove", "newsroom", code=1)
    assert "1 of its articles hidden" in publication.run("sources", "remove", "harbour", "--hide")
    assert [row["name"] for row in publication.facts("sources")] == ["newsroom"]


def test_the_examination_says_which_source_config_toml_overrules(publication: Publication) -> None:
    with Website(feed=page(b'<rss version="2.0"><channel><title>Harbour</title></channel></rss>')) as site:
        publication.change_settings("[fetch]\n", f'[fetch]\nprivate_sources = ["{site.url}"]\n')
        publication.run("sources", "add", f"{site.url}/feed", "--name", "harbour")
        with publication.config.open("a") as file:
            file.write(f'[[sources]]\nname = "port"\nurl = "{site.url}/feed"\nallow_private = true\n')
        publication.run("fetch")
    said = publication.run("doctor", code=None)

    assert 'harbour, added at the desk, is not read: config.toml has this address, as "port"' in said
    assert "digest sources remove harbour" in said
    assert "desk: config.toml has this address" in publication.run("sources")


def test_a_user_without_a_name_may_change_things(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's user often has a number only: `getpass.getuser` knows nobody by it."""

    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    publication.run("sources", "pause", "newsroom")
    assert publication.facts("sources")[0]["paused_by"] == f"{os.getuid()} by command"
    assert publication.run("hold", "world/daily")
