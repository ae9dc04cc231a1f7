"""A publication in a folder, its commands, and an SMTP server that remembers: what journeys walk through."""

import contextlib
import csv
import email
import io
import json
import socket
import subprocess
import sys
import time
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from digest.cli import main
from tests.conftest import NO_RELAY, write_config

ARTICLE = """---
title: "{title}"
url: https://courier.example/{slug}
topics: [{topics}]
summary: "{title}, in short."
---

{title}: the whole story of it, told in two sentences. This is the second one.
"""


class Caught:
    """An SMTP server on loopback that keeps all it accepts, in order, and can be slow."""

    def __init__(self, delay: float = 0.0, *, port: int = 0, **options: Any) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._delay, self._options = delay, options
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            self.port: int = probe.getsockname()[1]
        self._controller: Controller | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages.append((envelope.rcpt_tos[0], envelope.original_content))
        if self._delay:
            time.sleep(self._delay)
        return "250 2.0.0 kept"

    def __enter__(self) -> "Caught":
        self._controller = _Server(self, self._options, self.port)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._controller is not None
        self._controller.stop()

    @property
    def recipients(self) -> list[str]:
        """List the recipients, each as often as they got a message."""
        return [recipient for recipient, _ in list(self.messages)]

    def parsed(self) -> list[EmailMessage]:
        """Return the messages as parsed by a mail program."""
        return [parse(content) for _, content in list(self.messages)]

    def wait_for(self, count: int, seconds: float = 60) -> None:
        """Wait until so many messages are there."""
        end = time.monotonic() + seconds
        while len(self.messages) < count and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.messages) >= count


class _Server(Controller):
    """The server itself; `options` are aiosmtpd's own and, for TLS from the start, `ssl_context`."""

    def __init__(self, handler: Caught, options: dict[str, Any], port: int) -> None:
        self._options = dict(options)
        super().__init__(
            handler, hostname="127.0.0.1", port=port, ssl_context=self._options.pop("ssl_context", None)
        )

    def factory(self) -> SMTP:
        options = {"auth_require_tls": False, "enable_SMTPUTF8": True} | self._options
        return SMTP(self.handler, hostname="relay.localhost", **options)


def parse(content: bytes) -> EmailMessage:
    """Parse a message."""
    message = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


class Publication:
    """A folder with settings, articles and readers, and the commands run in it."""

    def __init__(
        self, folder: Path, database_url: str, *, port: int = NO_RELAY, connections: int = 1
    ) -> None:
        self.folder = folder
        self.config = write_config(folder, database_url, port=port, connections=connections)
        (folder / "articles").mkdir(exist_ok=True)

    def write_article(self, title: str, topics: str = "world") -> None:
        """Write one Markdown article."""
        slug = title.lower().replace(" ", "-")
        text = ARTICLE.format(title=title, slug=slug, topics=topics)
        (self.folder / "articles" / f"{slug}.md").write_text(text)

    def change_settings(self, old: str, new: str) -> None:
        """Replace a text of config.toml."""
        before = self.config.read_text()
        assert old in before
        self.config.write_text(before.replace(old, new))

    def use_relay(self, port: int) -> None:
        """Name the relay's port; until then no relay takes mail."""
        self.change_settings(f"port = {NO_RELAY}\n", f"port = {port}\n")

    def write_readers(self, count: int) -> Path:
        """Write a CSV of readers r0@readers.example and so on."""
        path = self.folder / "readers.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["email"])
            writer.writerows([f"r{n}@readers.example"] for n in range(count))
        return path

    def begin(self, readers: int = 3) -> None:
        """Write articles of two topics and take in readers."""
        self.write_article("Bridge reopens")
        self.write_article("Sponges are old", "science")
        self.run("subscribers", "import", str(self.write_readers(readers)), "--confirmed", "on paper")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "digest", *arguments, "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Run a command in this process, check how it ends, and return what it printed."""
        out, err = self._run(arguments, code)
        return out + err

    def facts(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json and return its facts."""
        return json.loads(self._run((*arguments, "--json"), code)[0])

    def edition(self, cadence: str = "daily") -> dict[str, Any]:
        """Return what `status` reports of a cadence's one edition."""
        (row,) = [row for row in self.facts("status")["editions"] if row["cadence"] == cadence]
        return dict(row)

    def _run(self, arguments: tuple[str, ...], code: int | None) -> tuple[str, str]:
        return run_command(*arguments, "--config", str(self.config), code=code)


def run_command(*arguments: str, code: int | None = 0) -> tuple[str, str]:
    """Run a command in this process, check how it ends, and return what it printed (out, err).

    `code` None takes both "done" and "failed", which are told without a traceback.
    """
    out, err, ended = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            ended = int(end.code or 0)
    assert ended == code or (code is None and ended in (0, 1)), (
        f"{arguments}: exit {ended}\n{out.getvalue()}\n{err.getvalue()}"
    )
    return out.getvalue(), err.getvalue()
