"""Enter what happens for each receiver that wants to know, in the transaction in which it happens."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.models import Edition, Subscriber
from digest.models.cadence import REQUEST, WELCOME
from digest.models.programs.webhooks import WebhookEndpoint, WebhookEvent, WebhookMessage
from digest.models.row import row_id
from digest.store.articles.bulk import NewArticle
from digest.store.webhooks import outbox

_OWN = (REQUEST, WELCOME)
_ENABLED = "receivers of webhooks"


def tell_of_reader(
    session: Session,
    event: WebhookEvent,
    reader: Subscriber,
    now: datetime,
    **data: str,
) -> None:
    """Enter what a reader did, or what happened to their mail; the message names them by their public id."""
    wanting = _wanting(session, event)
    if wanting:
        _enter(session, wanting, event, {"reader": reader.public_id, **data}, now, reader.public_id)


def tell_of_edition(session: Session, event: WebhookEvent, edition: Edition, now: datetime) -> None:
    """Enter that an edition is frozen or finished; one for a single reader is nobody else's business."""
    if edition.cadence in _OWN:
        return
    wanting = _wanting(session, event)
    if wanting:
        data = {"digest": edition.digest, "cadence": edition.cadence, "period": edition.period}
        _enter(session, wanting, event, data, now)


def tell_of_articles(session: Session, new: Iterable[NewArticle], now: datetime) -> None:
    """Enter the articles that were taken in and may enter editions."""
    taken = [row for row in new if row.held_back is None]
    wanting = _wanting(session, WebhookEvent.ARTICLE_TAKEN) if taken else []
    for row in taken if wanting else ():
        data = {"article": row_id(row), "url": row.url, "title": row.title, "source": row.source}
        _enter(session, wanting, WebhookEvent.ARTICLE_TAKEN, data | {"topics": row.topics}, now)


def _wanting(session: Session, event: WebhookEvent) -> list[WebhookEndpoint]:
    """Return the receivers of an event, asked once a transaction: a batch of mail tells of many readers."""
    transaction, enabled = session.info.get(_ENABLED, (None, []))
    if transaction is None or transaction is not session.get_transaction():
        enabled = outbox.list_enabled(session)
        session.info[_ENABLED] = session.get_transaction(), enabled
    return [one for one in enabled if event in one.events]


def _enter(
    session: Session,
    wanting: Iterable[WebhookEndpoint],
    event: WebhookEvent,
    data: Mapping[str, Any],
    now: datetime,
    reader: str = "",
) -> None:
    for endpoint in wanting:
        message = WebhookMessage(
            message_id=f"msg_{secrets.token_hex(14)}", endpoint_id=row_id(endpoint), event=event, at=now,
            data=dict(data), reader=reader, due_at=now,
        )  # fmt: skip
        session.add(message)
