"""Markdown, saved text and web pages: the article alone comes in, and faults are told with their line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.articles.documents.detect import parse_document
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError

BASE = "https://paper.example"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEEDS = Path(__file__).parents[4] / "seeds"


def read(text: str | bytes, name: str = "note.md", **options: object) -> ParsedArticle:
    content = text.encode() if isinstance(text, str) else text
    return parse_document(content, name=name, base_url=BASE, **options)  # type: ignore[arg-type]


def test_front_matter_gives_all_that_it_says() -> None:
    article = read("""---
title: "Bridge: it reopens"
url: https://paper.example/bridge
published: 2026-11-23T07:00:00+01:00
author: Elsa Ångström
topics: [World, rivers]
summary: In short.
image: /b.jpg
---

The **whole** story.
""")
    assert (article.title, article.url) == ("Bridge: it reopens", "https://paper.example/bridge")
    assert article.published_at == datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert (article.author, article.topics) == ("Elsa Ångström", ("world", "rivers"))
    assert (article.summary, article.text) == ("In short.", "The whole story.")
    assert article.image_url == "https://paper.example/b.jpg"


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("date: 2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("published: 2026-11-23 07:00:00", datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ('date: "2026-11-23T07:00:00Z"', datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ("published_ago: 2d 3h", NOW - timedelta(days=2, hours=3)),
        ("draft: false", None),
    ],
)
def test_times_are_read_as_generators_write_them(front: str, expected: datetime | None) -> None:
    assert read(f"---\ntitle: x\n{front}\n---\ntext", now=NOW).published_at == expected


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Tide: the return", "Tide: the return"),
        ('"Tide" again', '"Tide" again'),
        ("It's late: go", "It's late: go"),
        ("[Review] The Sea", "[Review] The Sea"),
        ("@ann writes", "@ann writes"),
        ("`tide` explained", "`tide` explained"),
        ("No", "No"),
        ("on", "on"),
        ("2026", "2026"),
    ],
)
def test_a_title_is_read_that_its_author_forgot_to_quote(written: str, title: str) -> None:
    article = read(f"---\ntitle: {written}\nsummary: one: two\n---\nText")
    assert (article.title, article.summary) == (title, "one: two")


@pytest.mark.parametrize("written", ["'open", "{a", "*name", "[a, b"])
def test_what_is_no_unquoted_text_stays_an_error(written: str) -> None:
    with pytest.raises(InputError, match="front matter"):
        read(f"---\ntitle: {written}\n---\nText")


def test_without_front_matter_the_first_heading_is_the_title_and_not_repeated() -> None:
    article = read("# The *old* bridge\n\nIt stands.\n")
    assert (article.title, article.text) == ("The old bridge", "It stands.")


def test_a_files_link_is_made_of_its_name_and_no_two_of_a_folder_share_one() -> None:
    long = "a-very-long-name-that-goes-on-and-on-and-on-for-ever"
    names = ["note.md", "2026/note.md", f"{long}-one.md", f"{long}-two.md", "Ünïcode nöte.md", "---.md"]
    urls = {read("# x\n\ntext", name).url for name in names}
    assert len(urls) == len(names)
    assert f"{BASE}/note" in urls
    assert f"{BASE}/2026/note" in urls


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("just text", "note.md: no title"),
        ("---\ntitle: [open\n---\nx", "note.md, line"),
        ('---\ntitle: "open\n---\nx', "note.md, line"),
        ("---\ntitle: x\nno end", "note.md, line 1: the front matter never ends"),
        ("---\n- a\n- b\n---\nx", "note.md, line 2"),
        ("---\ntitle: x\npublished: soon\n---\nx", 'published "soon" is not a date; write 2026-11-23'),
        ("---\ntitle: x\nurl: javascript:alert(1)\n---\nx", "is not an http(s) address"),
        ("---\na: &a [1]\ntitle: *a\n---\nx", "references"),
        ("---\ntitle: !!python/object/apply:os.system ['x']\n---\nx", "line 2"),
        (b"---\ntitle: \xff\xfe\n---\nx", "note.md"),
    ],
)
def test_a_fault_names_the_file_and_what_to_write(text: str | bytes, says: str) -> None:
    with pytest.raises(InputError) as error:
        read(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_html_in_markdown_is_cleaned() -> None:
    article = read(
        "# x\n\n<script>alert(1)</script> [link](javascript:alert(1)) ![p](data:image/png;base64,x)"
    )
    assert "<script" not in article.html
    assert "javascript:" not in article.html.replace("(javascript:alert(1))", "")
    assert "href=" not in article.html


TEXT = """{opening}The bridge over the strait reopened on Monday after nine winters of repair.

“Nobody has asked the price of the ferry,” the harbour master said.

Leave a Reply

Your email address will not be published. Required fields are marked *

Sign Up for Our Newsletters

Get notified of the latest updates.

You May Also Like

A sponge older than its sea

SOUTH BAY — Divers say that it has not moved in…
"""


@pytest.mark.parametrize(
    ("opening", "place", "agency"),
    [
        ("HARBOURTOWN — ", "HARBOURTOWN", None),
        ("PARIS (AFP) — ", "PARIS", "AFP"),
        ("NEW YORK (Reuters) - ", "NEW YORK", "Reuters"),
        ("ST. JOHN'S, Antigua – ", "ST. JOHN'S, Antigua", None),
        ("ЕРЕВАН — ", "ЕРЕВАН", None),
        ("", None, None),
    ],
)
def test_a_saved_page_gives_the_article_alone_with_its_dateline(
    opening: str, place: str | None, agency: str | None
) -> None:
    article = read(TEXT.format(opening=opening), "saved.txt")
    assert (article.place, article.agency) == (place, agency)
    assert article.title.startswith("The bridge over the strait reopened")
    assert article.title_formed
    assert article.text.startswith("The bridge over")
    assert article.text.endswith("harbour master said.")


def test_a_saved_page_with_a_headline_keeps_it() -> None:
    article = read(
        "Bridge reopens after nine winters\n\n" + TEXT.format(opening="HARBOURTOWN — "), "saved.txt"
    )
    assert (article.title, article.title_formed) == ("Bridge reopens after nine winters", False)
    assert article.place == "HARBOURTOWN"


def test_a_sentence_that_holds_a_dash_is_no_dateline() -> None:
    article = read("The ferry — it was blue — is for sale.\n\nNobody asked.\n", "saved.txt")
    assert article.place is None
    assert article.text.startswith("The ferry — it was blue")


def test_the_sample_page_is_read() -> None:
    article = read((SEEDS / "saved-page.txt").read_bytes(), "saved-page.txt")
    assert article.place
    assert "Leave a Reply" not in article.text
    assert "…" not in article.text[-40:]


PAGE = """<!doctype html><html lang="en"><head><title>Bridge reopens | The Paper</title>
<link rel="canonical" href="https://paper.example/bridge">
<meta property="og:title" content="Bridge reopens"><meta property="og:image" content="https://paper.example/b.jpg">
<meta property="article:published_time" content="2026-11-23T07:00:00Z"><meta name="author" content="Elsa Quay">
</head><body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav><article><h1>Bridge reopens</h1>
<p>The bridge over the strait reopened on Monday after nine winters of repair, and the town came to see it.</p>
<p>“Nobody has asked the price of the ferry,” the harbour master said, and went back to his accounts.</p>
<p>It had been closed since the storm that took the old lighthouse and with it the road to the north.</p>
</article><form>Sign up <input name=email></form><footer>All rights reserved</footer></body></html>"""


def test_a_web_page_gives_the_article_alone() -> None:
    article = read(
        PAGE, "https://paper.example/bridge?utm_source=x", url="https://paper.example/bridge?utm_source=x"
    )
    assert article.title == "Bridge reopens"
    assert article.canonical_url == "https://paper.example/bridge"
    assert article.author == "Elsa Quay"
    assert article.image_url == "https://paper.example/b.jpg"
    assert article.published_at is not None
    assert article.text.startswith("The bridge over the strait")
    assert "Sign up" not in article.text
    assert "All rights" not in article.text


def test_a_page_cannot_pass_for_an_article_of_another_site() -> None:
    url = "https://evil.example/fake"
    assert read(PAGE, url, url=url).canonical_url == "https://evil.example/fake"


def test_a_page_without_an_article_is_told() -> None:
    with pytest.raises(InputError, match="no article was found"):
        read("<!doctype html><html><body></body></html>", "page.html")
