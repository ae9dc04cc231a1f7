"""Sending by SMTP: sessions and mail transactions as pure code, and the sockets around them.

Open transactions.py first: the commands and replies from an envelope to its final dot.
"""

from digest.net.smtp.channel import Channel
from digest.net.smtp.logins import Login
from digest.net.smtp.replies import BadReplyError
from digest.net.smtp.transactions import ContentWanted, Envelope, Exchange, TransactionEnded
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
