import pytest

from digest.errors import InputError
from digest.rules.readers.address import Address, normalise


@pytest.mark.parametrize(
    ("typed", "address", "key"),
    [
        ("Anna.Berg@Example.ORG", "Anna.Berg@example.org", "anna.berg@example.org"),
        ("  anna@example.org ", "anna@example.org", "anna@example.org"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("Zoe\u0308@example.org", "Zoë@example.org", "zoë@example.org"),
        ("=sum@example.org", "=sum@example.org", "=sum@example.org"),
        ("editor@localhost", "editor@localhost", "editor@localhost"),
        ("a@press.local", "a@press.local", "a@press.local"),
        ("a@trial.test", "a@trial.test", "a@trial.test"),
    ],
)
def test_equal_addresses_get_equal_keys(typed: str, address: str, key: str) -> None:
    assert normalise(typed) == Address(address, key)


@pytest.mark.parametrize(
    "typed",
    [
        "", "anna", "anna@", "@example.org", "a,b@example.org", "a@example.org,b@example.org",
        "<@relay.example:anna@example.org>", "Anna <anna@example.org>", '"a b"@example.org',
        "anna@example.org\r\nBcc: b@example.org", "an\x00na@example.org", "anna@[192.0.2.1]",
        "a" * 65 + "@example.org", "a@" + "b" * 300 + ".example", "a\u202eb@example.org",
        "\ud800@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_printable_line(typed: str) -> None:
    with pytest.raises(InputError, match="is no mail address: ") as caught:
        normalise(typed)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 400
