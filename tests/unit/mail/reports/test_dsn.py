"""What is taken for a server's reply code in a report, and what is not."""

import pytest

from digest.mail.reports.dsn import find_code


@pytest.mark.parametrize(
    "words",
    [
        "Questions? Call the help desk at 555-0199.",
        "Telephone (212) 555 0142, any working day",
        "Our office: 450-1234",
    ],
)
def test_a_telephone_number_is_no_reply_code(words: str) -> None:
    assert find_code(words) is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("550 5.1.1 user unknown", 550),
        ("550-5.7.26 unauthenticated", 550),
        ("host mx.example said: 452 4.2.2 mailbox full", 452),
        ("555 RCPT TO parameters not recognized", 555),
        ("554 2026-11-25 refused by policy", 554),
        ("Call 555-0199: the server said 551 user not local", 551),
    ],
)
def test_a_code_is_found_before_a_status_words_or_a_date(words: str, code: int) -> None:
    assert find_code(words) == code
