"""A publication with an inbox: what it mailed, and what comes back to it."""

from collections.abc import Sequence
from email.message import EmailMessage
from typing import TypeVar

from sqlmodel import select

from digest.models import Answer, Bounce, Complaint, Edition, InboundMessage, Letter, Subscriber
from digest.models.programs.webhooks import WebhookMessage
from digest.net.inbound.spool import Spool
from digest.rules.tokens import mail_tokens
from digest.settings import Settings, load_settings
from digest.store.database import Database
from digest.tasks.composing.composer import return_paths
from tests.support.newsroom import Publication

Row = TypeVar("Row", Answer, Bounce, Complaint, Edition, InboundMessage, Letter, Subscriber, WebhookMessage)

DSN = """Return-Path: <>
Delivered-To: {to}
From: Mail Delivery System <MAILER-DAEMON@mx.readers.example>
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{number}@mx.readers.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain

It could not be delivered.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.readers.example

Final-Recipient: rfc822; {address}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {words}

--=_b
Content-Type: text/rfc822-headers

{returned}
--=_b--
"""
ARF = """Return-Path: <fbl@isp.example>
Delivered-To: {to}
From: <feedback@isp.example>
To: {to}
Subject: FW: World Briefing
Message-ID: <{number}@isp.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: text/plain

An abuse report.

--=_b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Isp/1
Version: 1

--=_b
Content-Type: message/rfc822

{returned}
The bridge.

--=_b--
"""
LETTER = """Return-Path: <{sender}>
Delivered-To: {to}
From: {sender}
To: {to}
Subject: {subject}
Message-ID: <{number}@readers.example>
{headers}
{text}
"""


class Inboxed:
    """A publication whose mail comes in, and the ways to send it something."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        publication.change_settings(
            "[web]",
            '[inbound]\naddress = "news@courier.example"\nauthserv_id = "mx.courier.example"\n\n[web]',
        )
        self.settings: Settings = load_settings(publication.config)
        self.spool = Spool(publication.folder / "inbox")
        self._number = 0

    def rows(self, model: type[Row]) -> list[Row]:
        """List the rows of a table."""
        database = Database(self.settings.database_url)
        try:
            with database.read() as session:
                return list(session.exec(select(model)))
        finally:
            database.close()

    def reader(self, address: str) -> Subscriber:
        """Return a reader."""
        return next(row for row in self.rows(Subscriber) if row.address == address)

    def return_path(self, address: str) -> str:
        """Return the return path of the daily edition to a reader."""
        edition = next(one for one in self.rows(Edition) if one.cadence == "daily")
        return return_paths(self.settings).write(self.reader(address).public_id, edition.name)

    def leave_address(self, address: str) -> str:
        """Return the address by which a reader leaves."""
        keys = self.settings.web.signing_keys
        token = mail_tokens.sign_address(keys, mail_tokens.LEAVE, self.reader(address).public_id, ("world",))
        return f"news+{token}@courier.example"

    def bounce(
        self,
        address: str,
        *,
        to: str = "",
        status: str = "5.1.1",
        words: str = "550 5.1.1 user unknown",
        returned: str = "",
    ) -> str:
        """Write a bounce about a reader, to the return path of their edition where no other is named."""
        self._number += 1
        return DSN.format(
            to=to or self.return_path(address), address=address, status=status, words=words,
            number=f"b{self._number}", returned=returned,
        )  # fmt: skip

    def complaint(self, returned: str, to: str = "news@courier.example") -> str:
        """Write a complaint that returns a message."""
        self._number += 1
        return ARF.format(to=to, number=f"a{self._number}", returned=returned)

    def letter(
        self, sender: str, subject: str = "", text: str = "", *, to: str = "news@courier.example",
        headers: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Write a person's message."""
        self._number += 1
        lines = "".join(line + "\n" for line in headers)
        return LETTER.format(
            sender=sender, to=to, subject=subject, text=text, number=f"l{self._number}", headers=lines
        )

    def take(self, *messages: str) -> None:
        """Let messages come in, and act on them."""
        for message in messages:
            self.spool.deliver([message.encode()])
        self.publication.run("receive", "--now")

    def suppressed(self, address: str) -> object:
        """Return why an address is suppressed; None where it is not."""
        return self.publication.facts("subscribers", "show", address)["suppressed"]

    def state(self, address: str) -> object:
        """Return the state of a reader's subscription."""
        return self.publication.facts("subscribers", "show", address)["subscriptions"][0]["state"]


def headers_of(message: EmailMessage) -> str:
    """Return a message's header as a report returns it."""
    return "".join(
        f"{name}: {value}\n"
        for name, value in message.items()
        if name in ("From", "To", "Message-ID", "Date")
    )
