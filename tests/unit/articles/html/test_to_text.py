"""A fragment's text: lists keep their numbers, code its lines; the short way agrees with the layout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.html.cleaning import clean_html, plain_text
from digest.articles.html.to_text import layout_of, lines_of
from digest.mail.rendering.text_part import plain

PARTS = [
    "<p>", "</p>", "<p>", "</p>", "<br>", "<br/>", "<h2>", "</h2>", "<h5>", "</h5>", "<blockquote>", "</blockquote>",
    "<figure>", "</figure>", "<figcaption>", "</figcaption>", "<div>", "</div>", "<ul>", "<li>", "</li>", "</ul>",
    "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<pre>", "</pre>", "<hr>", "<ol>", "</ol>",
    '<a href="https://a.example/?x=1&amp;y=>">', "</a>", "<em>", "</em>", "<b>", "</b>", "<code>", "</code>",
    '<img src="https://a.example/i.jpg" alt="a > b">', " ", "\n", "\n\n", "\u00a0", "&nbsp;", "word", "two words ",
    " end.", "&amp;", "&amp;lt;", "&lt;b&gt;", "&amp;nbsp;", "é", "\u200b", "\u3000", "<!-- no -->", "<span>", "</span>",
]  # fmt: skip


def tidy(text: str) -> str:
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
def test_the_short_way_agrees_with_the_layout(raw: str) -> None:
    fragment = clean_html(raw, "https://a.example/")
    short = lines_of(fragment)
    assert short is None or tidy(short) == tidy(layout_of(fragment))


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
    assert plain_text(fragment) == text == tidy(layout_of(fragment))


@pytest.mark.parametrize("fragment", ["<ul><li>a</li></ul>", "<table></table>", "<pre>a</pre>", "a<hr>b"])
def test_what_needs_a_layout_does_not_go_the_short_way(fragment: str) -> None:
    assert lines_of(fragment) is None


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("<p>Run:</p><pre><code>if a:\n    b()\n\tc()</code></pre><p>so</p>", "Run:\n\nif a:\n    b()\n    c()\n\nso"),
        ("<pre>a<br>  b</pre>", "a\n  b"),
        ('<ol start="5"><li>oak</li><li>elm</li></ol>', "5. oak\n6. elm"),
        ('<ol type="a" start="26"><li>oak</li><li>elm</li></ol>', "z. oak\naa. elm"),
        ('<ol type="I" start="3"><li>oak</li><li value="9">elm</li></ol>', "III. oak\nIX. elm"),
        ("<ol reversed><li>oak</li><li>elm</li></ol>", "2. oak\n1. elm"),
        ("<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>d</li></ul>", "* a\n  1. b\n  2. c\n* d"),
        ("<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>", "* a\n\n  b\n* c"),
        ("Some 10<sup>6</sup> people, 2<sup>10</sup> boats", "Some 10⁶ people, 2¹⁰ boats"),
        ("x<sup>a+b</sup>, H<sub>2</sub>O, x<sub>i</sub>", "x^(a+b), H₂O, x_i"),
        ('the 5<sup>th</sup> of May<sup><a href="https://a.example/">1</a></sup>', "the 5th of May¹"),
        ("<table><tr><th>Port</th><th>High</th></tr><tr><td>Quay</td><td>2.1 m</td></tr></table>",
         "Port | High\nQuay | 2.1 m"),
        ("<table><tr><td><p>One.</p></td></tr><tr><td><p>Two.</p></td></tr></table>", "One.\n\nTwo."),
    ],
)  # fmt: skip
def test_the_text_keeps_what_a_block_means(fragment: str, text: str) -> None:
    assert plain_text(clean_html(fragment, "https://a.example/")) == text


@pytest.mark.parametrize("stated", ["--5", "-", "9" * 5_000, "-" + "9" * 5_000, "٣٤", "1e3", " 7 ", "²"])
@pytest.mark.parametrize("place", ["ol start", "li value", "td colspan", "td rowspan"])
def test_a_number_that_is_none_numbers_nothing(place: str, stated: str) -> None:
    tag, name = place.split()
    words = "<ol><li>one</li><li>two</li></ol><table><tr><td>a</td><td>b</td></tr></table>"
    marked = words.replace(f"<{tag}>", f'<{tag} {name}="{stated}">', 1)

    assert layout_of(marked) == layout_of(words)
    assert plain_text(marked) == plain_text(words)
    assert plain(marked) == plain(words)
