"""Conditional requests: a client with a stored response learns whether it is current (RFC 9110, section
13)."""

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

_ASK_AGAIN = "public, no-cache"
_LONGEST_DATE = 40


def answer(request: Request, content: bytes, media_type: str, changed_at: datetime | None) -> Response:
    """Answer with content, or with 304 if the client has it already.

    No cache may use it without revalidation, so a withdrawn article is gone with the next request.
    """
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": _ASK_AGAIN}
    if changed_at is not None:
        headers["Last-Modified"] = format_datetime(changed_at.astimezone(UTC), usegmt=True)
    if _is_known(request, tag, changed_at):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _is_known(request: Request, tag: str, changed_at: datetime | None) -> bool:
    """Return whether the client's copy is current; a tag has precedence over a date (RFC 9110, section
    13.2.2)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return bool(known & {tag, "*"})
    moment = _parse_date(request.headers.get("if-modified-since", ""))
    return moment is not None and changed_at is not None and changed_at.replace(microsecond=0) <= moment


def _parse_date(text: str) -> datetime | None:
    """Parse an HTTP date (RFC 9110, section 5.6.7), always in GMT; None for any other text.

    The parser of mail dates would accept any zone, and raises errors of several kinds for absurd ones.
    """
    if not text.isascii() or not text.endswith(" GMT") or len(text) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=UTC)
