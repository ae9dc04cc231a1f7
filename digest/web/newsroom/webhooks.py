"""Receivers of webhooks at the desk: added with their events, their log, replay, stopping."""

from collections.abc import Callable
from datetime import datetime

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import WebhookEvent
from digest.models.row import row_id
from digest.tasks.webhooks import receivers
from digest.tasks.webhooks.receivers import ReceiverChanged, ReceiverUnknown, host_of, secret_version
from digest.web.desk.pages import DeskPages, sentence
from digest.web.newsroom.tokens import TOKENS, read_number

WEBHOOKS = f"{TOKENS}/webhooks"
EVENTS = {
    WebhookEvent.SUBSCRIBED: "a reader confirmed",
    WebhookEvent.LEFT: "a reader left, bounced for good or complained",
    WebhookEvent.BOUNCED: "a message to a reader bounced",
    WebhookEvent.EDITION_FROZEN: "an edition is made: its articles and readers are fixed",
    WebhookEvent.EDITION_FINISHED: "an edition is finished: no message of it is left to send",
    WebhookEvent.ARTICLE_TAKEN: "an article was taken in",
}
"""What each event means, as the desk says it."""


class WebhookPages:
    """The receivers, for operators: they decide what data leaves the house."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def list(self, request: Request) -> Response:
        """Show the receivers, and the form that adds one."""
        return self._list(request)

    def add(self, request: Request) -> Response:
        """Add a receiver, and show its secret this once."""
        front, url = self._front, self._front.get(request, "url")
        events = [str(event) for event in request.state.form.getlist("event")]
        with_addresses = bool(front.get(request, "addresses"))
        try:
            added = receivers.add_receiver(
                front.desk.database, front.desk.settings, url, events, front.who(request),
                front.now(), with_addresses=with_addresses,
            )  # fmt: skip
        except InputError as error:
            return self._list(
                request, 400, error=sentence(error), url=url, chosen=events, with_addresses=with_addresses
            )
        return self._show(request, row_id(added), secret=added.secret)

    def show(self, request: Request, number: str) -> Response:
        """Show a receiver with its log."""
        return self._show(request, read_number(number))

    def renew(self, request: Request, number: str) -> Response:
        """Replace a receiver's secret, and show the new one this once."""
        front, endpoint = self._front, read_number(number)
        try:
            seen = front.get(request, "version")
            renewed = receivers.renew_secret(front.desk.database, endpoint, seen, front.now())
        except ReceiverChanged as error:
            return self._show(request, endpoint, 409, error=sentence(error))
        except ReceiverUnknown:
            raise HTTPException(404) from None
        return self._show(request, endpoint, secret=renewed.secret)

    def stop(self, request: Request, number: str) -> Response:
        """Stop sending to a receiver."""
        return self._act(number, receivers.stop_receiver, "receiver-stopped")

    def start(self, request: Request, number: str) -> Response:
        """Resume sending to a receiver."""
        return self._act(number, receivers.start_receiver, "receiver-started")

    def remove(self, request: Request, number: str) -> Response:
        """Remove a receiver and the messages that wait for it."""
        front, endpoint = self._front, read_number(number)
        try:
            receivers.remove_receiver(front.desk.database, endpoint, front.get(request, "version"))
        except ReceiverChanged as error:
            return self._show(request, endpoint, 409, error=sentence(error))
        except ReceiverUnknown:
            raise HTTPException(404) from None
        return front.go(WEBHOOKS, "receiver-removed")

    def replay(self, request: Request, number: str, message: str) -> Response:
        """Send a message of the log again."""
        front, endpoint = self._front, read_number(number)
        try:
            receivers.replay(front.desk.database, endpoint, read_number(message), front.now())
        except ReceiverUnknown:
            raise HTTPException(404) from None
        return front.go(f"{WEBHOOKS}/{endpoint}", "replayed", f"message-{message}")

    def _act(self, number: str, act: Callable[..., None], said: str) -> Response:
        front, endpoint = self._front, read_number(number)
        now: datetime = front.now()
        try:
            act(front.desk.database, endpoint, now)
        except ReceiverUnknown:
            raise HTTPException(404) from None
        return front.go(f"{WEBHOOKS}/{endpoint}", said)

    def _list(self, request: Request, status: int = 200, **values: object) -> Response:
        return self._front.show(
            request,
            "webhooks",
            status,
            title="Webhooks",
            receivers=receivers.list_receivers(self._front.desk.database),
            host_of=host_of,
            events=EVENTS,
            **{"error": "", "url": "", "chosen": (), "with_addresses": False, **values},
        )

    def _show(
        self, request: Request, endpoint: int, status: int = 200, *, secret: str = "", error: str = ""
    ) -> Response:
        try:
            found = receivers.show_receiver(self._front.desk.database, endpoint)
        except ReceiverUnknown:
            raise HTTPException(404) from None
        return self._front.show(
            request,
            "webhook",
            status,
            title=f"Webhooks to {host_of(found.endpoint)}",
            found=found,
            one=found.endpoint,
            host=host_of(found.endpoint),
            events=EVENTS,
            version=secret_version(found.endpoint),
            secret=secret,
            error=error,
        )
