import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import InputError
from digest.rules.readers import address
from digest.rules.readers.address import Address, normalise


@pytest.mark.parametrize(
    ("typed", "address", "key"),
    [
        ("Anna.Berg@Example.ORG", "Anna.Berg@example.org", "anna.berg@example.org"),
        ("  anna@example.org ", "anna@example.org", "anna@example.org"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("Zoe\u0308@example.org", "Zoë@example.org", "zoë@example.org"),
        ("an\u200dna@exam\u200cple.org\u200d", "anna@example.org", "anna@example.org"),
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
        # A joiner is part of these domains, and there are others without it.
        "a@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example", "a@\u0915\u094d\u200d\u0937.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_printable_line(typed: str) -> None:
    with pytest.raises(InputError, match="is not a mail address: ") as caught:
        normalise(typed)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 400


ATOMS = st.text("abzAZ09!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=12)
LABELS = st.text("abzAZ09-", min_size=1, max_size=12)


@settings(max_examples=1_000)
@given(
    local=st.lists(ATOMS, min_size=1, max_size=3).map(".".join),
    host=st.lists(LABELS, min_size=1, max_size=3).map(".".join),
    top=st.sampled_from(["example", "org", "TEST", "museum", "x", "12"]),
)
def test_a_plain_address_is_read_as_the_library_reads_it(local: str, host: str, top: str) -> None:
    """The short way for plain ASCII addresses accepts nothing that email-validator refuses or writes otherwise."""
    text = f"{local}@{host}.{top}"
    if address._PLAIN.fullmatch(text):
        assert normalise(text) == address._validate(text)
