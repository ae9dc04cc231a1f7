"""Links that count lead where they were made to lead, and are the same for every reader."""

from urllib.parse import parse_qs, urlsplit

import pytest

from digest.models import EditionName
from digest.models.cadence import CORRECTION, REQUEST, WELCOME
from digest.rules.tokens.click_links import is_counted, is_ours, write_click_link

NEW, OLD, FOREIGN = b"n" * 32, b"o" * 32, b"f" * 32
BASE, BRIDGE = "https://news.example.org", "https://harbour.example/bridge?a=1&b=ü#c"
MONDAY = EditionName("world", "daily", "2026-11-23")


def signature_of(link: str) -> str:
    return urlsplit(link).path.rpartition("/")[2]


def test_a_link_names_edition_article_and_target_and_any_key_of_the_ring_vouches_for_it() -> None:
    link = write_click_link(BASE, [OLD], MONDAY, 7, BRIDGE)

    assert link.startswith(f"{BASE}/to/world/daily/2026-11-23/7/")
    assert parse_qs(urlsplit(link).query) == {"u": [BRIDGE]}
    assert is_ours([NEW, OLD], MONDAY, 7, signature_of(link), BRIDGE)
    assert not is_ours([NEW], MONDAY, 7, signature_of(link), BRIDGE)
    assert not is_ours([FOREIGN], MONDAY, 7, signature_of(link), BRIDGE)


def test_a_signature_is_for_no_other_target_article_or_edition() -> None:
    signature = signature_of(write_click_link(BASE, [NEW], MONDAY, 7, BRIDGE))

    assert not is_ours([NEW], MONDAY, 7, signature, "https://evil.example/")
    assert not is_ours([NEW], MONDAY, 8, signature, BRIDGE)
    assert not is_ours([NEW], MONDAY._replace(period="2026-11-24"), 7, signature, BRIDGE)
    assert not is_ours([NEW], MONDAY, 7, "", BRIDGE)
    assert not is_ours([NEW], MONDAY, 7, signature[:-1] + "\u0131", BRIDGE)


@pytest.mark.parametrize("url", ["mailto:news@courier.example", "javascript:alert(1)", "/archive", "#top"])
def test_what_is_no_web_page_is_not_counted(url: str) -> None:
    assert write_click_link(BASE, [NEW], MONDAY, 7, url) == url


@pytest.mark.parametrize(
    ("cadence", "counts"), [("daily", True), (REQUEST, False), (WELCOME, False), (CORRECTION, False)]
)
def test_editions_that_one_reader_alone_may_have_got_are_not_counted(cadence: str, counts: bool) -> None:
    assert is_counted(MONDAY._replace(cadence=cadence)) is counts
