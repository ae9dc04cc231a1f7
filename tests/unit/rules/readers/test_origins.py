from ipaddress import ip_network

import pytest

from digest.rules.readers.origins import find_block, find_client

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:f::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.2", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["203.0.113.9, 198.51.100.7, 10.0.0.1"], "198.51.100.7"),
        ("10.0.0.2", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["203.0.113.9, Click here to win"], "unknown"),
        ("10.0.0.2", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.0.0.2", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.2", [], "10.0.0.2"),
        ("10.0.0.2", ["10.0.0.3"], "10.0.0.3"),
        ("::ffff:10.0.0.2", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("2001:db8:f::1", ["2001:db8::9"], "2001:db8::9"),
        ("testclient", ["198.51.100.7"], "unknown"),
        ("10.0.0.2", [""], "unknown"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy_of_ours(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert find_client(peer, forwarded, TRUSTED) == client


def test_without_trusted_proxies_the_header_counts_for_nothing() -> None:
    assert find_client("127.0.0.1", ["198.51.100.7"], ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("origin", "block"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("unknown", "unknown"),
    ],
)
def test_an_origin_is_counted_by_its_network(origin: str, block: str) -> None:
    assert find_block(origin) == block
