"""The receivers of webhooks, as operators set them up: added, given a new secret, stopped, replayed to."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlmodel import Session

from digest.errors import InputError
from digest.models.programs.webhooks import WebhookEndpoint, WebhookEvent, WebhookMessage
from digest.models.row import row_id
from digest.rules.webhooks.signing import write_secret
from digest.settings import Settings
from digest.store.database import Database
from digest.store.webhooks import outbox

_KEY_BYTES = 32
_LONGEST_URL = 1_000
_SHOWN = 100
BOTH_SIGN = timedelta(hours=24)
"""For how long after a new secret the former one signs as well."""


class ReceiverUnknown(InputError):  # noqa: N818 - named for what it is
    """Refuse: there is no such receiver, or no such message of it."""


class ReceiverChanged(InputError):  # noqa: N818 - named for what happened
    """Refuse: somebody else gave the receiver a new secret meanwhile."""


@dataclass(frozen=True, slots=True)
class ListedReceiver:
    """A receiver with how many messages wait for it."""

    endpoint: WebhookEndpoint
    waiting: int


@dataclass(frozen=True, slots=True)
class ReceiverLog:
    """A receiver with its latest messages."""

    endpoint: WebhookEndpoint
    waiting: int
    messages: Sequence[WebhookMessage]


def host_of(endpoint: WebhookEndpoint) -> str:
    """Return a receiver's host, by which it is named where its whole URL, often a secret, is not shown."""
    return urlsplit(endpoint.url).hostname or ""


def origin_of_url(url: str) -> str:
    """Return scheme, host and port of a URL, as `[api] private_webhooks` names them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def add_receiver(
    database: Database,
    settings: Settings,
    url: str,
    events: Iterable[str],
    made_by: str,
    now: datetime,
    *,
    with_addresses: bool = False,
) -> WebhookEndpoint:
    """Add a receiver with a secret of its own; raise InputError for a URL or an event that cannot be,
    and for a URL that a receiver has."""
    checked = _check_url(settings, url.strip())
    wanted = [event for event in WebhookEvent if event in set(events)]
    if not wanted:
        raise InputError(f"choose what it is told: {', '.join(WebhookEvent)}")
    endpoint = WebhookEndpoint(
        url=checked, events=[str(event) for event in wanted], with_addresses=with_addresses,
        secret=_new_secret(), made_by=made_by, made_at=now,
    )  # fmt: skip
    with database.write() as session:
        if not outbox.add_endpoint(session, endpoint):
            raise InputError(
                f"a receiver at {host_of(endpoint)} has this URL already; remove it to choose other events"
            )
    return endpoint


def list_receivers(database: Database) -> list[ListedReceiver]:
    """List the receivers."""
    with database.read() as session:
        waiting = outbox.count_waiting(session)
        return [ListedReceiver(one, waiting.get(row_id(one), 0)) for one in outbox.list_endpoints(session)]


def show_receiver(database: Database, endpoint_id: int) -> ReceiverLog:
    """Return a receiver with its latest messages; raise ReceiverUnknown if there is none."""
    with database.read() as session:
        endpoint = _get(session, endpoint_id)
        waiting = outbox.count_waiting(session).get(endpoint_id, 0)
        return ReceiverLog(endpoint, waiting, outbox.list_messages(session, endpoint_id, _SHOWN))


def secret_version(endpoint: WebhookEndpoint) -> str:
    """Return what tells a receiver's secret from its next one, and tells nothing of either."""
    return (endpoint.former_until or endpoint.made_at).isoformat()


def renew_secret(database: Database, endpoint_id: int, seen: str, now: datetime) -> WebhookEndpoint:
    """Replace a receiver's secret; for a day the former one signs too, so that nothing is missed.

    Raise ReceiverChanged unless `seen` is its version: replaced twice, the secret that the receiver still has
    would sign no more.
    """
    with database.write() as session:
        endpoint = _get(session, endpoint_id)
        _check_seen(endpoint, seen)
        endpoint.former_secret, endpoint.former_until = endpoint.secret, now + BOTH_SIGN
        endpoint.secret = _new_secret()
        session.add(endpoint)
    return endpoint


def stop_receiver(database: Database, endpoint_id: int, now: datetime) -> None:
    """Stop telling a receiver; what waits for it is kept."""
    with database.write() as session:
        endpoint = _get(session, endpoint_id)
        endpoint.disabled_at, endpoint.disabled_why = endpoint.disabled_at or now, ""
        session.add(endpoint)


def start_receiver(database: Database, endpoint_id: int, now: datetime) -> None:
    """Resume telling a receiver, beginning with what waited for it; it counts as one that never failed."""
    with database.write() as session:
        endpoint = _get(session, endpoint_id)
        endpoint.disabled_at, endpoint.disabled_why, endpoint.failing_since = None, "", None
        session.add(endpoint)
        outbox.resume(session, endpoint_id, now)


def remove_receiver(database: Database, endpoint_id: int, seen: str) -> None:
    """Forget a receiver and everything that waits for it; raise ReceiverChanged as `renew_secret` does."""
    with database.write() as session:
        endpoint = _get(session, endpoint_id)
        _check_seen(endpoint, seen)
        session.delete(endpoint)


def replay(database: Database, endpoint_id: int, number: int, now: datetime) -> None:
    """Send a message again, under its own id, whatever became of it; raise ReceiverUnknown for none."""
    with database.write() as session:
        message = outbox.find_message(session, endpoint_id, number)
        if message is None:
            raise ReceiverUnknown(f"there is no message {number} for this receiver")
        message.due_at, message.attempts, message.taken_at = now, 0, None
        session.add(message)


def _get(session: Session, endpoint_id: int) -> WebhookEndpoint:
    endpoint = outbox.find_endpoint(session, endpoint_id, lock=True)
    if endpoint is None:
        raise ReceiverUnknown(f"there is no receiver {endpoint_id}")
    return endpoint


def _check_seen(endpoint: WebhookEndpoint, seen: str) -> None:
    if seen != secret_version(endpoint):
        raise ReceiverChanged(
            "this receiver's secret was replaced since you opened this page; nothing was changed"
        )


def _new_secret() -> str:
    return write_secret(secrets.token_bytes(_KEY_BYTES))


def _check_url(settings: Settings, url: str) -> str:
    """Return a URL that webhooks may be posted to: public and https, or one that the settings name."""
    from digest.net.hosts import is_private_host  # imported here: `status` adds no receiver

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or not url.isascii() or not url.isprintable():
        raise InputError("write the receiver's address, such as https://hooks.example.org/digest")
    if len(url) > _LONGEST_URL or " " in url or parts.username is not None or parts.fragment:
        raise InputError("the address may have no login, no # and no spaces, and 1,000 characters at most")
    if origin_of_url(url) in settings.api.private_webhooks:
        return url
    if parts.scheme != "https":
        raise InputError("only https: what is posted, and its signature, must not be read on the way")
    if is_private_host(host):
        raise InputError(
            f"{host} is an address of a private network: name its origin in [api] private_webhooks first"
        )
    return url
