"""DNS against a real name server on loopback: what it says, what it cannot say, and what it must not do."""

from collections.abc import Iterator

import pytest

from digest.net.dns import Resolver
from tests.support.nameserver import NameServer


@pytest.fixture
def server() -> Iterator[NameServer]:
    zone = {
        ("courier.example", "TXT"): ["v=spf1 -all", "x" * 600],
        ("courier.example", "MX"): ["20 second.courier.example.", "10 First.courier.example."],
        ("nomail.example", "MX"): ["0 ."],
        ("first.courier.example", "A"): ["192.0.2.25"],
        ("first.courier.example", "AAAA"): ["2001:db8::25"],
        ("25.2.0.192.in-addr.arpa", "PTR"): ["first.courier.example."],
        ("hostile.example", "TXT"): ["\x1b[31mred\x07\n\u202e"],
        ("many.example", "TXT"): [f"record {n}" for n in range(100)],
        ("long.example", "TXT"): ["y" * 20_000],
    }
    with NameServer(zone) as server:
        yield server


def resolver(server: NameServer, timeout: float = 5) -> Resolver:
    return Resolver(("127.0.0.1", server.port), timeout)


def test_records_of_each_kind_are_text(server: NameServer) -> None:
    ask = resolver(server)
    assert ask.texts("courier.example") == ("v=spf1 -all", "x" * 600)
    assert ask.mail_hosts("courier.example") == ("first.courier.example", "second.courier.example")
    assert ask.mail_hosts("nomail.example") == (".",)
    assert ask.addresses("first.courier.example") == ("192.0.2.25", "2001:db8::25")
    assert ask.names("192.0.2.25") == ("first.courier.example",)


def test_a_name_that_does_not_exist_has_no_records_and_is_no_trouble(server: NameServer) -> None:
    found = resolver(server).texts("nobody.example")
    assert (found, found.trouble) == ((), "")
    assert resolver(server).mail_hosts("first.courier.example").trouble == ""


def test_an_answer_that_is_too_long_for_udp_is_asked_for_again_over_tcp(server: NameServer) -> None:
    server.truncated.add("courier.example")
    assert resolver(server).texts("courier.example")[0] == "v=spf1 -all"
    assert [over for name, _, over in server.asked] == ["udp", "tcp"]


def test_a_server_that_fails_or_is_silent_is_told_from_a_name_without_records(server: NameServer) -> None:
    server.failing.add("courier.example")
    server.silent.add("nomail.example")
    assert resolver(server).texts("courier.example").trouble == "the resolver fails"
    assert resolver(server, 0.3).mail_hosts("nomail.example").trouble == "the resolver does not answer"


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..b", "%{i}._spf.example", "x" * 300])
def test_a_name_that_cannot_be_asked_for_is_no_error(server: NameServer, name: str) -> None:
    found = resolver(server).texts(name)
    assert found == ()


def test_what_is_hostile_is_cleaned_and_cut(server: NameServer) -> None:
    ask = resolver(server)
    assert ask.texts("hostile.example")[0].isprintable()
    assert len(ask.texts("many.example")) == 30
    assert len(ask.texts("long.example")[0]) == 4_096
