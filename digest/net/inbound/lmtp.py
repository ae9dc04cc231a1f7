"""Receive messages by LMTP (RFC 2033): 250 is sent for each recipient only when the message is in the
spool."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP

from digest.net.inbound.pace import FloodPace
from digest.net.inbound.spool import Spool

_MOST_BYTES = 64_000_000
_LONGEST_LINE = 1_000_000


class LmtpServer:
    """A server for the publication's own mail server: it requires no login."""

    def __init__(
        self,
        spool: Spool,
        is_ours: Callable[[str], bool],
        host: str,
        port: int,
        is_delivering: Callable[[], bool] = lambda: False,
    ) -> None:
        handler = _SpoolHandler(spool, is_ours, FloodPace(is_delivering))
        self._controller = _LmtpController(handler, hostname=host, port=port)

    def start(self) -> None:
        """Listen; raise OSError where the port is taken."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; a message that is being stored is answered first."""
        self._controller.stop()


class _SpoolHandler:
    """Handles each recipient and each message."""

    def __init__(self, spool: Spool, is_ours: Callable[[str], bool], pace: FloodPace) -> None:
        self._spool, self._is_ours, self._pace = spool, is_ours, pace

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Accept our own addresses only."""
        if not self._is_ours(address):
            return "550 5.1.1 no mailbox here by that name"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Store a message for each recipient and answer for each (RFC 2033 4.2)."""
        begun = time.monotonic()
        replies = [
            await asyncio.to_thread(
                self._store, envelope.mail_from or "", recipient, envelope.original_content
            )
            for recipient in envelope.rcpt_tos
        ]
        await asyncio.sleep(self._pace.pause(time.monotonic() - begun))
        return "\r\n".join(replies)

    def _store(self, sender: str, recipient: str, content: bytes) -> str:
        try:
            self._spool.deliver([content], return_path=sender, recipient=recipient)
        except OSError:
            return "451 4.3.0 it cannot be stored now; try again"
        return "250 2.0.0 stored"


class _LmtpSession(LMTP):
    """aiosmtpd's LMTP, with the line lengths that occur in practice."""

    line_length_limit = _LONGEST_LINE


class _LmtpController(Controller):
    """Runs the server in a thread of its own."""

    def factory(self) -> _LmtpSession:
        """Make the server of one connection."""
        return _LmtpSession(
            self.handler, data_size_limit=_MOST_BYTES, enable_SMTPUTF8=True, hostname="digest"
        )
