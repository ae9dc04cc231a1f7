"""A non-blocking SMTP connection: the socket of a greeted connection, driven by a loop over many."""

import socket
import ssl
from collections import deque
from collections.abc import Sequence

from digest.models import Reply
from digest.net.smtp.replies import BadReplyError, ReplyReader
from digest.net.smtp.session import Capabilities
from digest.net.smtp.transport import Connection, fault_name

_CHUNK = 262_144
_MOST_HEARD = 65_536
_MOST_PIECES = 512  # the system's limit is 1,024 (IOV_MAX)


class Channel:
    """Writes as much as the server accepts, reads what it has sent.

    `sent` is the number of bytes written; `fault` says what happened once nothing can follow.
    """

    def __init__(self, connection: Connection) -> None:
        self.offer: Capabilities = connection.offer
        self._socket: socket.socket = connection.detach()
        self._socket.setblocking(False)
        self._gathers = not isinstance(self._socket, ssl.SSLSocket)
        self._reader = ReplyReader(connection.redact)
        self._out: deque[memoryview] = deque()
        self.unsent = 0
        self.sent = 0
        self.fault = ""

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._socket.fileno()

    def write(self, pieces: Sequence[bytes]) -> None:
        """Queue pieces and write what the socket accepts: all at once, unjoined, if nothing is queued."""
        size = sum(map(len, pieces))
        self.unsent += size
        written = 0
        if self._gathers and not self._out and len(pieces) <= _MOST_PIECES:
            written = self._gather(pieces)
        if written < size:
            self._out.append(memoryview(b"".join(pieces))[written:])
            self.flush()

    def _gather(self, pieces: Sequence[bytes]) -> int:
        """Write pieces without joining them (`sendmsg`); return how many bytes were written."""
        try:
            written = self._socket.sendmsg(pieces)
        except OSError:
            return 0  # flushing will report the error
        self.sent += written
        self.unsent -= written
        return written

    def flush(self) -> None:
        """Write what the socket accepts now; `fault` is set if the connection is lost."""
        try:
            while self._out:
                written = self._socket.send(self._out[0][:_CHUNK])
                self.sent += written
                self.unsent -= written
                if written == len(self._out[0]):
                    self._out.popleft()
                else:
                    self._out[0] = self._out[0][written:]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as error:
            self.fault = self.fault or f"lost while writing ({fault_name(error)})"

    def receive(self) -> list[Reply]:
        """Return the replies that have arrived; with `fault` set, no more can follow."""
        replies: list[Reply] = []
        try:
            while received := self._socket.recv(_MOST_HEARD):
                replies.extend(self._reader.iterate(received))
                if len(received) < _MOST_HEARD and not self._holds_back():
                    return replies  # select() reports later bytes
            self.fault = "the server closed the connection"
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except BadReplyError as error:
            self.fault = str(error)
        except OSError as error:
            self.fault = f"no reply ({fault_name(error)})"
        return replies

    def _holds_back(self) -> bool:
        """Return whether bytes have arrived that select() does not report: those of a TLS record read in
        part."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def close(self, *, politely: bool, patience: float = 0) -> None:
        """Close, with QUIT if `politely`; nothing depends on its reply (RFC 5321 4.1.1.10)."""
        try:
            if politely:
                self._socket.send(b"QUIT\r\n")
            if politely and patience:
                self._socket.settimeout(patience)
                self._socket.recv(_CHUNK)
        except OSError:
            pass
        finally:
            self._socket.close()
