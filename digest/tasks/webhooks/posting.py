"""Post what waits in the outbox: each receiver by itself, for a bounded time, again later where it fails.

The outbox is written with the facts, so nothing is lost; a message is marked as taken after the answer, so a
process that dies in between sends it twice, under the same id.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlmodel import Session

from digest.errors import DigestError
from digest.models.programs.webhooks import WebhookEndpoint, WebhookMessage
from digest.models.row import row_id
from digest.rules.webhooks.retries import judge_failure
from digest.rules.webhooks.signing import sign
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import subscribers
from digest.store.webhooks import outbox
from digest.tasks.webhooks.receivers import host_of, origin_of_url

TIMEOUT = 8.0
"""How long a receiver may take to answer, in seconds: less than a process may take to end."""

KEPT = timedelta(days=30)
"""How long the log keeps what was taken or given up."""

_WIDTH = 8
_MOST_RECEIVERS = 200
_MOST_MESSAGES = 50
_SPAN = 15.0  # how long one receiver is posted to before the others' next turn, in seconds
_LEASE = timedelta(minutes=2)
_LATER = timedelta(minutes=1)
log = logging.getLogger(__name__)


class Posted(Protocol):
    """An answer: its status, and what its Retry-After says."""

    @property
    def status(self) -> int:
        """Return the status."""

    @property
    def retry_after(self) -> str:
        """Return the text of Retry-After, "" without one."""


Post = Callable[[str, bytes, Mapping[str, str], bool], Posted]


@dataclass(slots=True)
class PostedTally:
    """What one pass did: messages that were taken, and failures."""

    taken: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Claimed:
    endpoint: WebhookEndpoint
    messages: Sequence[WebhookMessage]


def post_over_http(url: str, body: bytes, headers: Mapping[str, str], is_private: bool) -> Posted:
    """Post to a receiver; raise DigestError where none answers, or where it may not be connected to."""
    from digest.net.http import post

    return post(url, body, headers, allow_private=is_private, timeout=TIMEOUT)


def post_due(
    database: Database,
    settings: Settings,
    clock: Callable[[], datetime],
    is_ending: Callable[[], bool] = lambda: False,
    post: Post = post_over_http,
) -> PostedTally:
    """Post what is due; one that hangs costs the others nothing, and one that fails is tried once a pass."""
    from digest.net.parallel import in_parallel

    tally = PostedTally()
    with database.read() as session:
        if not outbox.list_endpoints(session):
            return tally  # nothing is written where nobody is told anything
    _forget(database, clock())
    with database.read() as session:
        due = outbox.list_due_endpoints(session, clock(), _MOST_RECEIVERS)
    if not due:
        return tally

    def work(endpoint: WebhookEndpoint) -> PostedTally:
        return _Courier(database, settings, clock, is_ending, post).work(row_id(endpoint))

    for _, done in in_parallel(work, due, _WIDTH):
        tally.taken += done.taken
        tally.failed += done.failed
    return tally


def _forget(database: Database, now: datetime) -> None:
    with database.write() as session:
        outbox.forget_ended(session, now - KEPT)


@dataclass(frozen=True, slots=True)
class _Courier:
    """Posts to one receiver."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    is_ending: Callable[[], bool]
    post: Post

    def work(self, endpoint_id: int) -> PostedTally:
        """Post what is due for a receiver until one fails, or its time is over."""
        tally, began = PostedTally(), time.monotonic()
        claimed = self._claim(endpoint_id)
        if claimed is None:
            return tally
        left = list(claimed.messages)
        while left and time.monotonic() - began < _SPAN and not self.is_ending():
            message = left.pop(0)
            if not self._send(claimed.endpoint, message):
                tally.failed += 1
                break
            tally.taken += 1
        if left:
            later = self.clock() + (_LATER if tally.failed else timedelta())
            with self.database.write() as session:
                outbox.release(session, [row_id(one) for one in left], later)
        return tally

    def _claim(self, endpoint_id: int) -> _Claimed | None:
        now = self.clock()
        with self.database.write() as session:
            endpoint = outbox.find_endpoint(session, endpoint_id)
            if endpoint is None or endpoint.disabled_at is not None:
                return None
            most = 1 if endpoint.failing_since is not None else _MOST_MESSAGES
            found = outbox.claim(session, endpoint_id, now, now + _LEASE, most)
        return _Claimed(endpoint, found) if found else None

    def _send(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> bool:
        """Post one message and enter what came of it; return whether it was taken."""
        now, status, retry_after, trouble = self.clock(), None, "", ""
        with self.database.read() as session:
            body = _body(session, endpoint, message)
        secrets = [endpoint.secret]
        if endpoint.former_until is not None and now < endpoint.former_until:
            secrets.append(endpoint.former_secret)
        headers = sign(secrets, message.message_id, int(now.timestamp()), body)
        is_private = origin_of_url(endpoint.url) in self.settings.api.private_webhooks
        try:
            answer = self.post(
                endpoint.url, body, {**headers, "content-type": "application/json"}, is_private
            )
            status, retry_after = answer.status, answer.retry_after
            trouble = "" if 200 <= status < 300 else f"it answers {status}"
        except DigestError as error:
            trouble = str(error)
        self._enter(row_id(endpoint), row_id(message), status, retry_after, trouble)
        return not trouble

    def _enter(
        self, endpoint_id: int, number: int, status: int | None, retry_after: str, trouble: str
    ) -> None:
        now = self.clock()
        with self.database.write() as session:
            endpoint = outbox.find_endpoint(session, endpoint_id, lock=True)
            message = outbox.find_message(session, endpoint_id, number)
            if endpoint is None or message is None:
                return  # it was removed meanwhile
            message.attempts += 1
            message.tried_at, message.status, message.trouble = now, status, trouble[:300]
            if not trouble:
                message.taken_at, message.due_at, endpoint.failing_since = now, None, None
            else:
                verdict = judge_failure(message.attempts, status, retry_after, endpoint.failing_since, now)
                message.due_at = verdict.due_at
                endpoint.failing_since = endpoint.failing_since or now
                if verdict.disable and endpoint.disabled_at is None:
                    endpoint.disabled_at, endpoint.disabled_why = now, verdict.disable
                    log.error("webhooks to %s are disabled: %s", host_of(endpoint), verdict.disable)
            session.add(endpoint)
            session.add(message)


def _body(session: Session, endpoint: WebhookEndpoint, message: WebhookMessage) -> bytes:
    """Return the body; a reader's address is in it if the receiver may have it and there still is one."""
    data: dict[str, Any] = dict(message.data)
    if message.reader and endpoint.with_addresses:
        reader = subscribers.find_by_public_id(session, message.reader)
        data["address"] = reader.address if reader and reader.erased_at is None else None
    told = {"type": message.event, "timestamp": message.at.isoformat(), "data": data}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
