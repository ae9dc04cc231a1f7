"""An SMTP server that follows a script, however wrong: for the faults that no real server shows on demand."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Self


class Wire:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(10)
        self._file = connection.makefile("rb")

    def send(self, *lines: str | bytes) -> None:
        """Send lines, each with its CRLF; bytes go as they are."""
        for line in lines:
            self.socket.sendall(line if isinstance(line, bytes) else line.encode() + b"\r\n")

    def line(self) -> bytes:
        """Read one command."""
        return self._file.readline()

    def answer(self, *replies: str | bytes) -> None:
        """Read a command and answer it, for each reply."""
        for reply in replies:
            self.line()
            self.send(reply)

    def content(self) -> bytes:
        """Read a message up to its final dot."""
        lines = []
        while (line := self._file.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)

    def whole_content(self) -> bytes:
        """Read a message; raise OSError where the client ends before its final dot."""
        lines = []
        while (line := self._file.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                raise ConnectionError("half a message")
            lines.append(line)
        return b"".join(lines)

    def exactly(self, octets: int) -> bytes:
        """Read a chunk of a stated length; raise OSError where the client ends before that."""
        chunk = self._file.read(octets)
        if len(chunk) < octets:
            raise ConnectionError("half a chunk")
        return chunk

    def greet(self, *extensions: str) -> None:
        """Greet the client and answer EHLO."""
        self.send("220 relay.example ESMTP")
        words = ["relay.example", *extensions]
        self.line()
        self.send(*(f"250{'-' if word != words[-1] else ' '}{word}" for word in words))

    def take(self, reply: str | bytes = "250 2.0.0 kept") -> bytes:
        """Accept one message as a good server does, up to the reply to its final dot."""
        self.answer("250 ok", "250 ok", "354 go")
        content = self.content()
        self.send(reply)
        return content


Script = Callable[[Wire], None]


def steps(*scripts: Script) -> Script:
    """Do one thing after the other."""

    def run(wire: Wire) -> None:
        for script in scripts:
            script(wire)

    return run


def greets(wire: Wire) -> None:
    """Greet the client and offer SIZE."""
    wire.greet("SIZE 1000000")


def hears(wire: Wire) -> None:
    """Read a command and say nothing."""
    wire.line()


def sends(*lines: str | bytes) -> Script:
    """Send lines."""
    return lambda wire: wire.send(*lines)


def answers(*replies: str | bytes) -> Script:
    """Read commands and answer them."""
    return lambda wire: wire.answer(*replies)


def takes(reply: str | bytes = "250 2.0.0 kept") -> Script:
    """Accept one message, with this reply to its final dot."""

    def script(wire: Wire) -> None:
        wire.take(reply)

    return script


def waits(seconds: float) -> Script:
    """Do nothing for a while."""
    return lambda _wire: time.sleep(seconds)


class Scripted:
    """Serves each connection by the next script of the list, the last one for all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Self:
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._accepting, *self._threads):
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=_serve, args=(connection, script))
            self._threads.append(thread)
            thread.start()


def _serve(connection: socket.socket, script: Script) -> None:
    with connection:
        wire = Wire(connection)
        try:
            script(wire)
        except OSError:
            pass  # the client has gone, which is what many a script is for
        finally:
            wire._file.close()
