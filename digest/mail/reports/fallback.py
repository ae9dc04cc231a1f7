"""Ask flufl.bounce about a report in which the other modules of this package find no recipient."""

from digest.mail.reports.dsn import find_addresses
from digest.mail.reports.failure_text import judge
from digest.mail.reports.report import Failure

_MOST = 64_000
_MOST_BOUNDARIES = 8
_MOST_DELIMITERS = 40


def find_by_library(raw: bytes, text: str) -> list[Failure]:
    """Return the recipients that the library's detectors find, judged by the report's words.

    The standard library's parser takes quadratic time for nested parts, so such messages are not passed to
    it.
    """
    raw = raw[:_MOST]
    if raw.lower().count(b"boundary=") > _MOST_BOUNDARIES or raw.count(b"\n--") > _MOST_DELIMITERS:
        return []
    import email  # imported here: few messages come this far, and the package is slow to import

    from flufl.bounce import all_failures

    try:
        temporary, permanent = all_failures(email.message_from_bytes(raw))
    except (ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError):
        return []  # its detectors expect well-formed parts, which a hostile message need not have
    named = sorted(address.decode("utf-8", "replace") for address in temporary | permanent)
    delayed = {address.decode("utf-8", "replace") for address in temporary - permanent}
    return [judge(one, text, text, text, one in delayed) for one in named if find_addresses(one) == [one]]
