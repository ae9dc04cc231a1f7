"""Against Postfix's own test server, which refuses, drops and closes by its options."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import skip_unless_ci
from tests.support.newsroom import Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def sink(*options: str) -> Iterator[int]:
    """Run smtp-sink on loopback for a while; give its port."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        skip_unless_ci("no smtp-sink here: install Debian's postfix")
    assert program is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    account = ["-u", "postfix"] if os.geteuid() == 0 else []
    command = [program, *account, *options, f"127.0.0.1:{port}", "10"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_open(port)
            yield port
        finally:
            process.kill()


def wait_until_open(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("smtp-sink did not begin to listen")


@pytest.mark.parametrize(
    ("options", "ends"),
    [
        ([], {"accepted": 3}),
        (["-e"], {"accepted": 3}),  # HELO only
        (["-p"], {"accepted": 3}),  # no PIPELINING
        (["-8"], {"accepted": 3}),  # no 8BITMIME
        (["-f", "RCPT"], {"failed": 3}),
        (["-f", "DATA"], {"failed": 3}),
        (["-f", "."], {"failed": 3}),
        (["-r", "RCPT"], {"open": 3}),
        (["-r", "."], {"open": 3}),
        (["-f", "MAIL"], {"open": 3}),  # our fault: paused
        (["-f", "EHLO"], {"accepted": 3}),  # falls back to HELO
        (["-f", "CONNECT"], {"open": 3}),
        (["-q", "RCPT"], {"open": 3}),
        (["-q", "."], {"uncertain": 3}),
        (["-Q", "RCPT"], {"open": 3}),
        (["-W", "DATA:1"], {"accepted": 3}),  # slow, but within our patience
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_ledger_says_what_the_server_did(
    tmp_path: Path, database_url: str, options: list[str], ends: dict[str, int]
) -> None:
    with sink(*options) as port:
        publication = Publication(tmp_path, database_url, port=port)
        publication.begin(3)
        troubled = (options[:1], options[1:]) in [
            (["-f"], ["MAIL"]), (["-f"], ["CONNECT"]), (["-q"], ["RCPT"]), (["-Q"], ["RCPT"]),
        ]  # fmt: skip
        publication.run("send", "--now", code=1 if troubled else 0)

    edition = publication.edition()
    assert {key: edition[key] for key in ("accepted", "failed", "uncertain", "open") if edition[key]} == ends
