"""Check the way of mail through the relay back to the inbox, with one message of our own."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from digest.errors import Unreachable
from digest.mail.rendering.renderer import Renderer
from digest.models import DeliveryState, Outcome
from digest.net.smtp import Envelope, Relay, open_connection
from digest.rules.delivery.reply_verdicts import describe, judge
from digest.tasks.composing.composer import Composer
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.inbound.inbox import Inbox
from digest.tasks.inbound.intake import take_in
from digest.tasks.inbound.mailbox import fetch_mail
from digest.tasks.inbound.round_trip import RoundTrip, TripState, begin_trip, trip_state

_CHECK = "round-trip"
_PAUSE = 0.5


def examine_round_trip(
    inbox: Inbox,
    composer: Composer,
    renderer: Renderer,
    relay: Relay,
    number: int,
    clock: Callable[[], datetime],
    patience: timedelta,
) -> Finding:
    """Send one message to our own inbox and wait for it; report where it was lost."""
    if not inbox.settings.inbound.address:
        return fail(_CHECK, "no inbox is set, so nothing can come back", "set [inbound] address")
    trip = begin_trip(inbox, renderer, number, clock())
    refused = _submit(inbox, composer, relay, trip, clock())
    if refused is not None:
        return refused
    sent_at = clock()
    while clock() - sent_at < patience:
        try:
            fetch_mail(inbox)
        except Unreachable as error:
            return fail(_CHECK, str(error), "check [inbound.imap]")
        taken = take_in(inbox, clock())
        state = trip_state(inbox)
        if state is TripState.CAME:
            seconds = (clock() - sent_at).total_seconds()
            return ok(_CHECK, f"a message through the relay came back into the inbox in {seconds:.1f} s")
        if state is TripState.WITHOUT_TOKEN:
            return fail(
                _CHECK,
                f"the message came, but not for the address that it was sent to ({trip.address})",
                "let the mail server write Delivered-To with the whole address, or set [inbound] delimiter",
            )
        if taken["trouble"]:
            where = inbox.spool.folder / "kept"
            return fail(_CHECK, "the message arrived and could not be processed", f"look at {where}")
        Event().wait(_PAUSE)
    return _lost(inbox, relay, trip, patience)


def _submit(inbox: Inbox, composer: Composer, relay: Relay, trip: RoundTrip, now: datetime) -> Finding | None:
    opened = open_connection(relay)
    if isinstance(opened, Outcome):
        return fail(_CHECK, f"the relay cannot be used ({describe(opened)})", "look at [smtp]")
    try:
        envelope = Envelope(inbox.settings.inbound.address, trip.address)
        outcome = opened.submit(envelope, composer.sign(trip.message, now))
    finally:
        opened.close()
    if judge(outcome, attempts=1, now=now).state is DeliveryState.ACCEPTED:
        return None
    return fail(
        _CHECK,
        f"the relay does not accept a message for {trip.address} ({describe(outcome)})",
        "let the mail server accept [inbound] address followed by the delimiter and more",
    )


def _lost(inbox: Inbox, relay: Relay, trip: RoundTrip, patience: timedelta) -> Finding:
    """Return where a message was probably lost that the relay accepted."""
    inbound = inbox.settings.inbound
    seconds = f"{patience.total_seconds():.0f} s"
    if inbound.lmtp_port and not _listens(inbound.lmtp_host, inbound.lmtp_port):
        return fail(
            _CHECK,
            f"the relay took the message, and nothing listens at {inbound.lmtp_host}:{inbound.lmtp_port}",
            "start `digest run`, which accepts mail by LMTP",
        )
    return warn(
        _CHECK,
        f"the relay at {relay.host} took the message, and it has not come in {seconds}",
        f"search the mail server's log for {trip.address}, and check where it delivers that address",
    )


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False
