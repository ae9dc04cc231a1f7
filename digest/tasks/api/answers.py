"""Answers kept under a request's Idempotency-Key: a repeat gets the same one, and nothing is done twice.

Draft draft-ietf-httpapi-idempotency-key-header: the key with another request is refused, and so is a
repeat while the first is still being worked on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.errors import DigestError
from digest.models import KeptAnswer
from digest.store.api import tokens
from digest.store.database import Database
from digest.tasks.api.tokens import Caller

KEPT = timedelta(hours=24)
"""For how long a repeat gets the same answer."""

_ABANDONED = timedelta(minutes=2)
"""After this time a request without an answer is taken to have died with its process."""


class KeyReused(DigestError):  # noqa: N818 - named for what happened
    """Refuse the request: its key came with another request before."""


class KeyBusy(DigestError):  # noqa: N818 - named for what happened
    """Refuse the request: the first one with its key is still being worked on."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What a request is answered with; `is_repeat` where it was kept from the first time."""

    status: int
    body: str = ""
    location: str = ""
    is_repeat: bool = False


def answer_once(
    database: Database,
    caller: Caller,
    key: str | None,
    asked: str,
    now: datetime,
    act: Callable[[], ApiAnswer],
) -> ApiAnswer:
    """Do what is asked and keep the answer, or return the one that was kept; without a key just do it.

    `asked` is a keyed hash of the whole request. What raises is not kept: nothing was done, and a repeat
    tries again.
    """
    if key is None:
        return act()
    before = _begin(database, caller.token_id, key, asked, now)
    if before is not None:
        return before
    try:
        answer = act()
    except BaseException:
        with database.write() as session:
            tokens.drop_answer(session, caller.token_id, key)
        raise
    with database.write() as session:
        row = tokens.find_answer(session, caller.token_id, key)
        if row is not None:
            row.status, row.body, row.location = answer.status, answer.body, answer.location
            session.add(row)
    return answer


def _begin(database: Database, token_id: int, key: str, asked: str, now: datetime) -> ApiAnswer | None:
    """Enter that a request is worked on; return the answer that is kept for it."""
    with database.write() as session:
        tokens.forget_answers(session, now - KEPT)
        if tokens.enter_answer(
            session, KeptAnswer(token_id=token_id, key=key, request_hash=asked, begun_at=now)
        ):
            return None
        known = tokens.find_answer(session, token_id, key)
        if known is None or known.request_hash != asked:
            raise KeyReused(
                "this Idempotency-Key was used with another request: make a new one for each request"
            )
        if known.status is not None:
            return ApiAnswer(known.status, known.body, known.location, is_repeat=True)
        if now - known.begun_at < _ABANDONED:
            raise KeyBusy("the first request with this Idempotency-Key is still in progress: repeat it later")
        known.begun_at = now
        session.add(known)
    return None
