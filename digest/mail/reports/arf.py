"""Parse complaints: feedback reports (RFC 5965) and what some feedback loops send instead."""

import re

from digest.mail.reports.dsn import find_addresses
from digest.mail.reports.parts import HeaderFields, Mail, read_fields
from digest.mail.reports.report import FeedbackReport

_KIND = "message/feedback-report"
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc", "opt-out-confirmation"})
_LOOP_SENDER = re.compile(r"^(staff|scomp|fbl|feedbackloop|feedback|arf|abuse-?reports?|complaints?)\b", re.I)
_LOOP_SUBJECT = re.compile(
    r"complaint about (message|mail) from|e-?mail feedback report|abuse (report|complaint)|"
    r"spam (report|complaint|notification)|client tos notification|\bFBL\b|feedback loop report",
    re.I,
)


def read_complaint(mail: Mail) -> FeedbackReport | None:
    """Return the complaint that a message is, or None.

    A report of another type, such as a failed authentication or "not spam", is no complaint.
    """
    part = mail.find(_KIND)
    if part is None and mail.parameters.get("report-type", "").lower() == "feedback-report":
        part = next((p for p in mail.parts if "feedback-type:" in p.text[:2000].lower()), None)
    if part is not None:
        return _read_report(mail, read_fields(part.text.lstrip().encode("utf-8", "replace")))
    return _read_loose(mail)


def is_report(mail: Mail) -> bool:
    """Return whether a message is a feedback report of any type."""
    return mail.find(_KIND) is not None or mail.parameters.get("report-type", "").lower() == "feedback-report"


def _read_report(mail: Mail, fields: HeaderFields) -> FeedbackReport | None:
    kind = fields.get("feedback-type").strip().lower() or "abuse"
    if kind in _NO_COMPLAINT:
        return None
    reporter = fields.get("source") or fields.get("reporting-mta").partition(";")[2]
    named = [*fields.all("original-rcpt-to"), *fields.all("removal-recipient")]
    found = [address for value in named for address in find_addresses(value)]
    return FeedbackReport(kind, _host(reporter or mail.headers.get("from")), found[0] if found else "")


def _read_loose(mail: Mail) -> FeedbackReport | None:
    """Parse reports without a report part: Microsoft's JMRP, X-ARF, older ones that attach the message."""
    subject, sender = mail.headers.text("subject"), mail.headers.get("from")
    local = next(iter(find_addresses(sender)), "").partition("@")[0]
    returned = mail.find("message/rfc822", "text/rfc822-headers") is not None
    if mail.headers.get("x-arf") or mail.headers.get("x-xarf"):
        category = next((p.text for p in mail.parts if "category:" in p.text[:2000].lower()), "")
        return (
            FeedbackReport("abuse", _host(sender))
            if re.search(r"category:\s*abuse", category, re.I)
            else None
        )
    inside = next((p for p in mail.parts if p.kind == "message/rfc822"), None)
    if inside is not None and b"X-HmXmrOriginalRecipient" in inside.body[:65_536]:
        found = find_addresses(read_fields(inside.body[:65_536]).get("x-hmxmroriginalrecipient"))
        return FeedbackReport("abuse", _host(sender), found[0] if found else "")
    if returned and _LOOP_SUBJECT.search(subject) and _LOOP_SENDER.match(local):
        return FeedbackReport("abuse", _host(sender))
    return None


def _host(text: str) -> str:
    """Return the domain of the reporter, by which complaints are counted."""
    addresses = find_addresses(text)
    host = addresses[0].rpartition("@")[2] if addresses else text.strip()
    return host.lower()[:120]
