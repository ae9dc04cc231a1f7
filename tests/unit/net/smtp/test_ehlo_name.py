"""What we call ourselves when we greet a relay."""

import pytest

from digest.net.smtp.transport import ehlo_name


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("mail.courier.example", "mail.courier.example"),
        ("localhost", "[127.0.0.1]"),
        ("laptop.", "[127.0.0.1]"),
        ("bücher.example", "[127.0.0.1]"),
    ],
)
def test_ehlo_says_a_whole_name_or_an_address(found: str, said: str) -> None:
    assert ehlo_name(found) == said
