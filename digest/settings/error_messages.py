"""Error messages for invalid settings, in our own words: what is allowed, with an example.

Pydantic's messages mention its types and patterns; each kind of error that a setting can have has a message
here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_WORDED = {
    "int_parsing": "must be a whole number such as 8, without quotes",
    "int_type": "must be a whole number such as 8, without quotes",
    "int_from_float": "must be a whole number such as 8",
    "int_parsing_size": "must be a smaller number",
    "float_parsing": "must be a number such as 2.5, without quotes",
    "float_type": "must be a number such as 2.5, without quotes",
    "finite_number": "must be a number such as 2.5",
    "bool_parsing": "must be true or false, without quotes",
    "bool_type": "must be true or false, without quotes",
    "string_type": "must be text between quotes",
    "path_type": 'must be a path between quotes, such as "dkim.pem"',
    "string_pattern_mismatch": 'must be a language tag such as "en" or "pt-BR"',
    "tuple_type": 'must be a list such as ["one", "another"]',
    "list_type": 'must be a list such as ["one", "another"]',
    "dict_type": "must be a table: a line in brackets of its own, with keys below it",
    "model_type": "must be a table: a line in brackets of its own, with keys below it",
    "model_attributes_type": "must be a table: a line in brackets of its own, with keys below it",
    "date_type": "must be a date such as 2026-11-23, without quotes",
    "date_parsing": "must be a date such as 2026-11-23, without quotes",
    "date_from_datetime_parsing": "must be a date such as 2026-11-23, without quotes",
    "date_from_datetime_inexact": "must be a date such as 2026-11-23, without a time",
}
_BOUNDED = {
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters at most",
    "too_short": "must name {min_length} or more",
    "too_long": "must name {max_length} at most",
}


LISTED = ("sources", "topics", "digests")
"""The keys of lists of tables, each of which has a line in double brackets."""


def reword(kind: str, message: str, context: Mapping[str, Any], location: Sequence[str | int] = ()) -> str:
    """Return the message for an error by its kind and key; messages raised by our own rules are kept."""
    if kind in _BOUNDED:
        return _BOUNDED[kind].format_map(context)
    if kind in ("literal_error", "enum"):
        offered = str(context["expected"]).replace("'", '"')
        return f"must be {offered}"
    if kind in ("tuple_type", "list_type") and len(location) == 1 and location[0] in LISTED:
        return f"must be tables: write [[{location[0]}]], in double brackets, before the keys of each"
    worded = _WORDED.get(kind, message.removeprefix("Value error, "))
    if location and str(location[-1]).endswith("port"):
        return worded.replace("such as 8", "such as 587")
    return worded
