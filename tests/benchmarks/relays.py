"""What delivery is measured against: Postfix's sink, its source, ready bytes, and the naive way."""

import os
import selectors
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

ENVELOPE = b"MAIL FROM:<a@sender.example>\r\nRCPT TO:<b@reader.example>\r\nDATA\r\n"
_BEFORE_THE_CONTENT = 3


@dataclass(frozen=True, slots=True)
class Sink:
    """A server that takes all and keeps nothing."""

    port: int
    pid: int

    def seconds(self) -> float:
        """Return the processor time it has used (proc(5), stat: utime and stime)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def sink() -> Iterator[Sink]:
    """Run smtp-sink for as long as it is needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["smtp-sink", "-u", "postfix", f"127.0.0.1:{port}", "1000"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        time.sleep(0.5)
        try:
            yield Sink(port, process.pid)
        finally:
            process.kill()


def source_rate(port: int, connections: int, messages: int, size: int) -> float:
    """Return the messages per second that smtp-source sends to the sink."""
    began = time.monotonic()
    options = ["-s", str(connections), "-m", str(messages), "-l", str(size)]
    subprocess.run(["smtp-source", *options, f"127.0.0.1:{port}"], check=True)
    return messages / (time.monotonic() - began)


@dataclass(slots=True)
class _Raw:
    wire: socket.socket
    lines: int = 0
    busy: bool = True

    def read(self) -> int:
        """Return how many lines have arrived; TLS may still hold some back."""
        if not isinstance(self.wire, ssl.SSLSocket):
            return self.wire.recv(65_536).count(b"\n")
        found = 0
        self.wire.setblocking(False)
        try:
            while True:
                found += self.wire.recv(65_536).count(b"\n")
        except ssl.SSLWantReadError:
            return found
        finally:
            self.wire.setblocking(True)


def raw_rate(port: int, connections: int, messages: int, size: int, ca_file: Path | None = None) -> float:
    """Return the messages per second of precomposed bytes, each content written with the next envelope."""
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    content = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * (size // 72) + b".\r\n"
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        wire = socket.create_connection(("127.0.0.1", port))
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = context.wrap_socket(wire, server_hostname="127.0.0.1") if context else wire
        for command in (b"", b"EHLO bench.example\r\n"):
            wire.sendall(command)
            wire.recv(4_096)
        selector.register(wire, selectors.EVENT_READ, _Raw(wire))
    began = time.monotonic()
    begun = ended = 0
    for key in list(selector.get_map().values()):
        key.data.wire.sendall(ENVELOPE)
        begun += 1
    while ended < messages:
        for key, _ in selector.select():
            raw: _Raw = key.data
            raw.lines += raw.read()
            if raw.busy and raw.lines >= _BEFORE_THE_CONTENT:
                raw.lines -= _BEFORE_THE_CONTENT
                raw.busy = begun < messages
                begun += raw.busy
                raw.wire.sendall(content + ENVELOPE if raw.busy else content)
                # The reply to this content comes before those to the next envelope.
                raw.lines -= 1
                ended += 1
    seconds = time.monotonic() - began
    for key in list(selector.get_map().values()):
        key.data.wire.close()
    return messages / seconds


def naive_rate(port: int, readers: int, draw: Callable[[Mapping[str, str]], tuple[str, str]]) -> float:
    """Return the messages per second of Jinja, css-inline, EmailMessage and smtplib, run for each reader.

    `draw` renders both parts, text and HTML, from the templates, for one reader's values.
    """
    began = time.monotonic()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in range(readers):
            link = f"https://courier.example/unsubscribe/{number:070}"
            known = {"name": f"Reader {number}", "to_line": f"For Reader {number}."}
            known |= {
                "address": f"r{number}@readers.example",
                "preferences_url": link,
                "unsubscribe_url": link,
            }
            text, html = draw(known)
            message = EmailMessage()
            message["From"], message["To"] = "news@courier.example", known["address"]
            message["Subject"] = "World Briefing"
            message["List-Unsubscribe"] = f"<{link[:50]}>"
            message.set_content(text)
            message.add_alternative(html, subtype="html")
            smtp.send_message(message)
    return readers / (time.monotonic() - began)
