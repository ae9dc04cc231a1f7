"""Identity: all addresses of a page are one, different pages never are; useless marks tell nothing apart."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.ambiguous_ids import told_apart
from digest.articles.building import build_article
from digest.articles.parsed import ParsedArticle
from digest.articles.text.identity import canonical_url, is_home, undecorated

SEGMENT = st.text("abcdefghijklmnop-_0123456789é日%+", min_size=1, max_size=8).map(lambda s: f"x{s}y")
PATHS = st.lists(SEGMENT, max_size=4).map("/".join)


@pytest.mark.parametrize(
    "url",
    [
        "https://m.paper.example/a", "https://amp.paper.example/a", "https://www.m.paper.example/a",
        "https://paper.example/a/amp", "https://paper.example/a/amp/", "https://paper.example/amp/a",
        "https://paper.example/a?amp=1", "https://paper.example/a?amp", "https://paper.example/a?outputType=amp",
        "https://paper.example/a.amp", "https://paper.example/a/index.html", "https://paper.example/a/index.php",
        "https://paper-example.cdn.ampproject.org/c/s/paper.example/a",
        "https://cdn.ampproject.org/v/s/amp.paper.example/a?amp_js_v=0.1&usqp=mq331",
        "https://www.google.com/amp/s/paper.example/a/amp", "https://www.google.de/amp/paper.example/a",
        "https://paper.example/%61", "https://paper.example/b/../a", "https://paper.example/./a",
        "https://paper.example/a;jsessionid=1A2B", "https://paper.example/a?PHPSESSID=1&JSESSIONID=2",
        "https://paper.example/a?gbraid=1&wbraid=2&msclkid=3&twclid=4&ttclid=5&mkt_tok=6&at_medium=7",
        "https://paper.example/a?mtm_source=1&pk_kwd=2&mc_cid=3&_gl=4&ns_mchannel=5&xtor=6",
        "https://paper.example/a#:~:text=bridge",
    ],
)  # fmt: skip
def test_all_addresses_of_a_page_are_one(url: str) -> None:
    assert canonical_url(url) == "https://paper.example/a"


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("https://paper.example/?b=2&a=1", "https://paper.example/?a=1&b=2"),
        ("https://paper.example/caf%c3%a9", "https://paper.example/café"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://paper.example/a.amp.html", "https://paper.example/a.html"),
        ("https://paper.example/?p=1#more", "https://paper.example?p=1"),
    ],
)
def test_two_spellings_are_one(one: str, same: str) -> None:
    assert canonical_url(one) == canonical_url(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://paper.example/#!/a", "https://paper.example/#!/b"),
        ("https://paper.example/#/a", "https://paper.example/#/b"),
        ("https://paper.example/?p=1", "https://paper.example/?p=2"),
        ("https://paper.example/a%2Fb", "https://paper.example/a/b"),
        ("https://paper.example/a?id=1", "https://paper.example/a?id=2"),
        ("https://news.paper.example/a", "https://paper.example/a"),
        ("https://m.example/a", "https://example/a"),
        ("https://paper.example/index.html-is-dead", "https://paper.example/"),
        ("https://paper.example/lamp", "https://paper.example/"),
        ("https://paper.example/amp", "https://paper.example/"),
    ],
)
def test_two_pages_are_two(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@given(PATHS, st.text(max_size=12))
def test_the_canonical_form_is_its_own(path: str, rest: str) -> None:
    for url in (f"http://www.paper.example/{path}{rest}", f"https://paper.example/{path}?{rest}"):
        assert canonical_url(canonical_url(url)) == canonical_url(url)


@given(st.lists(st.text("abAmp-_19", min_size=1, max_size=6), max_size=4).map("/".join))
def test_a_plain_address_gets_by_the_short_way_what_it_gets_by_the_long_one(path: str) -> None:
    url = f"http://www.paper.example/{path}"
    assert canonical_url(url) == canonical_url(f"{url}?") == canonical_url(f"{url}/./?")
    assert is_home(url) == is_home(f"{url}?")


@given(PATHS, PATHS)
def test_different_paths_are_never_merged(one: str, other: str) -> None:
    first, second = (canonical_url(f"https://paper.example/{path}") for path in (one, other))
    if first == second:
        assert urlsplit(first).path == urlsplit(second).path
        assert _plain(one) == _plain(other)


def _plain(path: str) -> str:
    return canonical_url(f"https://plain.example/{path}")


@given(st.text(alphabet="aZ09-_=é%", max_size=40))
def test_a_packed_link_that_holds_no_address_stays_as_it_is(packed: str) -> None:
    link = f"https://news.google.com/rss/articles/CBM{packed}"

    assert undecorated(link) == link


def test_a_home_page_is_known_in_all_its_spellings() -> None:
    assert all(
        is_home(f"http://www.paper.example{end}") for end in ("", "/", "/index.html", "/?utm_source=x")
    )
    assert not is_home("https://paper.example/?p=1")


def item(title: str, url: str, guid: str | None) -> ParsedArticle:
    return build_article(title=title, url=url, guid=guid, html=f"<p>What {title} says.</p>")


@pytest.mark.parametrize("guid", ["0", "", " ", "null", "https://paper.example/", "http://www.paper.example"])
def test_a_guid_that_stands_for_nothing_is_dropped(guid: str) -> None:
    (article,) = told_apart([item("One", "https://paper.example/1", guid)])
    assert article.guid is None


def test_a_guid_of_its_own_stays_a_single_figure_too() -> None:
    articles = [item(f"Story {n}", f"https://paper.example/{n}", str(n)) for n in range(1, 4)]
    assert told_apart(articles) == articles


def test_a_guid_that_different_articles_share_is_dropped() -> None:
    articles = [item(f"Story {n}", f"https://paper.example/{n}", "news") for n in range(3)]
    assert [article.guid for article in told_apart(articles)] == [None] * 3


def test_one_link_for_all_tells_nothing_apart_and_each_gets_an_address_of_its_own() -> None:
    for url in ("https://paper.example/", "https://paper.example/news"):
        articles = told_apart([item(f"Story {n}", url, f"g{n}") for n in range(3)])
        assert len({article.canonical_url for article in articles}) == 3
        assert {article.url for article in articles} == {url}


def test_an_article_that_is_listed_twice_stays_one() -> None:
    first, second = told_apart([item("One", "https://paper.example/1", guid) for guid in ("a", "b")])
    assert first.canonical_url == second.canonical_url == "https://paper.example/1"
