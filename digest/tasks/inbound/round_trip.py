"""A message from ourselves through the relay back to the inbox, to find where mail is lost."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from digest.mail.message import Message
from digest.mail.rendering.renderer import Renderer
from digest.mail.reports.parts import Mail
from digest.models import Answer, Memo
from digest.rules.tokens import mail_tokens
from digest.store.keys import keep_memo
from digest.tasks.inbound.answers import compose_answer
from digest.tasks.inbound.inbox import Inbox
from digest.tasks.inbound.message_writer import find_number

_MEMO = "round trip"
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>\r\n]+>)", re.I | re.M)


class TripState(StrEnum):
    """How far the message has come: a relay or a mail server may drop what follows the delimiter."""

    UNDER_WAY = "under way"
    CAME = "came"
    WITHOUT_TOKEN = "came without its token"  # noqa: S105 - no secret


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A message that should come back: the address that it is sent to, and its content."""

    number: int
    address: str
    message: Message


def begin_trip(inbox: Inbox, renderer: Renderer, number: int, now: datetime) -> RoundTrip:
    """Compose the message of a round trip and record that it is expected."""
    inbound = inbox.settings.inbound
    token = mail_tokens.sign_number(inbox.readers.signing_keys, mail_tokens.ROUND_TRIP, number)
    address = f"{inbound.before}{token}@{inbound.domain}"
    row = Answer(
        id=number, created_at=now, kind="round trip", address=address, language="en", subject="Round trip",
        values={"text": "This message tests the way through the relay and back to the inbox."}, due_at=now,
    )  # fmt: skip
    message = compose_answer(inbox, renderer, row, now)
    found = _MESSAGE_ID.search(message.head)
    named = found[1].decode("ascii", "replace") if found else ""
    _remember(inbox, f"{TripState.UNDER_WAY}\n{number}\n{named}")
    return RoundTrip(number, address, message)


def trip_state(inbox: Inbox) -> TripState:
    """Return how far the last round trip has come."""
    with inbox.database.read() as session:
        memo = session.get(Memo, _MEMO)
        return TripState(memo.value.split("\n")[0]) if memo else TripState.UNDER_WAY


def came_back(session: Session, inbox: Inbox, mail: Mail, is_from_us: bool) -> bool:
    """Record a round trip that has come back, with its token or without; return whether a message is one."""
    returned = find_number(inbox, mail, mail_tokens.ROUND_TRIP)
    memo = session.get(Memo, _MEMO) if is_from_us or returned is not None else None
    if memo is None:
        return False
    _, number, named = memo.value.split("\n")
    if returned == int(number):
        state = TripState.CAME
    elif mail.headers.get("message-id").strip() == named:
        state = TripState.WITHOUT_TOKEN
    else:
        return False
    memo.value = f"{state}\n{number}\n{named}"
    session.add(memo)
    return True


def _remember(inbox: Inbox, value: str) -> None:
    with inbox.database.write() as session:
        keep_memo(session, _MEMO, value)
