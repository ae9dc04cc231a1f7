"""SMTP out: dialogues without input or output, and the sockets around them.

Open exchange.py first: what is said and heard.
"""

from digest.net.smtp.channel import Channel
from digest.net.smtp.dialogue import Envelope
from digest.net.smtp.exchange import ContentWanted, Exchange, TransactionEnded
from digest.net.smtp.logins import Login
from digest.net.smtp.replies import BadReplyError
from digest.net.smtp.transport import Connection, Relay, Timeouts, open_connection

__all__ = [
    "BadReplyError",
    "Channel",
    "Connection",
    "ContentWanted",
    "Envelope",
    "Exchange",
    "Login",
    "Relay",
    "Timeouts",
    "TransactionEnded",
    "open_connection",
]
