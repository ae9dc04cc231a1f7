"""Cleaned HTML as plain text: nothing is lost that can be read, and each link has a mark."""

import pytest

from digest.mail.rendering.text_part import name_mark, plain, wrap


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<h2>Head</h2><p>a<br>b &amp; c</p>", "Head\n\na\nb & c"),
        ("<ul><li>x</li><li>y</li></ul><ol><li>p</li><li>q</li></ol>", "- x\n- y\n1. p\n2. q"),
        ('<figure><img src="https://x.example/a.png" alt="A bridge"></figure>', "[A bridge]"),
        ('<img src="https://x.example/a.png" alt="">', ""),
        ("<p>a</p><ul><li><p>x</p></li><li>y</li></ul><p>b</p>", "a\n\n- x\n- y\n\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "\va | b\nc"),
        ("bare <em>words</em>", "bare words"),
        ("<p>\n  spread\n over  lines </p>", "spread over lines"),
        ("<li>stray</li></ul></a>", "- stray"),
        ("", ""),
    ],
)
def test_what_can_be_read_is_there(html: str, text: str) -> None:
    assert plain(html).text == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>She said:</p><blockquote><p>We go.</p><p>Now.</p></blockquote><p>And went.</p>",
         "She said:\n\n> We go.\n\n> Now.\n\nAnd went."),
        ("<blockquote>a<br>b<blockquote>c</blockquote></blockquote>d", "> a\n> b\n\n> > c\n\nd"),
        ("<blockquote><ul><li>x</li><li>y</li></ul></blockquote>", "> - x\n> - y"),
        ("<blockquote><pre>if a:\n  b()</pre></blockquote>", "> if a:\n>   b()"),
        ("<blockquote><table><tr><th>a</th></tr><tr><td>b</td></tr></table></blockquote>", "> a\n\n> b"),
        ("<p>&gt; 50 is much</p></blockquote>", "> 50 is much"),
    ],
)  # fmt: skip
def test_a_quotation_is_marked_as_one(html: str, text: str) -> None:
    assert wrap(plain(html).text) == text


def test_a_quotation_is_marked_on_each_line_and_no_longer_than_another() -> None:
    lines = wrap(plain(f"<blockquote><p>{'word ' * 40}</p></blockquote>").text).split("\n")
    assert len(lines) == 3
    assert all(line.startswith("> word") and len(line) <= 72 for line in lines)


def test_each_link_has_a_mark_and_the_same_link_the_same_one() -> None:
    found = plain('<a href="https://x.example/?a=1&amp;b=2">x</a> <a href="mailto:y@x.example">y</a> <a href="https://x.example/?a=1&amp;b=2">z</a> <a>n</a>')  # fmt: skip
    assert found.text == "x [a] y [b] z [a] n"
    assert found.links == (("a", "https://x.example/?a=1&b=2"), ("b", "mailto:y@x.example"))


def test_marks_go_on_after_z() -> None:
    assert [name_mark(number) for number in (0, 25, 26, 27, 701, 702)] == ["a", "z", "aa", "ab", "zz", "aaa"]
