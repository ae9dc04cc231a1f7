"""Debian's Postfix as a child on loopback: it relays between a publication, its readers and its inbox."""

import os
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

MASTER = Path("/usr/lib/postfix/sbin/master")

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.courier.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_tls_security_level = none
smtpd_peername_lookup = no
relay_domains = courier.example, readers.example, gone.example
transport_maps = inline:{{ {{ courier.example = lmtp:inet:127.0.0.1:{lmtp} }},
  {{ readers.example = smtp:[127.0.0.1]:{mailbox} }},
  {{ gone.example = lmtp:inet:127.0.0.1:{lmtp} }} }}
smtpd_relay_restrictions = permit_mynetworks, reject
recipient_delimiter = +
alias_maps =
alias_database =
local_recipient_maps =
minimal_backoff_time = 1s
queue_run_delay = 1s
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_QUEUES = "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace"


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postfix:
    """Takes mail at `port`: for courier.example by LMTP to one port, for readers.example by SMTP to another.

    Mail for gone.example goes by LMTP too, where nobody has it: it comes back as a bounce.
    """

    def __init__(self, *, lmtp: int, mailbox: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="digest-postfix-"))
        self.port = free_port()
        self._lmtp, self._mailbox = lmtp, mailbox
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Postfix":
        self.folder.chmod(0o755)
        config = self.folder / "etc"
        for name in ("etc", "data", "queue", *(f"queue/{one}" for one in _QUEUES.split())):
            (self.folder / name).mkdir()
            if name not in ("etc", "queue", "queue/pid"):
                shutil.chown(self.folder / name, "postfix")
        named = {"folder": self.folder, "lmtp": self._lmtp, "mailbox": self._mailbox, "port": self.port}
        (config / "main.cf").write_text(_MAIN.format(**named))
        (config / "master.cf").write_text(_MASTER.format(**named))
        self._process = subprocess.Popen(
            [MASTER, "-c", config, "-d"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"MAIL_CONFIG": str(config)},
        )  # fmt: skip
        self._wait()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def submit(self, sender: str, recipient: str, message: str) -> None:
        """Hand a message over as a reader's own mail server does."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.sendmail(sender, [recipient], message.encode())

    def log(self) -> str:
        """Return what the server wrote down."""
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                smtplib.SMTP("127.0.0.1", self.port, timeout=20).quit()
                return
            except (OSError, smtplib.SMTPException) as error:
                if time.monotonic() > end:
                    raise AssertionError(f"{error}\n{self.log()}") from None
                time.sleep(0.05)
