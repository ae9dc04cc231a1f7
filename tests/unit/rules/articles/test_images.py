"""Whose pictures may be shown: the publication's and its sources', and nobody else's."""

import pytest

from digest.rules.articles.images import host_of, is_own, keep_pictures

HOMES = {"courier.example", "www.tide.example", "127.0.0.1", "localhost", ""}


@pytest.mark.parametrize(
    "url",
    [
        "https://courier.example/a.jpg", "https://media.courier.example:8443/a.jpg",
        "https://WWW.Courier.Example./a.jpg",
        "https://tide.example/a.jpg", "http://127.0.0.1:8000/a.jpg", "http://localhost/a.jpg",
    ],
)  # fmt: skip
def test_pictures_of_the_same_house_are_its_own(url: str) -> None:
    assert is_own(url, HOMES)


@pytest.mark.parametrize(
    "url",
    [
        None, "", "https://tracker.example/a.gif", "https://notcourier.example/a.jpg", "https://example/a.jpg",
        "https://courier.example.evil.example/a.jpg", "data:image/png;base64,AAAA", "javascript:alert(1)",
        "https://courier.example@evil.example/a.jpg", "https://0.0.1/a.jpg", "https://1.127.0.0.1/a.jpg",
        "https://[::1/a", "//courier.example/a.jpg", "https://courier.example;img-src */a", "ftp://courier.example/",
        "https://sub.localhost/a.jpg",
    ],
)  # fmt: skip
def test_those_of_others_are_not(url: str | None) -> None:
    assert not is_own(url, HOMES)


def test_a_host_that_could_break_out_of_a_header_is_none() -> None:
    for url in (
        "https://a.b; script-src *",
        "https://a b/",
        "https://a.b'/",
        "https://ä.example/",
        "https://*/",
    ):
        assert host_of(url) in ("", "a.b")


def test_pictures_of_others_are_taken_out_of_a_text_and_the_rest_stays() -> None:
    own = '<img src="https://courier.example/a.jpg?x=1&amp;y=2" alt="a > b" width="10">'
    spy = '<img alt="x > y" src="https://tracker.example/p.gif">'
    html = f"<p>One {own} two {spy} three <img> four &lt;img&gt;</p>"

    kept = keep_pictures(html, lambda url: is_own(url, HOMES) and url.endswith("?x=1&y=2"))

    assert kept == f"<p>One {own} two  three  four &lt;img&gt;</p>"
