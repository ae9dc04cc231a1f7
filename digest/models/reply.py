"""An SMTP server's reply, as plain values (RFC 5321 4.2, RFC 3463)."""

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The step of the dialogue that an outcome belongs to."""

    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Reply:
    """One server reply: three-digit code, enhanced code such as `5.1.1` or empty, text without controls."""

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        """Return the reply as one printable line."""
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt to send a message ended.

    `reply` is None if the server gave none (connection refused, lost, or timed out); `fault` then describes
    it. `dot_left` says whether the final dot may have reached the server: without a reply after it the
    delivery is uncertain.
    """

    stage: Stage
    reply: Reply | None
    dot_left: bool = False
    fault: str = ""

    @property
    def accepted(self) -> bool:
        """Return whether the server took responsibility: 2yz to the final dot (RFC 5321 4.2.5)."""
        return self.stage is Stage.DOT and self.reply is not None and 200 <= self.reply.code < 300
