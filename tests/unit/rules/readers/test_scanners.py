"""Which requests for a link are a program's."""

import pytest

from digest.rules.readers.scanners import is_scanner

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize("agent", [FIREFOX, IPHONE, "Opera/9.80 (Windows NT 6.1) Presto/2.12"])
def test_a_browser_is_somebody_who_follows_a_link(agent: str) -> None:
    assert not is_scanner("GET", {"user-agent": agent})
    assert not is_scanner("POST", {"user-agent": agent})


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "curl/8.9.1",
        "python-requests/2.32",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "Mozilla/5.0 (Windows NT 10.0) HeadlessChrome/131.0",
        "Mozilla/5.0 (compatible; Barracuda Sentinel)",
        "WhatsApp/2.24",
    ],
)
def test_a_program_is_known_by_its_name_or_by_having_none(agent: str) -> None:
    assert is_scanner("GET", {"user-agent": agent} if agent else {})


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"sec-purpose": "prefetch;prerender"}),
        ("GET", {"purpose": "prefetch"}),
        ("GET", {"x-moz": "prefetch"}),
    ],
)
def test_a_browser_that_loads_ahead_follows_nothing(method: str, headers: dict[str, str]) -> None:
    assert is_scanner(method, {"user-agent": FIREFOX, **headers})
