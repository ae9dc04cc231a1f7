import hmac

from hypothesis import given
from hypothesis import strategies as st

from digest.rules.tokens.hmac_prefix import Mac


@given(key=st.binary(min_size=1, max_size=200), begun=st.binary(max_size=200), rest=st.binary(max_size=200))
def test_a_begun_mac_is_the_standard_librarys(key: bytes, begun: bytes, rest: bytes) -> None:
    mac = Mac(key, begun)

    assert mac.over(rest) == mac.over(rest) == hmac.digest(key, begun + rest, "sha256")
