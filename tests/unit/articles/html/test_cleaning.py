"""Cleaning and knowing again: links, pixels, summaries, canonical URLs."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.html.cleaning import clean_html, one_line, plain_text
from digest.articles.text.identity import canonical_url, content_hash, undecorated
from digest.articles.text.prose import summarise

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
        ('<p><a href="/count"><img src="/t.gif" width=1></a></p><p>x</p>', "<p>x</p>"),
        ("a&#1;b&#x202e;c&#0;d&#146;e", "abc\ufffdd\u2019e"),
        ('<a href="/&#1;x">x</a>', '<a href="https://paper.example/x">x</a>'),
        ('<p title="1" lang="2" dir="3" id="4">x</p>', "<p>x</p>"),
        ('<a href="mailto:a@b.example?subject=x%0d%0aBcc:c@d.example">x</a>', "<a>x</a>"),
        (
            '<a href="mailto:a@b.example?body=x%0d%0ay">x</a>',
            '<a href="mailto:a@b.example?body=x%0d%0ay">x</a>',
        ),
        ("x\r\ny\u2028z", "x\ny z"),
        ("<p> </p><p>&nbsp;</p><p>x</p>", "<p>x</p>"),
        ("<div>one<p>two</p>three</div>four", "<p>one</p><p>two</p><p>three</p><p>four</p>"),
        ("x<br><br>y<br>z<br><br><br>w", "<p>x</p><p>y<br>z</p><p>w</p>"),
        ("<center><font color=red>hi</font></center>", "<p>hi</p>"),
        ('<base href="https://cdn.example/d/"><a href="x">x</a>', '<a href="https://cdn.example/d/x">x</a>'),
        ('<a href="#fn1">1</a>', "<a>1</a>"),
        ('<a href="java\tscript:alert(1)">x</a>', "<a>x</a>"),
        (
            "<svg><text>a</text></svg><math><mi>b</mi></math><style>c</style><template>d</template>"
            "<form>e<select><option>f</select></form><textarea>g</textarea>ok",
            "bok",
        ),
        ('<p style="display: none">hidden</p><p hidden>too</p><p>x</p>', "<p>x</p>"),
        ("<details><summary>S</summary><p>d</p></details>", "<p>S</p><p>d</p>"),
    ],
)
def test_html_is_fit_for_a_message(html: str, cleaned: str) -> None:
    assert clean_html(html, BASE) == cleaned


def test_threads_that_clean_side_by_side_resolve_links_against_their_own_base() -> None:
    bases = [f"https://paper{n}.example/" for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        cleaned = list(pool.map(lambda base: clean_html('<p><a href="x">x</a></p>' * 200, base), bases * 5))
    assert cleaned == [f'<p><a href="{base}x">x</a></p>' * 200 for base in bases * 5]


@pytest.mark.parametrize(
    ("html", "cleaned"),
    [
        ('<img src="data:image/gif;base64,x" data-src="/a.jpg" alt="A &amp; b" width="600px" height="auto">',
         '<img src="https://paper.example/a.jpg" alt="A &amp; b" width="536">'),
        ('<img data-srcset="/s.jpg 300w, /m.jpg 1200w, /l.jpg 2400w">', '<img src="https://paper.example/m.jpg">'),
        ('<img src="/img/placeholder.png" data-original="/a.jpg">', '<img src="https://paper.example/a.jpg">'),
        ('<picture><source srcset="/p.webp 1x, /q.webp 2x"><img alt="p"></picture>t',
         '<img alt="p" src="https://paper.example/q.webp">t'),
        ('<img class=lazy src="/blank.gif"><noscript><img src="/a.jpg"></noscript>',
         '<img src="https://paper.example/a.jpg">'),
        ('<noscript><img src="https://www.facebook.com/tr?id=1"></noscript>x', "x"),
        ('<img src="https://pixel.wp.com/b.gif?v=1">x', "x"),
        ('<img src="/open/track.php?reader=9">x', "x"),
        ('<span style="display:none"><img src="/y.jpg"></span>x', "x"),
        ('<img src="/spacer.gif" alt="">x', "x"),
        ('<amp-img src="/a.jpg" alt="a"></amp-img>', '<img src="https://paper.example/a.jpg" alt="a">'),
        ('<img src="/image-1x1-metres.jpg">', '<img src="https://paper.example/image-1x1-metres.jpg">'),
    ],
)  # fmt: skip
def test_a_picture_is_found_where_the_page_hides_it_and_a_pixel_is_gone(html: str, cleaned: str) -> None:
    assert clean_html(html, BASE) == cleaned


@pytest.mark.parametrize(
    ("html", "href", "name"),
    [
        ('<iframe src="https://www.youtube.com/embed/abc123XYZ_-?rel=0" title="Film of the bridge"></iframe>',
         "https://www.youtube.com/watch?v=abc123XYZ_-", "Film of the bridge"),
        ('<iframe data-src="//player.vimeo.com/video/123"></iframe>', "https://vimeo.com/123", "Video on Vimeo"),
        ('<video controls><source src="/v.mp4">No video here</video>', "https://paper.example/v.mp4", "Video"),
        ('<audio src="/a.mp3"></audio>', "https://paper.example/a.mp3", "Audio"),
        ('<object data="https://maps.example/m"><param name=x>old</object>', "https://maps.example/m",
         "Embedded page on maps.example"),
        ('<blockquote class="instagram-media" data-instgrm-permalink="https://www.instagram.com/p/X/"></blockquote>',
         "https://www.instagram.com/p/X/", "Post on Instagram"),
        ('<amp-youtube data-videoid="abc123"></amp-youtube>', "https://www.youtube.com/watch?v=abc123", "Video on YouTube"),
    ],
)  # fmt: skip
def test_an_embed_becomes_a_link_with_a_name(html: str, href: str, name: str) -> None:
    assert clean_html(html, BASE) == f'<p><a href="{href}">{name}</a></p>'


def test_a_quoted_post_keeps_its_words() -> None:
    html = '<blockquote class="twitter-tweet"><p>The bridge is open!</p>Ann <a href="https://x.com/a/1">Nov</a></blockquote>'
    assert "The bridge is open!" in plain_text(clean_html(html, BASE))


@pytest.mark.parametrize("html", ['<iframe src="about:blank"></iframe>', '<iframe src="javascript:x()"></iframe>',
                                  '<iframe src="https://www.googletagmanager.com/ns.html?id=1"></iframe>', "<embed>"])  # fmt: skip
def test_an_embed_that_leads_nowhere_is_gone(html: str) -> None:
    assert clean_html(f"x{html}", BASE) == "x"


@pytest.mark.parametrize("depth", [100, 1_000, 50_000])
def test_no_nesting_loses_a_text(depth: int) -> None:
    for tag in ("div", "b", "blockquote"):
        html = f"<{tag}>" * depth + "<p>deep</p>" + f"</{tag}>" * depth + "<p>after</p>"
        assert plain_text(clean_html(html, BASE)).split() == ["deep", "after"]


def test_blocks_do_not_run_together_in_the_text() -> None:
    assert plain_text("<p>One.</p><p>Two.</p><ul><li>a</li><li>b</li></ul>").split("\n")[0] == "One."


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Short.", 20, "Short."),
        ("First sentence. Second sentence goes on.", 20, "First sentence."),
        ("No sentence ends within these words at all", 20, "No sentence ends…"),
        ("Dr. Who came. Then he left again.", 15, "Dr. Who came."),
        ("The U.S. Senate met. It was late, and it rained.", 24, "The U.S. Senate met."),
        ("J. R. Quay paid 2.5 million. He was glad of it.", 30, "J. R. Quay paid 2.5 million."),
        ("He came to St. Petersburg at 5 p.m. on Monday, it is said.", 30, "He came to St. Petersburg at…"),
        ("Well… it stands. And it will stand for long.", 20, "Well… it stands."),
        ("橋が開いた。皆が来た。それから雨が降った。", 12, "橋が開いた。皆が来た。"),
        ("Կամուրջը բաց է։ Բոլորը եկան այնտեղ։", 20, "Կամուրջը բաց է։"),
        ("फिर से खुला। सब लोग वहाँ आए थे।", 16, "फिर से खुला।"),
    ],
)
def test_a_summary_ends_at_a_sentence_else_at_a_word(text: str, limit: int, short: str) -> None:
    assert summarise(text, limit) == short


@pytest.mark.parametrize("part", ["👩\u200d🚀", "e\u0301", "🇦🇲", "👍🏽", "நி"])
def test_a_cut_never_goes_through_what_a_reader_sees_as_one_sign(part: str) -> None:
    for limit in range(10, 24):
        assert summarise(part * 30, limit).removesuffix("…").replace(part, "") == ""


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
        "https://paper.example/a?fbclid=1&gclid=2", "https://paper.example/a?ref=rss&share=twitter&__s=1&rss=1", "https://paper.example./a",
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
