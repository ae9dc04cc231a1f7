"""Webhooks are signed as the Standard Webhooks libraries check them."""

import base64
import hashlib
import hmac

import pytest

from digest.rules.webhooks.signing import read_secret, sign, write_secret

KEY = bytes(range(32))


def test_a_receiver_that_knows_the_secret_gets_the_same_signature() -> None:
    headers = sign([write_secret(KEY)], "msg_1", 1_674_087_231, b'{"type":"a"}')

    expected = hmac.new(KEY, b'msg_1.1674087231.{"type":"a"}', hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1674087231",
        "webhook-signature": "v1," + base64.b64encode(expected).decode(),
    }


def test_the_published_example_of_the_scheme_comes_out() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    headers = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_two_secrets_count_both_sign() -> None:
    headers = sign([write_secret(KEY), write_secret(KEY[::-1])], "msg_1", 1, b"{}")

    assert len(headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA"]
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="not a secret"):
        read_secret(secret)
