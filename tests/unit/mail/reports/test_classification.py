"""What a report says of a reader: who is held to have bounced or complained, and who is not."""

from textwrap import dedent

import pytest

from digest.mail.reports.classification import read
from digest.mail.reports.report import MailKind, Reason, Report


def report(head: str, *parts: tuple[str, str], kind: str = "mixed") -> Report:
    """Classify a multipart message with these parts, each a type and its text."""
    body = "".join(f"--b\nContent-Type: {type_}\n\n{dedent(text)}\n" for type_, text in parts)
    return read(f"{head}Content-Type: multipart/{kind}; boundary=b\n\n{body}--b--\n".encode())


def disposition(subject: str, text: str, action: str) -> Report:
    """Classify a disposition notification (RFC 8098)."""
    fields = f"""\
        Reporting-UA: mx.readers.example; Dovecot Mail Delivery Agent
        Final-Recipient: rfc822; ann@readers.example
        Disposition: {action}
        """
    head = f"From: ann@readers.example\nTo: news@courier.example\nSubject: {subject}\n"
    return report(
        head, ("text/plain", text), ("message/disposition-notification", fields),
        kind="report; report-type=disposition-notification",
    )  # fmt: skip


def test_a_notification_that_a_filter_has_rejected_a_message_is_a_bounce() -> None:
    found = disposition(
        "Rejected: The bridge reopens",
        "Your message was automatically rejected: 550 5.1.1 user unknown",
        "automatic-action/MDN-sent-automatically; deleted",
    )

    assert found.kind is MailKind.BOUNCE
    assert [(one.address, one.reason) for one in found.failures] == [
        ("ann@readers.example", Reason.UNKNOWN_USER)
    ]


@pytest.mark.parametrize(
    ("subject", "action"),
    [
        ("Read: The quota is refused", "manual-action/MDN-sent-manually; displayed"),
        ("Deleted: The bridge reopens", "manual-action/MDN-sent-manually; deleted"),
    ],
)
def test_whoever_reads_a_message_or_deletes_it_unread_has_not_bounced(subject: str, action: str) -> None:
    found = disposition(subject, "This is a return receipt.", action)

    assert (found.kind, found.failures) == (MailKind.RECEIPT, ())


STATUS = """\
    Reporting-MTA: dns; relay.courier.example

    Final-Recipient: rfc822; ann@readers.example
    Action: failed
    Status: {status}
    """
BOUNCE = "Return-Path: <>\nFrom: MAILER-DAEMON@relay.courier.example\nTo: news@courier.example\n"


def test_a_status_without_the_servers_words_takes_them_from_the_prose() -> None:
    found = report(
        BOUNCE,
        ("text/plain", "The server said: 550 5.1.1 <ann@readers.example>: no such user here"),
        ("message/delivery-status", STATUS.format(status="5.0.0")),
        kind="report; report-type=delivery-status",
    )

    (failure,) = found.failures
    assert (failure.reason, failure.status, failure.code) == (Reason.UNKNOWN_USER, "5.1.1", 550)
    assert failure.permanent


def test_prose_makes_no_permanent_failure_of_a_temporary_one() -> None:
    found = report(
        BOUNCE,
        ("text/plain", "See https://relay.courier.example/5.1.1 for what 5.1.1 means."),
        ("message/delivery-status", STATUS.format(status="4.0.0")),
        kind="report; report-type=delivery-status",
    )

    (failure,) = found.failures
    assert failure.status == "4.0.0"
    assert not failure.permanent


def test_of_the_addresses_in_a_report_those_in_its_header_have_failed() -> None:
    message = (
        f"{BOUNCE}Subject: Mail delivery failed\nX-Failed-Recipients: ann@readers.example\n\n"
        "A message could not be delivered to one or more of its recipients:\n\n"
        "  ann@readers.example\n    550 unknown user\n  bea@readers.example\n    550 unknown user\n"
    )

    assert [one.address for one in read(message.encode()).failures] == ["ann@readers.example"]


LOOP = "From: staff@loop.example\nTo: abuse@courier.example\n"


def test_microsofts_report_is_a_complaint_of_the_reader_whom_it_names() -> None:
    inside = "X-HmXmrOriginalRecipient: ann@readers.example\nSubject: The bridge reopens\n\nText"

    found = report(f"{LOOP}Subject: complaint about message\n", ("message/rfc822", inside))

    assert found.kind is MailKind.COMPLAINT
    assert found.complaint is not None
    assert found.complaint.recipient == "ann@readers.example"


@pytest.mark.parametrize(
    ("fields", "is_complaint"),
    [
        ("Category: abuse", True),
        ("Category: abuse\nReport-Type: spam", True),
        ("Category: 'abuse'\nReport-Type: \"x-spam\"", True),
        ("Category: fraud\nReport-Type: phishing", True),
        ("Category: abuse\nReport-Type: login-attack", False),
        ("Category: abuse\nReport-Type: malware-attack", False),
        ("Category: info\nReport-Type: openrelay", False),
        ("Category: auth", False),
        ("Category: private\nReport-Type: x-spamtrap", False),
    ],
)
def test_an_x_arf_report_is_a_complaint_if_it_is_about_unwanted_mail(fields: str, is_complaint: bool) -> None:
    found = report(
        f"{LOOP}X-ARF: Yes\nSubject: A report\n", ("text/plain", "See below."), ("text/plain", f"{fields}\n")
    )

    assert found.kind is (MailKind.COMPLAINT if is_complaint else MailKind.OTHER)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 60_000, '{"Report": []}', '{"Report": {"ReportType": "LoginAttack"}}']
)
def test_an_x_arf_report_in_json_that_says_nothing_of_unwanted_mail_is_no_complaint(content: str) -> None:
    found = report(f"{LOOP}X-XARF: PLAIN\nSubject: A report\n", ("application/json", content))

    assert found.kind is MailKind.OTHER


@pytest.mark.parametrize(
    ("stated", "is_complaint"),
    [
        ("abuse", True), ("Abuse (a reader's click)", True), ("fraud", True), ("other", True), ("opt-out", True),
        ("opt-out-list", True), ("unsubscribe", True), ("miscategorized", True), ("", True),
        ("not-spam", False), ("not_spam", False), ("virus", False), ("Virus (scanner)", False),
        ("auth-failure", False), ("dkim", False),
    ],
)  # fmt: skip
def test_a_feedback_report_is_a_complaint_but_for_what_a_program_found_or_a_reader_took_back(
    stated: str, is_complaint: bool
) -> None:
    found = report(f"{LOOP}Subject: A report\n", ("message/feedback-report", f"Feedback-Type: {stated}\n"))

    assert found.kind is (MailKind.COMPLAINT if is_complaint else MailKind.OTHER)


def test_a_feedback_report_is_known_by_its_fields_where_their_part_has_another_type() -> None:
    found = report(
        f"{LOOP}Subject: A report\n",
        ("text/plain", "This is a report."),
        ("text/plain", "Feedback-Type: abuse\nOriginal-Rcpt-To: <ann@readers.example>\n"),
        kind="report; report-type=feedback-report",
    )

    assert found.complaint is not None
    assert found.complaint.recipient == "ann@readers.example"
