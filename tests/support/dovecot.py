"""Debian's Dovecot as a child on loopback: an IMAP server with one mailbox, ended by whoever started it."""

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

DOVECOT = Path("/usr/sbin/dovecot")
USER, PASSWORD = "news@courier.example", "a mailbox of the tests"

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
default_login_user = {login}
default_internal_user = {login}
default_internal_group = {group}
first_valid_uid = 1
last_valid_uid = 0
first_valid_gid = 1
last_valid_gid = 0
mail_location = maildir:{folder}/mail
# Where the kernel tells nothing of new files, Dovecot looks for them: every half minute unless told.
mailbox_idle_check_interval = 1s
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
"""


class Dovecot:
    """A mailbox at `port`; `append` puts a message into a folder of it, `list` shows what stands there."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="digest-imap-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Dovecot":
        is_root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.geteuid())
        for name in ("mail", "home"):
            (self.folder / name).mkdir()
            if is_root:
                os.chown(self.folder / name, owner.pw_uid, owner.pw_gid)
        self.folder.chmod(0o755)
        group = subprocess.run(["id", "-gn", owner.pw_name], capture_output=True, text=True, check=True)
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        config = self.folder / "dovecot.conf"
        config.write_text(
            _CONFIG.format(
                folder=self.folder, port=self.port, login=owner.pw_name, user=owner.pw_name,
                group=group.stdout.strip(),
            )
        )  # fmt: skip
        self._process = subprocess.Popen([DOVECOT, "-F", "-c", config], stdout=subprocess.DEVNULL)
        self._wait()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                self._client().logout()
                return
            except (OSError, imaplib.IMAP4.error) as error:
                if time.monotonic() > end:
                    log = self.folder / "log"
                    raise AssertionError(f"{error}\n{log.read_text() if log.exists() else ''}") from None
                time.sleep(0.05)

    def _client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        client.login(USER, PASSWORD)
        return client

    def create(self, folder: str) -> None:
        """Create a folder."""
        client = self._client()
        client.create(folder)
        client.logout()

    def append(self, message: str, folder: str = "INBOX") -> None:
        """Put a message into a folder."""
        client = self._client()
        client.append(folder, "", "", message.replace("\n", "\r\n").encode())
        client.logout()

    def flags(self, folder: str = "INBOX") -> list[str]:
        """Return the flags of each message of a folder, in order."""
        client = self._client()
        _, count = client.select(folder, readonly=True)
        found = client.fetch("1:*", "(FLAGS)")[1] if int(count[0] or 0) else []
        client.logout()
        lines = [one.decode() for one in found if isinstance(one, bytes)]
        return [line[line.index("(FLAGS (") + 8 :].split(")")[0] for line in lines]

    def clear(self) -> None:
        """Remove every message of both folders."""
        client = self._client()
        for folder in ("INBOX", "Taken"):
            _, count = client.select(folder)
            if int(count[0] or 0):
                client.store("1:*", "+FLAGS", "\\Deleted")
                client.expunge()
        client.logout()

    def remake(self) -> None:
        """Make INBOX anew, so that its UIDVALIDITY is another (RFC 9051 2.3.1.1)."""
        client = self._client()
        client.rename("INBOX", f"Old{time.monotonic_ns()}")
        for name in ("dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (self.folder / "mail" / name).unlink(missing_ok=True)
        client.logout()
