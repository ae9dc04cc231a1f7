"""SMTP out: a dialogue without input or output, and the sockets around it."""

from digest.net.smtp.dialogue import Envelope, Login
from digest.net.smtp.transport import Connection, Relay, Timeouts, open_connection

__all__ = ["Connection", "Envelope", "Login", "Relay", "Timeouts", "open_connection"]
