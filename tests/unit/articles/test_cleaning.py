"""Cleaning and knowing again: links, pixels, summaries, canonical URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.clean import clean_html, one_line, plain_text
from digest.articles.identity import canonical_url, content_hash, undecorated
from digest.articles.sentences import summarise

BASE = "https://paper.example/news/bridge"


@pytest.mark.parametrize(
    ("html", "cleaned"),
    [
        ('<a href="/x?utm_medium=a&b=1">x</a>', '<a href="https://paper.example/x?b=1">x</a>'),
        ('<a href="other">x</a>', '<a href="https://paper.example/news/other">x</a>'),
        ('<a href="mailto:a@b.example">x</a>', '<a href="mailto:a@b.example">x</a>'),
        ('<a href="tel:1">x</a>', "<a>x</a>"),
        ('<img src="p.gif" width="1" height="1">text', "text"),
        ('<img alt="no source">text', "text"),
        ("<div>one</div><div>two</div>", "<p>one</p><p>two</p>"),
        ("<h1>Head</h1>", "<h2>Head</h2>"),
        ("<p> </p><p>&nbsp;</p><p>x</p>", "<p>x</p>"),
    ],
)
def test_html_is_fit_for_a_message(html: str, cleaned: str) -> None:
    assert clean_html(html, BASE) == cleaned


def test_blocks_do_not_run_together_in_the_text() -> None:
    assert plain_text("<p>One.</p><p>Two.</p><ul><li>a</li><li>b</li></ul>").split("\n")[0] == "One."


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Short.", 20, "Short."),
        ("First sentence. Second sentence goes on.", 20, "First sentence."),
        ("No sentence ends within these words at all", 20, "No sentence ends…"),
        ("Dr. Who came. Then he left again.", 15, "Dr. Who came."),
    ],
)
def test_a_summary_ends_at_a_sentence_else_at_a_word(text: str, limit: int, short: str) -> None:
    assert summarise(text, limit) == short


@given(st.text(max_size=400), st.integers(10, 80))
def test_a_summary_is_one_line_within_its_limit(text: str, limit: int) -> None:
    short = summarise(text, limit)
    assert len(short) <= limit
    assert "\n" not in short


@pytest.mark.parametrize(
    "url",
    [
        "https://paper.example/a", "http://paper.example/a", "https://www.paper.example/a",
        "https://paper.example/a/", "https://paper.example:443/a", "https://PAPER.example/a",
        "https://paper.example//a", "https://paper.example/a#top", "https://paper.example/a?utm_source=x",
        "https://paper.example/a?fbclid=1&gclid=2", "https://paper.example./a",
    ],
)  # fmt: skip
def test_one_article_has_one_canonical_url_however_it_is_written(url: str) -> None:
    assert canonical_url(url) == "https://paper.example/a"


@pytest.mark.parametrize(
    "url", ["https://paper.example/A", "https://paper.example/a?id=1", "https://paper.example:8443/a"]
)
def test_another_address_is_another_article(url: str) -> None:
    assert canonical_url(url) != "https://paper.example/a"


@given(st.text(max_size=60))
def test_no_url_breaks_the_comparison(text: str) -> None:
    for url in (text, f"https://{text}", f"https://paper.example/{text}", f"https://paper.example/?{text}"):
        assert isinstance(canonical_url(url), str)
        assert isinstance(undecorated(url), str)


def test_an_articles_hash_is_of_what_it_says_not_of_how_it_is_set() -> None:
    assert content_hash("Bridge", "It  stands.\n") == content_hash("BRIDGE", "it stands.")
    assert content_hash("Bridge", "It stands.") != content_hash("Bridge", "It fell.")


@given(st.text(max_size=80))
def test_one_line_holds_no_control_and_no_tag(text: str) -> None:
    line = one_line(text)
    assert all(
        char.isprintable() or char in "\u200b\u200c\u200d\xa0\u2009\u3000" or not char.isascii()
        for char in line
    )
    assert "<script" not in one_line(text + "<script>x</script>").lower()
