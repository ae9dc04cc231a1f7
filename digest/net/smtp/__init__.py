"""Sending by SMTP: the dialogue as pure code, and the sockets around it.

Open exchange.py first: the commands and replies of one connection.
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
