"""Answers that a reader's program may keep: asked again, it is told whether they still hold (RFC 9110 13)."""

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

_ASK_AGAIN = "public, no-cache"


def answer(request: Request, content: bytes, media_type: str, changed_at: datetime | None) -> Response:
    """Answer with content, or with 304 where the asker has it.

    No cache may show it without asking: what is withdrawn is gone with the next request.
    """
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": _ASK_AGAIN}
    if changed_at is not None:
        headers["Last-Modified"] = format_datetime(changed_at.astimezone(UTC), usegmt=True)
    if _is_known(request, tag, changed_at):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _is_known(request: Request, tag: str, changed_at: datetime | None) -> bool:
    """Tell whether the asker's copy is this one; a tag is asked for before a time (RFC 9110 13.2.2)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return bool(known & {tag, "*"})
    since = request.headers.get("if-modified-since")
    if since is None or changed_at is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return changed_at.replace(microsecond=0) <= moment
