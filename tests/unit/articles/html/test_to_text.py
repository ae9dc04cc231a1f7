"""The short way to a fragment's text gives what the layout engine gives, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inscriptis import get_text
from inscriptis.model.config import ParserConfig

from digest.articles.html.cleaning import clean_html, plain_text
from digest.articles.html.to_text import lines_of

PARTS = [
    "<p>", "</p>", "<p>", "</p>", "<br>", "<br/>", "<h2>", "</h2>", "<h5>", "</h5>", "<blockquote>", "</blockquote>",
    "<figure>", "</figure>", "<figcaption>", "</figcaption>", "<div>", "</div>", "<ul>", "<li>", "</li>", "</ul>",
    "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<pre>", "</pre>", "<hr>", "<ol>", "</ol>",
    '<a href="https://a.example/?x=1&amp;y=>">', "</a>", "<em>", "</em>", "<b>", "</b>", "<code>", "</code>",
    '<img src="https://a.example/i.jpg" alt="a > b">', " ", "\n", "\n\n", "\u00a0", "&nbsp;", "word", "two words ",
    " end.", "&amp;", "&amp;lt;", "&lt;b&gt;", "&amp;nbsp;", "é", "\u200b", "\u3000", "<!-- no -->", "<span>", "</span>",
]  # fmt: skip


def laid_out(fragment: str) -> str:
    text = get_text(f"<div>{fragment}</div>", ParserConfig(display_links=False))
    return tidy("\n".join(" ".join(line.split()) for line in text.splitlines()))


def tidy(text: str) -> str:
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
def test_the_short_way_agrees_with_the_layout_engine(raw: str) -> None:
    fragment = clean_html(raw, "https://a.example/")
    short = lines_of(fragment)
    assert short is None or tidy(short) == laid_out(fragment)


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("<p>One <b>bold</b>\nword.</p><p>Two.<br>Three.</p>", "One bold word.\n\nTwo.\nThree."),
        ('<h2>Head</h2><p>Text &amp; <a href="https://a.example/">a link</a>.</p>', "Head\n\nText & a link."),
        ('<figure><img src="https://a.example/i"><figcaption>Said</figcaption></figure><p>Text</p>', "Said\n\nText"),
        ("<blockquote><p>They said.</p></blockquote>so", "They said.\n\nso"),
        ("bare &lt;text&gt;", "bare <text>"),
        ("<p>one</p><br><br><br><p>two</p>", "one\n\ntwo"),
    ],
)  # fmt: skip
def test_usual_fragments_go_the_short_way(fragment: str, text: str) -> None:
    assert lines_of(fragment) is not None
    assert plain_text(fragment) == text == laid_out(fragment)


@pytest.mark.parametrize(
    "fragment", ["<ul><li>a</li></ul>", "<table></table>", "<pre>a</pre>", "a<hr>b", "&amp;lt;"]
)
def test_what_needs_a_layout_does_not_go_the_short_way(fragment: str) -> None:
    assert lines_of(fragment) is None
