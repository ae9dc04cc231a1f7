"""Why a server refused is told from its words; own wordings, one for each kind that servers use."""

import pytest

from digest.mail.reports.reasons import find_reason
from digest.mail.reports.report import Reason
from digest.rules.delivery.bounce_score import HARD_REASONS, SENDER_REASONS

WORDS = {
    Reason.UNKNOWN_USER: [
        "550 User [anna@readers.example] does not exist",
        "550 Rcpt <anna@readers.example> does not exist here",
        "550 RECIPIENT_UNKNOWN",
        "550 BAD_RECIPIENT - read our page of errors",
        "553 sorry, badrcptto (user mail-box not found)",
        "550 no local mailbox for that name",
        "550 There is no mail box of that name",
        "Recipient user name anna not unique. 2 matches found.",
        "550 5.1.1 <anna@readers.example>: Recipient address rejected",
    ],
    Reason.DISABLED: ["550 anna@readers.example is not an active address at this host"],
    Reason.UNKNOWN_HOST: ["Name service error for name=readers.example type=MX: Malformed or unexpected name server reply"],
    Reason.MAILBOX_FULL: [
        "452 <spam@readers.example> Mailbox size limit exceeded",
        "550 User has too many messages on the server.",
        "550 Der Benutzer hat zu viele Nachrichten auf dem Server.",
        "552 Account <anna@readers.example> does not have enough space",
        "552 MAILBOX_FULL",
    ],
    Reason.CONTENT: [
        "550 A domain in your message is on uribl",
        "550 You use a mass mailer",
        "554 rejected: XYSpamSignature.17",
        "550 Messages without To: fields are not taken",
    ],
    Reason.REPUTATION: [
        "554 IP=192.0.2.7 - A problem occurred.",
        "554 mail.courier.example 192.0.2.7 found on one or more DNSBLs",
        "550 Your server requires confirmation, see our page",
    ],
    Reason.RATE_LIMITED: ["550 Too many invalid recipients", "421 Too many messages, come back tomorrow"],
    Reason.RELAYING: ["553 you are trying to use me as a relay, but I was not told to let you"],
    Reason.POLICY: [
        "554 email rejected due to security policies",
        "550 Your access to this e-mail system has been rejected.",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "words"), [(one, said) for one, all_ in WORDS.items() for said in all_])
def test_the_reason_is_told_from_a_servers_words(reason: Reason, words: str) -> None:
    assert find_reason(words) == reason


@pytest.mark.parametrize(
    "name", ["spam", "quota", "postmaster.blocked", "mailbox-full", "unknown.user", "virus"]
)
def test_what_an_address_or_a_host_is_called_is_no_reason(name: str) -> None:
    assert find_reason(f"<{name}@readers.example>: 451 Please wait") is Reason.UNDETERMINED
    assert find_reason(f"host {name}.filter.example[192.0.2.9] said: 550 No such user") is Reason.UNKNOWN_USER


def test_no_refusal_of_the_message_is_taken_for_a_dead_address() -> None:
    """The words that suppress a reader at once are never those that a server holds against the sender."""
    for reason in SENDER_REASONS:
        for words in WORDS.get(Reason(reason), []):
            assert find_reason(words) not in HARD_REASONS
