"""Ask flufl.bounce about a report that the readers of this package find nobody in."""

from digest.mail.reports.dsn import find_addresses
from digest.mail.reports.failure_text import judge
from digest.mail.reports.report import Failure

_MOST = 64_000
_MOST_BOUNDARIES = 8
_MOST_DELIMITERS = 40


def find_by_library(raw: bytes, text: str) -> list[Failure]:
    """Return those whom the library's detectors name, judged by the report's words.

    The standard library's parser takes a time that grows with the square of nested parts: those have none.
    """
    raw = raw[:_MOST]
    if raw.lower().count(b"boundary=") > _MOST_BOUNDARIES or raw.count(b"\n--") > _MOST_DELIMITERS:
        return []
    import email  # here: few messages come this far, and the package is slow to import

    from flufl.bounce import all_failures

    try:
        temporary, permanent = all_failures(email.message_from_bytes(raw))
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError):
        return []  # its detectors expect well-formed parts, and this message's sender owes us none
    named = sorted(address.decode("utf-8", "replace") for address in temporary | permanent)
    delayed = {address.decode("utf-8", "replace") for address in temporary - permanent}
    return [judge(one, text, text, text, one in delayed) for one in named if find_addresses(one) == [one]]
